"""What `molcaption score` may be asked for: a mistake is told before the work, not after it."""

from collections.abc import Collection, Sequence
from pathlib import Path

from molcaption.data.writers import STDOUT, check_output, check_target
from molcaption.errors import UsageError
from molcaption.metrics.breakdown import BREAKDOWNS
from molcaption.metrics.rendering import FORMATS
from molcaption.metrics.signatures import ALL_METRICS
from molcaption.metrics.statistics import PAIRED


def check_names(metrics: Sequence[str], by: Sequence[str], format: str, paired: str) -> None:
    """Every name is one that there is."""
    wanted: list[tuple[str, Sequence[str], Collection[str]]] = [
        ("metric", metrics, ALL_METRICS),
        ("breakdown", by, BREAKDOWNS),
        ("format", [format], FORMATS),
        ("paired test", [paired], PAIRED),
    ]
    for what, given, known in wanted:
        for name in given:
            if name not in known:
                raise UsageError(f"{what} {name!r} is not one of {', '.join(known)}")


def check_numbers(limit: int | None, width: int, resamples: int, seed: int) -> None:
    """Numbers lie where they mean something."""
    if (limit is not None and limit < 1) or min(width, resamples, seed) < 0:
        raise UsageError("limit has to be at least 1, and width, resamples and seed at least 0")


def check_company(
    by: Sequence[str], train: str | Path | None, against: str | Path | None, resamples: int
) -> None:
    """Some options are nothing without another."""
    if ("similarity" in by) != (train is not None):
        raise UsageError("a breakdown by similarity needs training molecules, and they only it")
    if against is not None and not resamples:
        raise UsageError("a comparison needs resamples, 1000 or more")


def check_outputs(
    report: str | Path | None,
    rows: str | Path | None,
    html: str | Path | None,
    inputs: Sequence[str | Path],
) -> None:
    """Each output goes to a place of its own (the report to standard output), none over an input.

    Raises:
        UsageError: two share a place, or the format of ``rows`` is unknown.
        CannotWriteError: see `check_target`.
    """
    given = [path for path in (report or STDOUT, rows, html) if path is not None]
    if html == STDOUT or len({Path(path).resolve() for path in given}) < len(given):
        raise UsageError("report, rows and page cannot share a place; give each a file of its own")
    if rows is not None:
        check_output(rows)
    for path in given:
        check_target(path, inputs)
