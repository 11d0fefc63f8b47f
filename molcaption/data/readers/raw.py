"""One record as it stands in the file, before any chemistry.

Readers only split files into `RawRecord`; `parse_record` does the chemistry. The two are apart so
that parsing (the expensive half) can run in other processes: both ends are picklable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from rdkit import Chem

from molcaption.chem.molecule import (
    InvalidMolecule,
    Molecule,
    Reject,
    canonical_smiles,
    parse_molblock,
    parse_smiles,
    plain_mol,
)
from molcaption.chem.rebuild import mol_from_graph

Kind = Literal["smiles", "molblock", "graph", "mol", "broken"]

MOLBLOCK_PROPERTY = "_source_molblock"
"""Private RDKit property with the record's mol block as it was read, coordinates included."""


@dataclass(slots=True)
class RawRecord:
    """What a reader found; `record` and `source` are filled in by `read_records`.

    Attributes:
        kind: what ``payload`` is: SMILES, mol block, a tuple (x, edge_index, edge_attr), RDKit's
            molecule, or, for a record that cannot even be split into fields, the reason.
    """

    kind: Kind
    payload: Any
    id: str = ""
    description: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    record: int = 0
    source: str = ""

    def weight(self) -> int:
        """Its text in bytes, more or less."""
        texts = [self.payload, *self.properties.values()]
        return sum(len(text) for text in texts if isinstance(text, str | bytes))


Parsed = tuple[Chem.Mol, str]
"""A molecule and its canonical SMILES."""


def parse_record(raw: RawRecord) -> Molecule | Reject:
    """Make the molecule, or the reject that says why not; never raises for bad chemistry."""
    return with_chemistry(raw, parse_payload((raw.kind, raw.payload)))


def parse_payload(content: tuple[Kind, Any], _: object = None) -> Parsed | str:
    """The chemistry of a record's ``kind`` and ``payload``, or the reason why there is none."""
    kind, payload = content
    try:
        mol = _PARSERS[kind](payload)
        return mol, canonical_smiles(mol)
    except InvalidMolecule as error:
        return str(error)


def with_chemistry(raw: RawRecord, parsed: Parsed | str) -> Molecule | Reject:
    """The record with what `parse_payload` made of it."""
    if isinstance(parsed, str):
        text = raw.payload if raw.kind == "smiles" else ""
        return Reject(raw.record, raw.source, raw.id, parsed, text, raw.properties)
    mol, smiles = parsed
    return Molecule(raw.record, raw.source, raw.id, mol, smiles, raw.description, raw.properties)


def _from_molblock(block: str) -> Chem.Mol:
    mol = parse_molblock(block)
    mol.SetProp(MOLBLOCK_PROPERTY, block)
    return mol


def _from_graph(arrays: tuple[Any, Any, Any]) -> Chem.Mol:
    return mol_from_graph(*arrays)


def _broken(reason: str) -> Chem.Mol:
    raise InvalidMolecule(reason)


_PARSERS: dict[Kind, Callable[[Any], Chem.Mol]] = {
    "smiles": parse_smiles,
    "molblock": _from_molblock,
    "graph": _from_graph,
    "mol": plain_mol,
    "broken": _broken,
}
