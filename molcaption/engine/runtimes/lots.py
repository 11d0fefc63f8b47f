"""A queue whose molecules go through in lots: all that wait go together."""

from collections.abc import Callable, Iterator, Sequence

from molcaption.engine.questions import Question
from molcaption.engine.runtimes import CaptionQueue, Generation

Captions = Iterator[tuple[int, list[Generation]]]


class LotQueue(CaptionQueue):
    """See `molcaption.engine.runtimes.CaptionQueue`.

    Args:
        make: captions of a lot, each with its place in the lot, as soon as it is done.
    """

    def __init__(self, make: Callable[[Sequence[Question]], Captions]) -> None:
        self._make = make
        self._waiting: list[Question] = []
        self._lot: Captions = iter(())
        self._left = self._added = self._first = 0

    @property
    def hungry(self) -> bool:
        """See `CaptionQueue`."""
        return not self._left

    @property
    def empty(self) -> bool:
        """See `CaptionQueue`."""
        return not self._left and not self._waiting

    def add(self, molecules: Sequence[Question]) -> None:
        """See `CaptionQueue`."""
        self._waiting += molecules
        self._added += len(molecules)

    def step(self) -> list[tuple[int, list[Generation]]]:
        """See `CaptionQueue`."""
        if not self._left:
            lot, self._waiting = self._waiting, []
            self._lot, self._left = self._make(lot), len(lot)
            self._first = self._added - len(lot)
        place, made = next(self._lot)
        self._left -= 1
        return [(self._first + place, made)]
