"""The verb ``check``: adds the validity columns to a table of structures and captions.

For captions of any origin: the same columns that ``caption`` writes, computed from the structure
in the same row. A row whose structure does not parse gets ``mol_error`` and its reason.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molcaption import __version__
from molcaption.chem.molecule import Molecule, Reject
from molcaption.claims import check_caption, load_lexicon, settle
from molcaption.claims.lexicon import Lexicon
from molcaption.data.readers import read_molecules
from molcaption.data.windows import windows
from molcaption.data.writers import check_target, open_writer, own_columns

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows by what became of them; ``records`` is all of them."""

    records: int
    contradicted: int
    not_checkable: int
    mol_errors: int


def check(
    input: str | Path,
    output: str | Path,
    *,
    smiles_column: str | None = None,
    caption_column: str = "caption",
    lexicon: str | Path | None = None,
    format: str | None = None,
    limit: int | None = None,
) -> Summary:
    """Write the rows of ``input`` with the validity columns to ``output``.

    Args:
        input: a table with a SMILES and a caption column, or an SDF with a caption tag.
        output: the suffix chooses the format; "-" is standard output.
        lexicon: a user's lexicon, laid over the built-in one.

    Raises:
        NoInputError: a file is missing or empty.
        UsageError: a column is not there; names those that are.
        CannotWriteError: ``output`` is the input or cannot be written.
    """
    check_target(output, [input])
    concepts = settle(load_lexicon(lexicon))
    records = read_molecules(
        [input],
        format=format,
        smiles_column=smiles_column,
        description_column=caption_column,
        limit=limit,
    )
    counts = {"ok": 0, "contradicted": 0, "not_checkable": 0, "mol_error": 0}
    metadata = {
        "molcaption.version": __version__,
        "molcaption.lexicon": f"{concepts.version} {concepts.hash}",
    }
    rows = (_row(record, caption_column, concepts) for record in records)
    with open_writer(output, metadata=metadata) as writer:
        for part in windows(rows, ROWS_AT_ONCE):
            for row in part:
                counts[row["validity_status"]] += 1
            writer.write(part)
    return Summary(
        sum(counts.values()), counts["contradicted"], counts["not_checkable"], counts["mol_error"]
    )


def _row(record: Molecule | Reject, caption_column: str, lexicon: Lexicon) -> dict[str, Any]:
    smiles: str | None
    if isinstance(record, Molecule):
        mol, smiles, error = record.mol, record.smiles, None
        text = record.description
    else:
        mol, smiles, error = None, record.text or None, record.reason
        text = record.properties.get(caption_column)
    text = None if text is None else str(text)
    others = {key: value for key, value in record.properties.items() if key != caption_column}
    return {
        "record": record.record,
        "source": record.source,
        "id": record.id,
        "smiles": smiles,
        "caption": text,
        **check_caption(mol, text, lexicon).columns(),
        "error": error,
        **own_columns(others),
    }
