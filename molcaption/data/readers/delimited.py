"""CSV and TSV, row by row, with quotes; a quote that never closes costs one row, not the file.

The csv module reads on to the end of the file for a missing closing quote. Here a row that has not
ended after `MAX_LINES` lines is given up: its first line becomes a reject and reading goes on with
the second.
"""

import csv
import sys
from collections import deque
from collections.abc import Iterator

from molcaption.data.readers.columns import ColumnRequest, Columns, choose_columns
from molcaption.data.readers.opening import as_text, open_text
from molcaption.data.readers.raw import RawRecord

MAX_LINES = 1000
"""Most lines of one row: far beyond any real cell with line breaks."""

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read_csv(path: str, request: ColumnRequest, has_header: bool = True) -> Iterator[RawRecord]:
    """Comma-separated, or by tab or semicolon if the first line has those and no comma."""
    return _read(path, request, has_header, "")


def read_tsv(path: str, request: ColumnRequest, has_header: bool = True) -> Iterator[RawRecord]:
    """Tab-separated."""
    return _read(path, request, has_header, "\t")


def _read(
    path: str, request: ColumnRequest, has_header: bool, delimiter: str
) -> Iterator[RawRecord]:
    with open_text(path, newline="") as text:
        first = text.readline()
        rows = _rows(_Lines(first, text), delimiter or _guess_delimiter(first))
        names: list[str] = []
        columns: Columns | None = None
        for row in rows:
            if columns is None:
                names, columns = _header(row, request, has_header, path)
                if has_header:
                    continue
            yield _record(row, names, columns)


def _header(
    row: list[str] | str, request: ColumnRequest, has_header: bool, path: str
) -> tuple[list[str], Columns]:
    """Column names: the first row, or ``1``, ``2`` … with the SMILES first and then the id."""
    row = row if isinstance(row, list) else [row]
    if has_header:
        names = _unique([name.strip() for name in row])
        return names, choose_columns(names, request, path)
    names = [str(number) for number in range(1, len(row) + 1)]
    second = request.id or ("2" if len(names) > 1 and request.smiles in (None, "1") else None)
    wanted = ColumnRequest(request.smiles or "1", second, request.description)
    return names, choose_columns(names, wanted, path)


def _record(row: list[str] | str, names: list[str], columns: Columns) -> RawRecord:
    if isinstance(row, str):
        return RawRecord("broken", row)
    if len(row) != len(names):
        reason = f"the row has {len(row)} cells, expected {len(names)}"
        raw = columns.record(dict(zip(names, row, strict=False)))
        return RawRecord("broken", reason, raw.id, None, raw.properties)
    return columns.record(dict(zip(names, row, strict=True)))


class _Lines:
    """Feeds lines to `csv.reader` and remembers those of the current row."""

    def __init__(self, first: str, rest: Iterator[str]) -> None:
        self._waiting = deque([first] if first else [])
        self._rest = rest
        self.row: list[str] = []
        self.unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) >= MAX_LINES:
            self.unclosed = True
            raise StopIteration
        line = self._waiting.popleft() if self._waiting else next(self._rest, None)
        if line is None:
            self.unclosed = bool(self.row)  # csv asks for more only inside quotes
            raise StopIteration
        self.row.append(line)
        return line

    def give_up_row(self) -> None:
        """Put all lines of the row but the first back."""
        self._waiting.extendleft(reversed(self.row[1:]))
        self.row, self.unclosed = [], False


def _rows(lines: _Lines, delimiter: str) -> Iterator[list[str] | str]:
    """Cells of each row, or the reason why a row has none; blank lines are no rows."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.row = []
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield f"the row cannot be read: {error}"
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if lines.unclosed:
            lines.give_up_row()
            yield "a quote is opened and never closed"
            reader = csv.reader(lines, delimiter=delimiter)
        elif cells is None:
            return
        elif cells:
            yield [as_text(cell) for cell in cells]


def _guess_delimiter(line: str) -> str:
    if "," not in line:
        return next((sign for sign in "\t;" if sign in line), ",")
    return ","


def _unique(names: list[str]) -> list[str]:
    """A name that comes twice gets ``_2``, so that no column hides another."""
    unique: list[str] = []
    for name in names:
        free, number = name, 2
        while free in unique:
            free, number = f"{name}_{number}", number + 1
        unique.append(free)
    return unique
