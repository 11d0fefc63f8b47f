"""Parquet, batch by batch through pyarrow; values keep their types."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from molcaption.data.readers.columns import ColumnRequest, choose_columns
from molcaption.data.readers.opening import STDIN
from molcaption.data.readers.raw import RawRecord
from molcaption.errors import BadDataError, UsageError

_BATCH_ROWS = 1024


def read_parquet(path: str, request: ColumnRequest) -> Iterator[RawRecord]:
    """Each row of the file.

    Raises:
        BadDataError: not Parquet, or damaged; says how many records were read before.
        UsageError: standard input, which cannot be read from its end.
    """
    if path == STDIN:
        raise UsageError("-: Parquet cannot be read from standard input: give a file")
    records = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = choose_columns(file.schema_arrow.names, request, path)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    yield columns.record(row)
                    records += 1
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadDataError(
            f"{path}: not a sound Parquet file after {records} records: {reason[:200]}"
        ) from error
