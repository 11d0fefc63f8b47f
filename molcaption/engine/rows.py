"""Output rows: a record, its caption, and what the structure says about the caption's claims."""

from collections.abc import Iterator, Sequence
from typing import Any

from molcaption.chem.molecule import Molecule, Reject, inchikey
from molcaption.claims import Lexicon, check_caption
from molcaption.data.readers import has_own_columns
from molcaption.data.writers import MOL_KEY, OUTPUT_COLUMNS, own_columns
from molcaption.data.writers.schema import ColumnChoice
from molcaption.engine.runtimes import Generation

Row = dict[str, Any]


def make_rows(
    records: Sequence[Molecule | Reject],
    captions: Iterator[Generation],
    lexicon: Lexicon,
    format: str | None,
) -> list[Row]:
    """One row per record; ``captions`` holds one for every molecule among them, in order.

    Args:
        format: of the input, where the suffix does not say it.
    """
    return [
        {
            "record": record.record,
            "source": record.source,
            "id": record.id,
            **_content(record, captions, lexicon),
            **_properties(record, format),
        }
        for record in records
    ]


def check_columns(
    records: Sequence[Molecule | Reject], columns: str | None, format: str | None
) -> None:
    """Refuse a wrong ``--columns`` before an hour of captioning, not after."""
    ours = [name for name in OUTPUT_COLUMNS if name != "properties"]
    rows = [dict.fromkeys(ours) | _properties(record, format) for record in records]
    ColumnChoice(columns).apply(rows)


def _content(record: Molecule | Reject, captions: Iterator[Generation], lexicon: Lexicon) -> Row:
    """The columns from ``smiles`` to ``error``; a reject keeps its text as ``smiles``."""
    if isinstance(record, Reject):
        return {
            "smiles": record.text or None,
            "inchikey": None,
            "caption": None,
            "confidence": None,
            **check_caption(None, None, lexicon).columns(),
            "error": record.reason,
            MOL_KEY: None,
        }
    made = next(captions)
    return {
        "smiles": record.smiles,
        "inchikey": inchikey(record.mol),
        "caption": made.text,
        "confidence": made.confidence,
        **check_caption(record.mol, made.text, lexicon).columns(),
        "error": None,
        MOL_KEY: record.mol,
    }


def _properties(record: Molecule | Reject, format: str | None) -> Row:
    """A table's own columns by name, SD tags as one map."""
    if has_own_columns(record.source, format):
        return own_columns(record.properties)
    return {"properties": record.properties}
