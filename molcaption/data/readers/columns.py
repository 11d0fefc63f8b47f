"""Which columns of a table hold the SMILES, the id and the description, and rows made of them.

Names are compared without case and with blanks and hyphens as underscores. All columns but the id
stay in the record's properties as they are, the SMILES as it was written included: a user joins on
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from molcaption.data.readers.raw import RawRecord
from molcaption.errors import UsageError

SMILES_NAMES = (
    "smiles", "canonical_smiles", "canonicalsmiles", "isomeric_smiles", "isomericsmiles",
    "isosmiles", "connectivity_smiles", "rdkit_smiles", "smi", "molecule", "structure", "mol",
)  # fmt: skip
ID_NAMES = (
    "id", "cid", "compound_id", "molecule_id", "mol_id", "chembl_id", "molecule_chembl_id",
    "pubchem_cid", "chebi_id", "zinc_id", "drugbank_id", "accession", "name", "title",
)  # fmt: skip
DESCRIPTION_NAMES = ("description", "reference")


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """The columns a user asked for by name; None leaves the choice to us."""

    smiles: str | None = None
    id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns found; only the SMILES is sure to be there."""

    smiles: str
    id: str | None
    description: str | None

    def record(self, row: Mapping[str, Any]) -> RawRecord:
        """One row as a record; the mapping's values keep their types."""
        properties = {name: value for name, value in row.items() if name != self.id}
        identifier = row.get(self.id) if self.id else None
        description = row.get(self.description) if self.description else None
        raw = RawRecord(
            kind="broken",
            payload=f"the record has no {self.smiles!r}",
            id="" if identifier is None else str(identifier),
            description=None if description is None else str(description),
            properties=properties,
        )
        if self.smiles not in row:
            return raw
        smiles = row[self.smiles]
        if isinstance(smiles, bytes):
            smiles = smiles.decode("latin-1")
        if smiles is not None and not isinstance(smiles, str):
            raw.payload = f"{self.smiles!r} holds a {type(smiles).__name__}, expected a SMILES"
        else:
            raw.kind, raw.payload = "smiles", smiles or ""
        return raw


def choose_columns(names: Sequence[str], request: ColumnRequest, source: str) -> Columns:
    """Find the columns among ``names``.

    Raises:
        UsageError: a column asked for is not there, or none looks like SMILES; names them all.
    """
    smiles = find_column(names, request.smiles, SMILES_NAMES, source)
    if smiles is None:
        raise UsageError(
            f"{source}: no column of SMILES found; the columns are {_list(names)}: "
            "name one with --smiles-column"
        )
    others = [name for name in names if name != smiles]
    return Columns(
        smiles,
        find_column(others, request.id, ID_NAMES, source),
        find_column(others, request.description, DESCRIPTION_NAMES, source),
    )


def find_column(
    names: Sequence[str], wanted: str | None, known: Sequence[str], source: str
) -> str | None:
    """The column called ``wanted`` or, if None, the first of the ``known`` names; None if none is.

    Raises:
        UsageError: ``wanted`` is not there; names those that are.
    """
    if wanted in names:
        return wanted
    by_key = {_key(name): name for name in reversed(names)}
    if wanted is not None:
        if _key(wanted) in by_key:
            return by_key[_key(wanted)]
        raise UsageError(f"{source}: no column {wanted!r}; the columns are {_list(names)}")
    return next((by_key[key] for key in known if key in by_key), None)


def _key(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
