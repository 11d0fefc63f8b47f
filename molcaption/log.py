"""What is said while working: always on stderr, since stdout carries data only.

Three forms: plain lines, the same with a progress bar where stderr is a terminal that takes
colours, and JSON lines for machines (`ts`, `level`, `event`, then the fields given in
`extra={"fields": …}`). What other packages say goes to the log file and to `-v`, and to a normal
run only if it is an error: their warnings are about code, which a user of a command cannot change.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from molcaption.errors import CannotWriteError

_OURS = "molcaption"
_EVERY = 60.0
"""Seconds between progress lines where there is no bar."""
_log = logging.getLogger(__name__)


def configure(
    *,
    quiet: bool = False,
    verbose: int = 0,
    log_file: str | Path | None = None,
    log_format: str = "text",
    debug: bool = False,
) -> None:
    """Set up logging for this process; a second call replaces the first.

    Args:
        quiet: warnings and errors only, and no progress.
        verbose: 1 adds our details and other packages' warnings, 2 adds their details.
        log_file: appended to, with everything that `-v` would show, whatever `quiet` says.
        log_format: `text` or `json`, for stderr and file alike.
        debug: tracebacks on stderr too.

    Raises:
        CannotWriteError: the log file cannot be opened.
    """
    own, foreign = _levels(quiet, verbose)
    handlers: list[logging.Handler] = [_StderrHandler(bars=log_format == "text" and not quiet)]
    handlers[0].setFormatter(_formatter(log_format, dated=False, tracebacks=debug))
    handlers[0].addFilter(_Audible(own, foreign))
    if log_file is not None:
        try:
            handlers.append(logging.FileHandler(log_file, encoding="utf-8", delay=False))
        except OSError as error:
            raise CannotWriteError(f"{log_file}: cannot write the log: {error.strerror}") from error
        handlers[1].setFormatter(_formatter(log_format, dated=True, tracebacks=True))
        handlers[1].addFilter(_Audible(logging.DEBUG, min(foreign, logging.WARNING)))
    # transformers hangs a handler of its own on its logger unless told otherwise beforehand
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.captureWarnings(True)
    root = logging.getLogger()
    for old in root.handlers[:]:
        if getattr(old, "of_molcaption", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.of_molcaption = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    # without a file there is no use in making records that no handler lets through
    root.setLevel(foreign if log_file is None else min(foreign, logging.WARNING))
    logging.getLogger(_OURS).setLevel(own if log_file is None else logging.DEBUG)


def _levels(quiet: bool, verbose: int) -> tuple[int, int]:
    """Lowest level shown of our records and of other packages'."""
    if quiet:
        return logging.WARNING, logging.CRITICAL
    own = logging.DEBUG if verbose else logging.INFO
    return own, [logging.ERROR, logging.WARNING, logging.DEBUG][min(verbose, 2)]


class _Audible(logging.Filter):
    """One threshold for our own records, another for those of other packages."""

    def __init__(self, own: int, foreign: int) -> None:
        super().__init__()
        self._own, self._foreign = own, foreign

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.name.partition(".")[0] == _OURS
        return record.levelno >= (self._own if ours else self._foreign)


class _TextFormatter(logging.Formatter):
    """`error: …` and `warning: …` for what matters, the bare message for the rest."""

    def __init__(self, dated: bool, tracebacks: bool) -> None:
        super().__init__("%(asctime)s %(message)s" if dated else "%(message)s")
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        mark = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        shown = logging.makeLogRecord(record.__dict__)
        shown.msg, shown.args = mark + record.getMessage(), ()
        if not self._tracebacks:
            shown.exc_info = shown.exc_text = None
        return super().format(shown)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and self._tracebacks:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _formatter(log_format: str, *, dated: bool, tracebacks: bool) -> logging.Formatter:
    if log_format == "json":
        return _JsonFormatter(tracebacks)
    return _TextFormatter(dated, tracebacks)


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to whatever `sys.stderr` is at the time: a bar puts itself there while it is shown,
    and prints lines above itself."""

    def __init__(self, *, bars: bool) -> None:
        logging.Handler.__init__(self)
        self.bars = bars

    @property
    def stream(self) -> Any:
        """The current stderr."""
        return sys.stderr


class Progress(Protocol):
    """Counts what is done."""

    def advance(self, n: int = 1) -> None:
        """`n` more are done."""


@contextmanager
def progress(total: int | None, label: str, *, done: int = 0) -> Iterator[Progress]:
    """Show how far the work is: a bar with rate and time left on a terminal, else a line a minute.

    Args:
        total: how many there are to do; None when the input is a stream.
        label: what is being done, such as `captioning`.
        done: how many an earlier run has done already; they do not count towards the rate.
    """
    handlers = logging.getLogger().handlers
    bars = any(isinstance(handler, _StderrHandler) and handler.bars for handler in handlers)
    if bars and takes_ansi(sys.stderr):
        with _bar(total, label, done) as shown:
            yield shown
    else:
        yield _Lines(total, label, done)


def takes_ansi(stream: Any) -> bool:
    """Whether escape sequences may be written: a terminal, and neither NO_COLOR (no-color.org) nor
    TERM=dumb."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in (None, "", "dumb", "unknown")
    return stream is not None and bool(stream.isatty()) and not plain


class _Lines:
    """Progress as log lines, never more often than once a minute."""

    def __init__(self, total: int | None, label: str, done: int) -> None:
        self._total, self._label, self._first, self._done = total, label, done, done
        self._start = self._last = time.monotonic()

    def advance(self, n: int = 1) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last = now
        rate = (self._done - self._first) / (now - self._start)
        of, left = "", ""
        if self._total:
            of = f"/{self._total} ({self._done / self._total:.0%})"
            left = f", {_clock((self._total - self._done) / rate)} left" if rate else ""
        fields = {"n": self._done, "total": self._total, "rate": round(rate, 3)}
        _log.info("%s %d%s, %.3g/s%s", self._label, self._done, of, rate, left,
                  extra={"fields": fields})  # fmt: skip


def _clock(seconds: float) -> str:
    """`1:02:03`, as a bar would show it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@contextmanager
def _bar(total: int | None, label: str, done: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=total, completed=done, rate="")

        class Bar:
            """Moves the bar."""

            def __init__(self) -> None:
                self._done = 0

            def advance(self, n: int = 1) -> None:
                self._done += n
                rate = self._done / max(time.monotonic() - start, 1e-9)
                shown.update(task, advance=n, rate=f"{rate:.3g}/s")

        yield Bar()
