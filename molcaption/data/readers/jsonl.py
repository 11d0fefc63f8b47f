"""JSON lines: one object a line; the first object decides which keys hold what."""

import json
from collections.abc import Iterator
from typing import Any

from molcaption.data.readers.columns import ColumnRequest, Columns, choose_columns
from molcaption.data.readers.opening import as_text, open_text
from molcaption.data.readers.raw import RawRecord


def read_jsonl(path: str, request: ColumnRequest) -> Iterator[RawRecord]:
    """Each line that is not blank; a line that is no JSON object is a broken record."""
    columns: Columns | None = None
    with open_text(path) as text:
        for line in text:
            if not line.strip():
                continue
            row = _object(as_text(line))
            if isinstance(row, str):
                yield RawRecord("broken", row)
                continue
            columns = columns or choose_columns(list(row), request, path)
            yield columns.record(row)


def _object(line: str) -> dict[str, Any] | str:
    """The object on the line, or the reason why there is none."""
    try:
        value = json.loads(line)
    except RecursionError:
        return "the JSON is nested too deeply"
    except ValueError as error:
        return f"not JSON: {error}"
    return (
        value if isinstance(value, dict) else f"a JSON {type(value).__name__}, expected an object"
    )
