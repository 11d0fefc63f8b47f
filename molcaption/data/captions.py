"""Captions and descriptions by id, from the tables people keep them in.

A file of predictions needs an id and a text, nothing else; a column of SMILES is passed on as it
is, for chemical scores. TSV that is not validly quoted throughout is read without quoting, as the
field's prediction files are written. A `.txt` has no ids, so its line numbers stand in for
them.
"""

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from molcaption.data.readers.columns import SMILES_NAMES, find_column
from molcaption.errors import BadDataError, NoInputError, UsageError

Columns = list[list[Any]]


@dataclass(frozen=True)
class CaptionTable:
    """Texts by id, in file order. ``texts`` holds None where the file has a null.

    ``by_line`` says that the file has no ids and they are line numbers from 1. ``smiles`` are
    unparsed, None where a row has none; the whole is None where the file has no such column.
    """

    path: Path
    ids: list[str]
    texts: list[str | None]
    by_line: bool
    smiles: list[str | None] | None = None


@dataclass(frozen=True)
class _Wanted:
    """The columns to read; ``smiles`` None means one of the usual names, if it is there."""

    path: Path
    id: str
    text: str
    smiles: str | None

    def among(self, header: list[str]) -> list[str]:
        """Names of id, text and, if the file has them, SMILES.

        Raises:
            UsageError: no column of ids or of texts; names those that are there.
        """
        for name in (self.id, self.text):
            if name not in header:
                there = ", ".join(header)
                raise UsageError(f"{self.path}: no column {name!r}; the columns are {there}")
        if self.smiles is None:
            smiles = find_column(header, None, SMILES_NAMES, str(self.path))
        else:
            smiles = self.smiles if self.smiles in header else None
        return [self.id, self.text, *([smiles] if smiles else [])]


def read_captions(
    path: str | Path, id_column: str, text_column: str, smiles_column: str | None = None
) -> CaptionTable:
    """One text per id from a ``.parquet``, ``.tsv``, ``.csv``, ``.jsonl`` or ``.txt`` file.

    The text kinds may be gzipped (``.tsv.gz``). Ids become text, whatever their type. A file
    without ``smiles_column`` has no SMILES, which is no error; by default the usual names count.

    Raises:
        NoInputError: no such file, or nothing in it.
        UsageError: a suffix that is none of the above, or a column that is not there.
        BadDataError: a row cannot be read, or an id occurs twice.
    """
    path = Path(path)
    suffix = _suffix(path)
    if path.is_dir():
        raise NoInputError(f"{path}: is a directory, expected a file")
    if not path.is_file():
        raise NoInputError(f"{path}: no such file")
    if not path.stat().st_size:
        raise NoInputError(f"{path}: the file is empty")
    ids, texts, *smiles = READERS[suffix](_Wanted(path, id_column, text_column, smiles_column))
    if not ids:
        raise NoInputError(f"{path}: holds a header but no rows")
    table = CaptionTable(
        path,
        [_id(path, row, value, id_column) for row, value in enumerate(ids, 1)],
        [_text(path, row, value, text_column) for row, value in enumerate(texts, 1)],
        suffix == ".txt",
        [_smiles(value) for value in smiles[0]] if smiles else None,
    )
    _refuse_duplicates(table)
    return table


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    if suffix not in READERS or (suffix == ".parquet" and path.name.lower().endswith(".gz")):
        raise UsageError(f"{path}: expected a name ending in one of {', '.join(READERS)}")
    return suffix


def _id(path: Path, row: int, value: Any, column: str) -> str:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        raise BadDataError(f"{path}: row {row}: column {column!r} has no id; give every row one")
    return str(value)


def _text(path: Path, row: int, value: Any, column: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise BadDataError(
        f"{path}: row {row}: column {column!r} holds {value!r} ({type(value).__name__}), "
        "expected text or null"
    )


def _smiles(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _refuse_duplicates(table: CaptionTable) -> None:
    seen: set[str] = set()
    twice = list(dict.fromkeys(i for i in table.ids if i in seen or seen.add(i)))  # type: ignore[func-returns-value]
    if twice:
        raise BadDataError(
            f"{table.path}: {len(twice)} ids occur more than once: {some(twice)}; "
            "ids have to be unique, choose another id column or drop rows"
        )


def some(ids: list[str], limit: int = 5) -> str:
    """The first few ids, for an error line."""
    return ", ".join(ids[:limit]) + (", …" if len(ids) > limit else "")


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.name.lower().endswith(".gz") else data
        return data.decode("utf-8-sig")  # spreadsheets write a byte-order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadDataError(f"{path}:{line}: not UTF-8; convert the file to UTF-8") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadDataError(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise NoInputError(f"{path}: cannot be read: {error.strerror}") from error


def _lines(path: Path) -> list[str]:
    # Not str.splitlines: captions may contain U+2028 and other separators that end no row.
    lines = [line.removesuffix("\r") for line in _decoded(path).split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def _read_delimited(wanted: _Wanted, rows: list[list[str]]) -> Columns:
    if not rows:
        raise NoInputError(f"{wanted.path}: the file is empty")
    header, body = rows[0], rows[1:]
    places = [header.index(name) for name in wanted.among(header)]
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise BadDataError(
                f"{wanted.path}: record {number}: {len(row)} fields, expected {len(header)} as in "
                "the header"
            )
    return [[row[place] for row in body] for place in places]


def _read_csv(wanted: _Wanted) -> Columns:
    try:
        rows = _quoted_rows(_decoded(wanted.path), ",")
    except csv.Error as error:
        raise BadDataError(f"{wanted.path}: not a CSV file: {error}") from error
    return _read_delimited(wanted, rows)


def _read_tsv(wanted: _Wanted) -> Columns:
    try:
        rows = _quoted_rows(_decoded(wanted.path), "\t")
    except csv.Error:
        # The field's files quote nothing: a quote that opens a text there need not close a cell.
        rows = [line.split("\t") for line in _lines(wanted.path)]
    return _read_delimited(wanted, rows)


def _quoted_rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [row for row in rows if row]


def _read_jsonl(wanted: _Wanted) -> Columns:
    rows = []
    for number, line in enumerate(_lines(wanted.path), 1):
        if line.strip():
            rows.append((number, _json_object(wanted.path, number, line)))
    names = wanted.among(list(rows[0][1])) if rows else [wanted.id, wanted.text]
    for number, row in rows:
        if missing := [name for name in names[:2] if name not in row]:
            raise BadDataError(f"{wanted.path}:{number}: the object has no {missing[0]!r}")
    return [[row.get(name) for _, row in rows] for name in names]


def _json_object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadDataError(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadDataError(f"{path}:{number}: expected a JSON object, got {line[:40]!r}")
    return row


def _read_parquet(wanted: _Wanted) -> Columns:
    try:
        names = wanted.among(pq.read_schema(wanted.path).names)
        table = pq.read_table(wanted.path, columns=list(dict.fromkeys(names)))
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise BadDataError(f"{wanted.path}: cannot be read as Parquet: {line}") from error
    return [table[name].to_pylist() for name in names]


def _read_txt(wanted: _Wanted) -> Columns:
    lines = _lines(wanted.path)
    return [[str(number) for number in range(1, len(lines) + 1)], list(lines)]


READERS: dict[str, Callable[[_Wanted], Columns]] = {
    ".parquet": _read_parquet,
    ".tsv": _read_tsv,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".txt": _read_txt,
}
