"""What runs inside a worker process (see workers.py), under a limit of processor time an item."""

import signal
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_shared: Any = None
_limit = 0.0
"""What `share` made, and seconds for an item (0 for no limit)."""


def prepare(share: Callable[[], Any], timeout: float | None) -> None:
    """Done once, when the process starts."""
    global _shared, _limit
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # ends it even inside C++
    _shared, _limit = share(), timeout or 0.0


def work(function: Callable[[T, Any], R], items: Sequence[T]) -> list[R]:
    """One chunk. Nothing handles the timer's signal, so it ends the process."""
    results = []
    try:
        for item in items:
            signal.setitimer(signal.ITIMER_PROF, _limit)
            results.append(function(item, _shared))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return results
