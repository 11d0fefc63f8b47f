"""Rows to a file by its suffix: Parquet, JSON lines, CSV/TSV or SDF, whole or not at all.

Rows are dicts from column name to value; keys that begin with ``_`` are for the writer alone. They
are written as they come, so memory does not grow with the output. A new format is one class and one
line in `WRITERS`.
"""

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from molcaption.data.atomic import STDOUT, atomic_write, cannot_write, check_target
from molcaption.data.writers.parquet import ParquetWriter
from molcaption.data.writers.schema import OUTPUT_COLUMNS, ColumnChoice, own_columns
from molcaption.data.writers.sdf import MOL_KEY, SdfWriter
from molcaption.data.writers.text import DelimitedWriter, JsonlWriter, RowWriter, TsvWriter
from molcaption.errors import UsageError

__all__ = [
    "MOL_KEY",
    "OUTPUT_COLUMNS",
    "STDOUT",
    "WRITERS",
    "Writer",
    "atomic_write",
    "check_output",
    "check_target",
    "open_writer",
    "own_columns",
]

WRITERS: dict[str, Callable[[IO[bytes], ColumnChoice, dict[str, str]], RowWriter]] = {
    ".parquet": ParquetWriter,
    ".jsonl": JsonlWriter,
    ".csv": DelimitedWriter,
    ".tsv": TsvWriter,
    ".sdf": SdfWriter,
}
"""Writer of each suffix; the text formats allow a further ``.gz``."""


class Writer:
    """Takes rows until its `open_writer` block ends."""

    def __init__(self, path: str, rows: RowWriter) -> None:
        self._path, self._rows = path, rows

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Append ``rows``; the columns are those of the first rows.

        Raises:
            UsageError: ``--columns`` names a column that the rows do not have.
            CannotWriteError: disk full or gone.
        """
        with cannot_write(self._path):
            self._rows.write(rows)


@contextmanager
def open_writer(
    path: str | Path,
    *,
    columns: str | None = None,
    metadata: dict[str, str] | None = None,
    format: str | None = None,
) -> Iterator[Writer]:
    """A writer for ``path``, which appears when the block succeeds and not before.

    Args:
        path: the suffix names the format; "-" is standard output.
        columns: as in ``--columns id:ID,caption:description``; None means all.
        metadata: goes into the Parquet file; the text formats have no place for it.
        format: a key of `WRITERS` without dot; default: by suffix, JSON lines for "-".

    Raises:
        UsageError: unknown suffix, or ``columns`` is malformed.
        CannotWriteError: the folder is missing or read-only, the path is a folder, disk full.
    """
    suffix, compressed = check_output(path, format)
    choice = ColumnChoice(columns)
    with _open_stream(path) as raw:
        stream = cast(IO[bytes], gzip.GzipFile("", "wb", 6, raw, mtime=0)) if compressed else raw
        rows = WRITERS[suffix](stream, choice, metadata or {})
        try:
            yield Writer(str(path), rows)
            with cannot_write(path):
                rows.finish()
                if compressed:
                    stream.close()
        finally:
            abort = getattr(rows, "abort", None)
            if abort is not None:
                abort()


def check_output(path: str | Path, format: str | None = None) -> tuple[str, bool]:
    """Suffix of the format and whether to compress, without touching the file.

    Raises:
        UsageError: no format that is known, or one that cannot go there; names those that can.
    """
    known = ", ".join(WRITERS)
    to_stdout = str(path) == STDOUT
    name = Path(path).name.lower()
    compressed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if format is not None or to_stdout:
        suffix = "." + (format or "jsonl").lower().removeprefix(".")
    if suffix not in WRITERS:
        raise UsageError(f"{path}: unknown output format {suffix!r}; expected one of {known}")
    if suffix == ".parquet" and (compressed or to_stdout):
        raise UsageError(f"{path}: Parquet needs a file name that ends in .parquet")
    return suffix, compressed


@contextmanager
def _open_stream(path: str | Path) -> Iterator[IO[bytes]]:
    if str(path) != STDOUT:
        with atomic_write(path) as file:
            yield file
        return
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
