"""Any compound file as a stream of `Molecule` and `Reject`, one for every record.

A reader takes apart one family of formats and yields `RawRecord`; this module chooses the reader by
suffix, numbers the records over all files and parses them. A new format is one function and one
line in `READERS`. Nothing is loaded whole except pickles, which cannot be read otherwise.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from molcaption.chem.molecule import Molecule, Reject
from molcaption.data.readers.columns import ColumnRequest
from molcaption.data.readers.delimited import read_csv, read_tsv
from molcaption.data.readers.graphs import read_graphs
from molcaption.data.readers.inputs import Shard, expand
from molcaption.data.readers.jsonl import read_jsonl
from molcaption.data.readers.opening import STDIN, check_input
from molcaption.data.readers.parquet import read_parquet
from molcaption.data.readers.raw import RawRecord, parse_record
from molcaption.data.readers.sdf import read_sdf
from molcaption.data.readers.smiles import read_smiles
from molcaption.errors import BadDataError, NoInputError, UsageError

__all__ = ["READERS", "has_own_columns", "parse_record", "read_molecules", "read_records"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read; ``has_header`` None means: tables have one, SMILES files have none."""

    columns: ColumnRequest
    has_header: bool | None


Reader = Callable[[str, ReadOptions], Iterator[RawRecord]]


def _sdf(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_sdf(path)


def _smiles(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_smiles(path, bool(options.has_header))


def _csv(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_csv(path, options.columns, options.has_header is not False)


def _tsv(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_tsv(path, options.columns, options.has_header is not False)


def _jsonl(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_jsonl(path, options.columns)


def _parquet(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_parquet(path, options.columns)


def _graphs(path: str, options: ReadOptions) -> Iterator[RawRecord]:
    return read_graphs(path)


READERS: dict[str, Reader] = {
    ".sdf": _sdf,
    ".sd": _sdf,
    ".mol": _sdf,
    ".smi": _smiles,
    ".smiles": _smiles,
    ".txt": _smiles,
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
    ".pkl": _graphs,
    ".pickle": _graphs,
    ".pt": _graphs,
}
"""Reader of each suffix; a further ``.gz`` is allowed on all. ``format`` names one without dot."""

_OWN_COLUMNS = {_csv, _tsv, _jsonl, _parquet, _graphs}


def read_molecules(
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    description_column: str | None = None,
    has_header: bool | None = None,
    limit: int | None = None,
    shard: Shard | None = None,
) -> Iterator[Molecule | Reject]:
    """Every record of ``paths`` in order, numbered from 0 over all of them.

    Args:
        paths: files, folders and patterns; "-" is standard input and needs ``format``.
        format: a key of `READERS` without its dot, for all paths; default: by suffix.
        smiles_column, id_column, description_column: for tables; default: by common names.
        has_header: whether the first line is a header; default: tables yes, SMILES files no.
        limit: stop after this many records.
        shard: only this share of them.

    Raises:
        NoInputError: a file is missing, empty or without records.
        UsageError: an unknown suffix or format, or a column that is not there.
        BadDataError: a file cannot be read as what it is; says how many records were.
    """
    raws = read_records(
        paths,
        format=format,
        smiles_column=smiles_column,
        id_column=id_column,
        description_column=description_column,
        has_header=has_header,
        limit=limit,
        shard=shard,
    )
    return map(parse_record, raws)


def read_records(
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    description_column: str | None = None,
    has_header: bool | None = None,
    limit: int | None = None,
    shard: Shard | None = None,
) -> Iterator[RawRecord]:
    """As `read_molecules`, without the chemistry: for parsing in other processes."""
    request = ColumnRequest(smiles_column, id_column, description_column)
    options = ReadOptions(request, has_header)
    files = expand(paths, READERS)
    sources = [(path, find_reader(path, format)) for path in files]
    for source, _ in sources:
        check_input(source)
    number = 0
    for source, reader in sources:
        for raw in _records_of(source, reader, options):
            if limit is not None and number >= limit:
                return
            raw.record, raw.source = number, source
            number += 1
            if shard is None or raw.record % shard[1] == shard[0]:
                yield raw


def find_reader(path: str | Path, format: str | None = None) -> Reader:
    """The reader for ``path``.

    Raises:
        UsageError: no suffix or format that is known; names those that are.
    """
    known = ", ".join(suffix[1:] for suffix in READERS)
    if format is not None:
        key = "." + format.lower().removeprefix(".").removesuffix(".gz")
        if key not in READERS:
            raise UsageError(f"unknown format {format!r}; the formats are {known}")
        return READERS[key]
    if str(path) == STDIN:
        raise UsageError(f"-: say what standard input holds with --format: {known}")
    name = Path(path).name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    if suffix not in READERS:
        raise UsageError(f"{path}: unknown suffix {suffix!r}; --format can be {known}")
    return READERS[suffix]


def has_own_columns(path: str | Path, format: str | None = None) -> bool:
    """Whether the file is a table, whose columns are passed through, rather than SD tags."""
    return find_reader(path, format) in _OWN_COLUMNS


def _records_of(source: str, reader: Reader, options: ReadOptions) -> Iterator[RawRecord]:
    read = 0
    try:
        for raw in reader(source, options):
            yield raw
            read += 1
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadDataError(
            f"{source}: truncated or damaged gzip after {read} records: {error}"
        ) from error
    except OSError as error:
        raise NoInputError(f"{source}: reading failed after {read} records: {error}") from error
    if read == 0:
        raise NoInputError(f"{source}: the file holds no records")
