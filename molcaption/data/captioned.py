"""Molecules with descriptions, out of any compound file, to copy or to learn from."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from molcaption.chem.molecule import Molecule
from molcaption.data.prose import CHEBI, in_style
from molcaption.data.readers import read_molecules
from molcaption.errors import BadDataError

_log = logging.getLogger(__name__)


def read_captioned(
    path: str | Path,
    styles: Sequence[str] | None = None,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    description_column: str | None = None,
) -> list[Molecule]:
    """The molecules of a file that have a description; the others are counted in the log.

    Args:
        styles: only rows whose ``style`` column is one of these, or whose text is ChEBI's prose if
            `CHEBI` is one (see `in_style`).

    Raises:
        BadDataError: no row has a description, or none is of the styles.
    """
    read = list(
        read_molecules(
            [path],
            smiles_column=smiles_column,
            id_column=id_column,
            description_column=description_column,
        )
    )
    molecules = [r for r in read if isinstance(r, Molecule) and (r.description or "").strip()]
    if not molecules:
        raise BadDataError(f"{path}: none of {len(read)} records has a molecule and a description")
    if len(molecules) < len(read):
        _log.warning("%s: %d records left out", path, len(read) - len(molecules))
    if not styles:
        return molecules
    there = {str(m.properties["style"]) for m in molecules if "style" in m.properties}
    if unknown := sorted(set(styles) - there - {CHEBI}):
        raise BadDataError(
            f"{path}: no row of style {', '.join(unknown)}; "
            f"there are {', '.join(sorted(there)) or 'none (no style column)'}"
        )
    texts = [
        in_style(m.description or "", str(m.properties.get("style")), styles) for m in molecules
    ]
    return [
        replace(m, description=t) for m, t in zip(molecules, texts, strict=True) if t is not None
    ]
