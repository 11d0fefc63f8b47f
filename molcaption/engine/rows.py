"""Output rows: a record, its caption, and what the structure says about the caption's claims."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rdkit import Chem

from molcaption.chem.molecule import Molecule, Record, Reject, inchikey
from molcaption.claims import Lexicon, check_caption
from molcaption.data.readers import has_own_columns
from molcaption.data.readers.raw import RawRecord
from molcaption.data.writers import MOL_KEY, OUTPUT_COLUMNS, own_columns
from molcaption.data.writers.schema import ColumnChoice
from molcaption.engine.runtimes import Generation
from molcaption.workers import Lost, Workers

Row = dict[str, Any]


def make_rows(
    records: Sequence[Record],
    captions: Iterable[Generation | Lost],
    lexicon: Lexicon,
    format: str | None,
) -> list[Row]:
    """One row per record; ``captions`` holds one for every molecule among them, in order.

    Args:
        format: of the input, where the suffix does not say it.
    """
    return begin_rows(records, captions, lexicon, format, Workers(0, lambda: lexicon))()


def begin_rows(
    records: Sequence[Record],
    captions: Iterable[Generation | Lost],
    lexicon: Lexicon,
    format: str | None,
    workers: Workers[Lexicon],
) -> Callable[[], list[Row]]:
    """Have the captions checked; what is returned waits for that and makes the rows."""
    waiting = iter(captions)
    pairs = [(r, next(waiting)) if isinstance(r, Molecule) else (r, None) for r in records]
    texts = [
        (record.mol, made.text)
        for record, made in pairs
        if isinstance(record, Molecule) and isinstance(made, Generation)
    ]
    checked = workers.submit(judge, texts, urgent=True)

    def finish() -> list[Row]:
        results = iter(checked.results())
        rows = []
        for record, made in pairs:
            judged = next(results) if isinstance(made, Generation) else made
            content = _content(record, made, judged, lexicon)
            common = {"record": record.record, "source": record.source, "id": record.id}
            rows.append({**common, **content, **_properties(record, format)})
        return rows

    return finish


def judge(question: tuple[Chem.Mol, str], lexicon: Lexicon) -> Row:
    """What is computed of a molecule and its caption for the output."""
    mol, caption = question
    return {"inchikey": inchikey(mol), **check_caption(mol, caption, lexicon).columns()}


def check_columns(
    records: Sequence[Record | RawRecord], columns: str | None, format: str | None
) -> None:
    """Refuse a wrong ``--columns`` before an hour of captioning, not after."""
    ours = [name for name in OUTPUT_COLUMNS if name != "properties"]
    rows = [dict.fromkeys(ours) | _properties(record, format) for record in records]
    ColumnChoice(columns).apply(rows)


def _content(
    record: Record, made: Generation | Lost | None, judged: Row | Lost | None, lexicon: Lexicon
) -> Row:
    """The columns from ``smiles`` to ``error``."""
    if isinstance(record, Reject):
        return _rejected(record.text, record.reason, lexicon)
    if isinstance(judged, Lost):
        return _rejected(record.smiles, judged.reason, lexicon)
    assert (
        isinstance(made, Generation) and judged is not None
    )  # a molecule that nothing was lost on
    return {
        "smiles": record.smiles,
        "inchikey": judged.pop("inchikey"),
        "caption": made.text,
        "confidence": made.confidence,
        **judged,
        "error": None,
        MOL_KEY: record.mol,
    }


def _rejected(text: str, reason: str, lexicon: Lexicon) -> Row:
    """What can be said of no molecule; ``text`` stands in for its SMILES."""
    return {
        "smiles": text or None,
        "inchikey": None,
        "caption": None,
        "confidence": None,
        **check_caption(None, None, lexicon).columns(),
        "error": reason,
        MOL_KEY: None,
    }


def _properties(record: Record | RawRecord, format: str | None) -> Row:
    """A table's own columns by name, SD tags as one map."""
    if has_own_columns(record.source, format):
        return own_columns(record.properties)
    return {"properties": record.properties}
