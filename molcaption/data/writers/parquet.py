"""Parquet with zstd, written as the rows come, whatever types the user's own columns have.

Our columns have fixed types. A column of the user's gets the type of its first values; when later
values do not fit (JSON lines promise nothing), a new segment with a wider type begins, and the
segments are joined at the end: integers widen to floats, everything else to text.
"""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from molcaption.data.atomic import atomic_write
from molcaption.data.writers.schema import ColumnChoice
from molcaption.data.writers.values import to_text

Row = dict[str, Any]
_GROUP_ROWS, _GROUP_BYTES = 8192, 64 * 2**20


class ParquetWriter:
    """Rows as record batches, gathered into row groups of bounded size."""

    def __init__(self, stream: IO[bytes], choice: ColumnChoice, metadata: dict[str, str]) -> None:
        self._stream, self._choice = stream, choice
        self._metadata = {key.encode(): value.encode() for key, value in metadata.items()}
        self._fixed = choice.types()
        self._types: dict[str, pa.DataType] = {}
        self._segments: list[IO[bytes]] = []
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []

    def write(self, rows: list[Row]) -> None:
        """Append rows."""
        chosen = self._choice.apply(rows)
        if not chosen:
            return
        names = dict.fromkeys([*self._types, *(name for row in chosen for name in row)])
        arrays = {name: self._array(name, [row.get(name) for row in chosen]) for name in names}
        types = {name: array.type for name, array in arrays.items()}
        if types != self._types:
            self._begin_segment(types)
        self._held.append(pa.record_batch(list(arrays.values()), names=list(arrays)))
        if (
            sum(len(batch) for batch in self._held) >= _GROUP_ROWS
            or sum(batch.nbytes for batch in self._held) >= _GROUP_BYTES
        ):
            self._flush()

    def finish(self) -> None:
        """Write the footer, joining the segments if there are several."""
        if self._writer is None:
            self._begin_segment(self._fixed)
        self._end_segment()
        if len(self._segments) > 1:
            self._join()

    def abort(self) -> None:
        """Let go of the writer after a failure."""
        self._held = []
        if self._writer is not None:
            with contextlib.suppress(OSError, pa.ArrowException):  # the file is thrown away
                self._writer.close()
        for segment in self._segments[1:]:
            segment.close()

    def _array(self, name: str, values: list[Any]) -> pa.Array:
        if name in self._fixed:
            return _fixed_array(values, self._fixed[name])
        return _own_array(values, self._types.get(name, pa.null()))

    def _begin_segment(self, types: dict[str, pa.DataType]) -> None:
        self._end_segment()
        self._types = types
        file = self._stream
        if self._segments:
            file = tempfile.TemporaryFile(dir=self._folder())  # noqa: SIM115 (_join closes it)
        self._segments.append(file)
        schema = pa.schema(list(types.items()), metadata=self._metadata)
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")

    def _end_segment(self) -> None:
        if self._writer is not None:
            self._flush()
            self._writer.close()
            self._writer = None

    def _flush(self) -> None:
        if self._held and self._writer is not None:
            table = pa.Table.from_batches(self._held)
            self._writer.write_table(table.cast(self._writer.schema))
            self._held = []

    def _join(self) -> None:
        schema = pa.schema(list(self._types.items()), metadata=self._metadata)
        with tempfile.TemporaryFile(dir=self._folder()) as joined:
            with pq.ParquetWriter(joined, schema, compression="zstd") as writer:
                for segment in self._segments:
                    segment.seek(0)
                    for batch in pq.ParquetFile(segment).iter_batches():
                        writer.write_batch(_recast(batch, schema))
            for segment in self._segments[1:]:
                segment.close()
            joined.seek(0)
            self._stream.seek(0)
            self._stream.truncate()
            shutil.copyfileobj(joined, self._stream)

    def _folder(self) -> Path | None:
        name = getattr(self._stream, "name", None)
        return Path(name).parent if isinstance(name, str) else None


def unify(paths: Sequence[Path]) -> None:
    """Give files that hold one table in parts the same columns and types, as one file would have.

    Raises:
        CannotWriteError: one cannot be written again.
    """
    schemas = [pq.read_schema(path) for path in paths]
    types: dict[str, pa.DataType] = {}
    for field in itertools.chain.from_iterable(schemas):
        types[field.name] = _widened(field.type, types.get(field.name, pa.null()))
    for path, own in zip(paths, schemas, strict=True):
        schema = pa.schema(list(types.items()), metadata=own.metadata)
        if schema.equals(own):
            continue
        with (
            atomic_write(path) as stream,
            pq.ParquetFile(path) as file,
            pq.ParquetWriter(stream, schema, compression="zstd") as writer,
        ):
            for batch in file.iter_batches():
                writer.write_batch(_recast(batch, schema))


def _widened(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    try:
        return _unified(one, other)
    except pa.ArrowException:
        return pa.string()


def _fixed_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_map(kind):
        values = [
            None if value is None else [(str(k), to_text(v)) for k, v in dict(value).items()]
            for value in values
        ]
    elif pa.types.is_string(kind):
        values = [to_text(value) for value in values]
    return pa.array(values, type=kind)


def _own_array(values: list[Any], current: pa.DataType) -> pa.Array:
    """``values`` in the type ``current`` if they fit, else in the next wider type.

    The type is always inferred first: pyarrow would cut 2.5 to 2 to fit an integer column.
    """
    try:
        array = pa.array(values)
        if pa.types.is_null(array.type):
            return pa.nulls(len(values), current)
        return array.cast(_unified(array.type, current))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([to_text(value) for value in values], pa.string())


def _unified(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    schemas = [pa.schema([("column", kind)]) for kind in (one, other)]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0).type


def _recast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field in schema:
        if field.name not in batch.schema.names:
            columns.append(pa.nulls(len(batch), field.type))
            continue
        column = batch.column(field.name)
        text = pa.types.is_string(field.type) and not pa.types.is_null(column.type)
        columns.append(_as_text(column) if text else column.cast(field.type, safe=False))
    return pa.record_batch(columns, schema=schema)


def _as_text(array: pa.Array) -> pa.Array:
    return pa.array([to_text(value) for value in array.to_pylist()], pa.string())
