"""Whether an output is what the same command would write again.

A key over everything that decides the rows (contents of the inputs, options, version) is stored in
the output, so that a nightly job that finds last night's file, made from the same things, can stop.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from molcaption import __version__

KEY = "molcaption.key"
"""Name of the key in a Parquet file's metadata; the other formats have no place for it."""
_STDIN = "-"


def run_key(inputs: Sequence[str | Path], options: Mapping[str, Any]) -> str | None:
    """Hash of all that decides the rows of the output; None when an input is a stream."""
    if any(str(path) == _STDIN for path in inputs):
        return None
    digest = hashlib.sha256(json.dumps([__version__, dict(options)], sort_keys=True).encode())
    for path in inputs:
        digest.update(str(path).encode())
        with Path(path).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def stored_key(output: Path) -> str | None:
    """The key that ``output`` was written with; None if it has none or is no Parquet."""
    if output.suffix.lower() != ".parquet":
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(output).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    value = metadata.get(KEY.encode())
    return value.decode() if value else None
