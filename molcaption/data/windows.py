"""Streams cut into lists, so that memory does not grow with the input."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def windows(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items in order, the last one shorter; none is empty."""
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window
