"""JSON lines and CSV/TSV, written to a binary stream as the rows come."""

import csv
import io
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any, Protocol

from molcaption.data.writers.schema import OUTPUT_COLUMNS, ColumnChoice
from molcaption.data.writers.values import to_json, to_text
from molcaption.errors import CannotWriteError

Row = dict[str, Any]


class RowWriter(Protocol):
    """What a format has to offer; the stream is opened and closed outside."""

    def write(self, rows: list[Row]) -> None:
        """Append rows."""

    def finish(self) -> None:
        """Write what is still held back."""


class JsonlWriter:
    """One JSON object a line, strict, UTF-8."""

    def __init__(self, stream: IO[bytes], choice: ColumnChoice, metadata: dict[str, str]) -> None:
        self._stream, self._choice = stream, choice

    def write(self, rows: list[Row]) -> None:
        """Append rows."""
        lines = "".join(to_json(row) + "\n" for row in self._choice.apply(rows))
        self._stream.write(lines.encode("utf-8"))

    def finish(self) -> None:
        """Nothing is held back."""


class DelimitedWriter:
    """CSV or TSV with a header; cells are quoted where needed, lists and structs are JSON.

    A column that first appears after the header was written makes a second pass at the end.
    """

    delimiter = ","

    def __init__(self, stream: IO[bytes], choice: ColumnChoice, metadata: dict[str, str]) -> None:
        self._stream, self._choice = stream, choice
        self._names: list[str] = []
        self._late: list[str] = []

    def write(self, rows: list[Row]) -> None:
        """Append rows."""
        chosen = self._choice.apply(rows)
        if not self._names and chosen:
            self._names = list(dict.fromkeys(name for row in chosen for name in row))
            self._write_cells([self._names])
        known = {*self._names, *self._late}
        self._late += dict.fromkeys(name for row in chosen for name in row if name not in known)
        names = self._names + self._late
        self._write_cells([[to_text(row.get(name)) or "" for name in names] for row in chosen])

    def finish(self) -> None:
        """Write the header of an empty table, or widen the table for late columns."""
        if not self._names:
            self._write_cells([list(self._choice.chosen or OUTPUT_COLUMNS)])
        elif self._late:
            self._widen()

    def _write_cells(self, rows: list[list[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerows(rows)
        self._stream.write(text.getvalue().encode("utf-8"))

    def _widen(self) -> None:
        if not (self._stream.seekable() and self._stream.readable()):
            raise CannotWriteError(
                f"the columns {', '.join(self._late)} appeared after the header was written: "
                "write to an uncompressed file, or choose columns with --columns"
            )
        self._stream.seek(0)
        with tempfile.TemporaryFile(dir=_folder(self._stream)) as copy:
            shutil.copyfileobj(self._stream, copy)
            copy.seek(0)
            self._stream.seek(0)
            self._stream.truncate()
            names = self._names + self._late
            text = io.TextIOWrapper(copy, encoding="utf-8", newline="")
            for number, row in enumerate(csv.reader(text, delimiter=self.delimiter)):
                self._write_cells([names if number == 0 else row + [""] * (len(names) - len(row))])
            text.detach()


class TsvWriter(DelimitedWriter):
    """Tab-separated."""

    delimiter = "\t"


def _folder(stream: IO[bytes]) -> Path | None:
    """Where the output grows: a copy of it fits there rather than in a small /tmp."""
    name = getattr(stream, "name", None)
    return Path(name).parent if isinstance(name, str) else None
