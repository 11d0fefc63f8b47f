"""The stations of a bulk run one after another, each a window ahead of the next.

While window k is decoded, the workers parse window k + 2, look at the structures of window k + 1
and check the captions of window k - 1; so some four windows are held at a time, and rows come out
in the order of the input whoever is done first.
"""

import os
from collections.abc import Callable, Iterable, Iterator

from molcaption.chem.molecule import Record
from molcaption.claims import Lexicon, load_lexicon, settle
from molcaption.data.readers.raw import RawRecord, parse_payload, with_chemistry
from molcaption.data.windows import one_ahead, windows
from molcaption.engine.captioning import Captioning
from molcaption.engine.rows import Row, begin_rows
from molcaption.errors import UsageError
from molcaption.workers import Lost, Workers

MOLECULE_TIMEOUT = 10.0
"""Seconds of processor time for one molecule at one station, some hundred times what large ones
take."""
_WINDOW_BYTES = 64 * 2**20
_FIRST_WINDOW = 64
"""Records of a run's first window; nothing is looked at before all of it is parsed."""
_PRELOAD = "molcaption.engine.preload"


def default_workers() -> int:
    """One a core, as the decoder has threads: none is always busy, and each fills the rests of
    the others (measured: docs/bulk.md)."""
    return len(os.sched_getaffinity(0))


def open_workers(n: int | None, timeout: float | None) -> Workers[Lexicon]:
    """Workers that share the built-in lexicon.

    Args:
        n: how many; 0 for none, None for `default_workers`.
        timeout: seconds of processor time for a molecule at each station; None for the default.

    Raises:
        UsageError: a time limit without a process that could be stopped.
    """
    n = default_workers() if n is None else n
    if not n and timeout is not None:
        raise UsageError("--molecule-timeout needs a worker to stop: --workers 1 or more")
    return Workers(n, shared_lexicon, timeout=timeout or MOLECULE_TIMEOUT, preload=_PRELOAD)


def shared_lexicon() -> Lexicon:
    """What each worker needs beside its items."""
    return settle(load_lexicon())


def cut(
    records: Iterable[RawRecord], size: int, *, first: int | None = None
) -> Iterator[list[RawRecord]]:
    """Windows of at most ``size`` records; ``first`` as for `windows`."""
    return windows(records, size, RawRecord.weight, _WINDOW_BYTES, first)


def growing(records: Iterable[RawRecord], size: int) -> Iterator[list[RawRecord]]:
    """As `cut`, but the first windows are short, so that the decoder starts early."""
    return cut(records, size, first=_FIRST_WINDOW)


def parsed(windows: Iterable[list[RawRecord]], workers: Workers[Lexicon]) -> Iterator[list[Record]]:
    """Windows with their chemistry."""
    begun = (
        (part, workers.submit(parse_payload, [(raw.kind, raw.payload) for raw in part]))
        for part in windows
    )
    for part, batch in one_ahead(begun):
        yield [
            with_chemistry(raw, made.reason if isinstance(made, Lost) else made)
            for raw, made in zip(part, batch.results(), strict=True)
        ]


def captioned(
    parts: Iterable[list[Record]],
    captioning: Captioning,
    lexicon: Lexicon,
    format: str | None,
    workers: Workers[Lexicon],
) -> Iterator[list[Row]]:
    """The rows of each window, in order."""
    behind: Callable[[], list[Row]] | None = None
    for records, captions in captioning.run(parts):
        if behind is not None:
            yield behind()
        behind = begin_rows(records, captions, lexicon, format, workers)
    if behind is not None:
        yield behind()
