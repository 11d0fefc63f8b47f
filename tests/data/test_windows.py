"""Windows hold everything once, in order, and are no larger than they may be."""

from hypothesis import given
from hypothesis import strategies as st

from molcaption.data.windows import windows

SIZES = st.integers(1, 40)


@given(st.integers(0, 300), SIZES, st.none() | SIZES)
def test_everything_once_in_order(count: int, size: int, first: int | None) -> None:
    made = list(windows(range(count), size, first=first))
    assert [i for window in made for i in window] == list(range(count))
    assert all(0 < len(window) <= size for window in made)


def test_windows_grow() -> None:
    assert [len(window) for window in windows(range(100), 40, first=10)] == [10, 20, 40, 30]
    assert [len(window) for window in windows(range(100), 40)] == [40, 40, 20]


def test_what_is_heavy_closes_its_window() -> None:
    made = list(windows([1, 1, 9, 1], 10, weigh=int, heaviest=8))
    assert made == [[1, 1, 9], [1]]
