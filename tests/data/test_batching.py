"""Batches: everything once, within the limit, and a pure function of (seed, epoch)."""

from hypothesis import given
from hypothesis import strategies as st

from molcaption.data.batching import even_batches, token_batches

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@given(LENGTHS, st.integers(50, 1000), st.integers(0, 3))
def test_every_example_once_and_within_the_limit(lengths: list[int], limit: int, epoch: int):
    batches = token_batches(lengths, limit, seed=1, epoch=epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= limit
    assert batches == token_batches(lengths, limit, seed=1, epoch=epoch)


def test_epochs_and_seeds_differ() -> None:
    lengths = list(range(1, 200))
    first = token_batches(lengths, 500, seed=0, epoch=0)
    assert first != token_batches(lengths, 500, seed=0, epoch=1)
    assert first != token_batches(lengths, 500, seed=1, epoch=0)


def test_padding_is_small() -> None:
    lengths = [10 + (i * 37) % 200 for i in range(5000)]
    batches = token_batches(lengths, 4096, seed=0, epoch=0)
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert sum(lengths) / padded > 0.9


@given(st.integers(0, 100), st.integers(1, 40))
def test_even_batches_hold_everything_once(count: int, size: int) -> None:
    batches = even_batches(count, size, seed=0, epoch=0)
    assert sorted(i for batch in batches for i in batch) == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])
