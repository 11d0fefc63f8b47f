"""Streams cut into lists, so that memory does not grow with the input."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import TypeVar

T = TypeVar("T")


def windows(
    items: Iterable[T],
    size: int,
    weigh: Callable[[T], int] = lambda _: 0,
    heaviest: int = 0,
    first: int | None = None,
) -> Iterator[list[T]]:
    """Lists of items in order; none is empty.

    Args:
        size: most items of a list.
        weigh: bytes of an item.
        heaviest: a list that weighs more is closed, however short it is.
        first: most items of the first list, and each next one may be twice as long, up to ``size``;
            all may have ``size`` by default.
    """
    window: list[T] = []
    weight = 0
    room = min(size, first or size)
    for item in items:
        window.append(item)
        weight += weigh(item)
        if len(window) == room or weight > heaviest:
            yield window
            window, weight, room = [], 0, min(size, 2 * room)
    if window:
        yield window


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items, each when the next one has been made as well."""
    ends = chain(items, [None])
    return (item for item, _ in pairwise(ends) if item is not None)
