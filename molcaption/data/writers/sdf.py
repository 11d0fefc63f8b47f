"""SD files: the record's own mol block and tags, and ours after them in capitals.

A molecule that came from an SD file keeps its mol block to the letter (coordinates, hydrogens,
title). Others get 2D coordinates, without which a mol block cannot hold stereo. A reject becomes a
record without atoms that says why in ``ERROR``. A tag of the user's that has the name of one of
ours becomes ``input_NAME``.
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from rdkit import Chem
from rdkit.Chem import rdDepictor

from molcaption.data.readers.raw import MOLBLOCK_PROPERTY
from molcaption.data.writers.schema import OUTPUT_COLUMNS, ColumnChoice, output_name
from molcaption.data.writers.values import clean, to_text

Row = dict[str, Any]
MOL_KEY = "_mol"
"""Key of a row that holds its `Chem.Mol`; other formats leave it out."""

_EMPTY = "\n     molcaption\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"


class SdfWriter:
    """One SD record a row."""

    def __init__(self, stream: IO[bytes], choice: ColumnChoice, metadata: dict[str, str]) -> None:
        self._stream, self._choice = stream, choice

    def write(self, rows: list[Row]) -> None:
        """Append rows; the molecule is under `MOL_KEY`."""
        for row, chosen in zip(rows, self._choice.apply(rows), strict=True):
            tags = _capitals(chosen) if self._choice.chosen is None else chosen
            record = mol_block(row.get(MOL_KEY), str(row.get("id") or "")) + _tags(tags)
            self._stream.write((clean(record) + "$$$$\n").encode("utf-8"))

    def finish(self) -> None:
        """Nothing is held back."""


def mol_block(mol: Chem.Mol | None, title: str) -> str:
    """The block as it was read, or a new one with 2D coordinates and ``title``."""
    if mol is None:
        return _one_line(title) + _EMPTY
    if mol.HasProp(MOLBLOCK_PROPERTY):
        return str(mol.GetProp(MOLBLOCK_PROPERTY)).rstrip("\n") + "\n"
    mol = Chem.Mol(mol)
    if not mol.GetNumConformers():
        rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", _one_line(title))
    return str(Chem.MolToMolBlock(mol))


def _capitals(row: Row) -> Row:
    """Our columns in capitals after the user's own tags and columns."""
    ours = {name.upper(): value for name, value in row.items() if name in OUTPUT_COLUMNS}
    ours.pop("PROPERTIES", None)
    own = {name: value for name, value in row.items() if name not in OUTPUT_COLUMNS}
    tags = dict(row.get("properties") or {}) | own
    return {output_name(name, tags, ours): value for name, value in tags.items()} | ours


def _tags(row: Row) -> str:
    lines = []
    for name, value in row.items():
        text = to_text(value)
        if isinstance(value, Mapping) and not value:
            continue
        if text is not None:
            lines.append(f">  <{_one_line(name).replace('<', '_').replace('>', '_')}>\n")
            lines.append(_safe(text) + "\n\n")
    return "".join(lines)


def _safe(value: str) -> str:
    """A blank line would end the value and ``$$$$`` the record: a space in front prevents both."""
    lines = re.split(r"\r\n|\r|\n", value)
    return "\n".join(" " + line if not line or line.startswith("$$$$") else line for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split()) if any(sign in text for sign in "\r\n") else text
