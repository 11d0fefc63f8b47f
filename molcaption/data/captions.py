"""Captions and descriptions by id, from the tables people keep them in.

Molecules are not looked at here: a file of predictions needs an id and a text, nothing else. TSV
that is not validly quoted throughout is read without quoting, as the field's prediction files are
written. A `.txt` has no ids, so its line numbers stand in for them.
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

from molcaption.errors import BadDataError, NoInputError, UsageError

Columns = tuple[list[Any], list[Any]]


@dataclass(frozen=True)
class CaptionTable:
    """Texts by id, in file order. ``texts`` holds None where the file has a null.

    ``by_line`` says that the file has no ids and they are line numbers from 1.
    """

    path: Path
    ids: list[str]
    texts: list[str | None]
    by_line: bool


def read_captions(path: str | Path, id_column: str, text_column: str) -> CaptionTable:
    """One text per id from a ``.parquet``, ``.tsv``, ``.csv``, ``.jsonl`` or ``.txt`` file.

    The text kinds may be gzipped (``.tsv.gz``). Ids become text, whatever their type.

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
    ids, texts = READERS[suffix](path, id_column, text_column)
    if not ids:
        raise NoInputError(f"{path}: holds a header but no rows")
    table = CaptionTable(
        path,
        [_id(path, row, value, id_column) for row, value in enumerate(ids, 1)],
        [_text(path, row, value, text_column) for row, value in enumerate(texts, 1)],
        suffix == ".txt",
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


def _places(path: Path, header: list[str], *names: str) -> list[int]:
    for name in names:
        if name not in header:
            raise UsageError(f"{path}: no column {name!r}; the columns are {', '.join(header)}")
    return [header.index(name) for name in names]


def _read_delimited(path: Path, rows: list[list[str]], *names: str) -> Columns:
    header, body = rows[0], rows[1:]
    i, t = _places(path, header, *names)
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise BadDataError(
                f"{path}: record {number}: {len(row)} fields, expected {len(header)} as in the "
                "header"
            )
    return [row[i] for row in body], [row[t] for row in body]


def _read_csv(path: Path, id_column: str, text_column: str) -> Columns:
    try:
        rows = _quoted_rows(_decoded(path), ",")
    except csv.Error as error:
        raise BadDataError(f"{path}: not a CSV file: {error}") from error
    return _read_delimited(path, rows, id_column, text_column)


def _read_tsv(path: Path, id_column: str, text_column: str) -> Columns:
    try:
        rows = _quoted_rows(_decoded(path), "\t")
    except csv.Error:
        # The field's files quote nothing: a quote that opens a text there need not close a cell.
        rows = [line.split("\t") for line in _lines(path)]
    return _read_delimited(path, rows, id_column, text_column)


def _quoted_rows(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [row for row in rows if row]


def _read_jsonl(path: Path, id_column: str, text_column: str) -> Columns:
    ids: list[Any] = []
    texts: list[Any] = []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadDataError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise BadDataError(f"{path}:{number}: expected a JSON object, got {line[:40]!r}")
        if not ids:
            _places(path, list(row), id_column, text_column)
        try:
            ids.append(row[id_column])
            texts.append(row[text_column])
        except KeyError as error:
            raise BadDataError(f"{path}:{number}: the object has no {error}") from error
    return ids, texts


def _read_parquet(path: Path, id_column: str, text_column: str) -> Columns:
    try:
        names = pq.read_schema(path).names
        _places(path, names, id_column, text_column)
        table = pq.read_table(path, columns=[id_column, text_column])
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise BadDataError(f"{path}: cannot be read as Parquet: {line}") from error
    return table[id_column].to_pylist(), table[text_column].to_pylist()


def _read_txt(path: Path, id_column: str, text_column: str) -> Columns:
    lines = _lines(path)
    return [str(number) for number in range(1, len(lines) + 1)], list(lines)


READERS: dict[str, Callable[[Path, str, str], Columns]] = {
    ".parquet": _read_parquet,
    ".tsv": _read_tsv,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".txt": _read_txt,
}
