"""The columns of an output file, their types, and which of them a user chose.

Columns of the input's own table follow after ``error`` under their own names. Where a name
clashes with one of ours, ours keeps it and the user's becomes ``input_NAME``: scripts find
``caption`` where they expect it, and nothing is lost.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from molcaption.errors import UsageError

CLAIM_TYPE = pa.struct(
    [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("concept", pa.string()),
        ("polarity", pa.string()),
        ("scope", pa.string()),
        ("expected", pa.string()),
        ("found", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("strength", pa.string()),
        ("confidence", pa.float64()),
    ]
)

OUTPUT_COLUMNS: dict[str, pa.DataType] = {
    "record": pa.int64(),
    "source": pa.string(),
    "id": pa.string(),
    "smiles": pa.string(),
    "inchikey": pa.string(),
    "caption": pa.string(),
    "confidence": pa.float64(),
    "validity_status": pa.string(),
    "validity_score": pa.float64(),
    "validity_bits": pa.float64(),
    "n_claims": pa.int64(),
    "n_checkable": pa.int64(),
    "n_supported": pa.int64(),
    "n_contradicted": pa.int64(),
    "groups_mentioned": pa.list_(pa.string()),
    "groups_supported": pa.list_(pa.string()),
    "groups_contradicted": pa.list_(pa.string()),
    "groups_unchecked": pa.list_(pa.string()),
    "claims": pa.list_(CLAIM_TYPE),
    "error": pa.string(),
    "properties": pa.map_(pa.string(), pa.string()),
}
"""Name and Parquet type of every column that is ours, in the order of the output."""


def own_columns(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An input table's columns under the names they get in the output (see the module)."""
    return {output_name(name, properties): value for name, value in properties.items()}


def output_name(name: str, names: Iterable[str], ours: Iterable[str] = OUTPUT_COLUMNS) -> str:
    """``name``, or ``input_name`` (as often as needed) if one of ``ours`` has that name."""
    free = name
    while free in ours or free.startswith("_") or (free != name and free in names):
        free = f"input_{free}"
    return free


def parse_columns(text: str | None) -> dict[str, str] | None:
    """``id:ID,caption`` as ``{"id": "ID", "caption": "caption"}``; None means all columns.

    Raises:
        UsageError: an empty name, or one name for two columns.
    """
    if text is None:
        return None
    chosen: dict[str, str] = {}
    for part in text.split(","):
        column, _, name = part.strip().partition(":")
        name = name.strip() or column.strip()
        if not name or not column.strip() or column.strip() in chosen:
            raise UsageError(f"--columns {text!r}: expected NAME or NAME:NEW_NAME, each once")
        chosen[column.strip()] = name
    if len(set(chosen.values())) < len(chosen):
        raise UsageError(f"--columns {text!r}: two columns get the same name")
    return chosen


class ColumnChoice:
    """Applies ``--columns`` to rows; all columns (but private ``_`` ones) without it."""

    def __init__(self, text: str | None) -> None:
        self.chosen = parse_columns(text)
        self._seen = False

    def types(self) -> dict[str, pa.DataType]:
        """Types by output name of the columns that are ours and chosen."""
        if self.chosen is None:
            return dict(OUTPUT_COLUMNS)
        return {
            name: OUTPUT_COLUMNS[column]
            for column, name in self.chosen.items()
            if column in OUTPUT_COLUMNS
        }

    def apply(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with the chosen columns under their new names.

        Raises:
            UsageError: a chosen column is in none of the first rows; names those that are.
        """
        if self.chosen is None:
            return [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows]
        if not self._seen and rows:
            self._check(rows)
        return [{name: row.get(column) for column, name in self.chosen.items()} for row in rows]

    def _check(self, rows: list[dict[str, Any]]) -> None:
        there = {name: None for row in rows for name in row if not name.startswith("_")}
        for column in self.chosen or ():
            if column not in there:
                raise UsageError(
                    f"--columns: no column {column!r}; the columns are {', '.join(there)}"
                )
        self._seen = True
