"""Which atoms mattered, as a picture that stands alone: a disc behind each atom, with its number.

A disc's area, its darkness and the number beside it say the same thing, so the picture is read in
grey too. Blue is what the caption loses when the atom is hidden; orange, with a minus sign, what it
gains. RDKit draws, on white: the file is looked at on its own, not in a page with a style sheet.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

_WIDTH, _HEIGHT = 720, 540
_BLUE, _ORANGE = (0.40, 0.67, 0.95), (0.97, 0.66, 0.31)  # black letters can be read on both
_LARGEST = 0.55  # radius in ångström: discs of neighbours barely touch
_NUMBERED = 0.1
"""Atoms of less than this share of the largest value carry no number: they would hide the rest."""
_NAMED = 5
"""How many atoms the title names, for who hears the picture read."""
_LEGEND = "log-probability (nats) that the caption loses when an atom is hidden"


def draw_importance(mol: Chem.Mol, losses: Sequence[float]) -> str:
    """The molecule as an SVG file.

    Args:
        losses: for each atom, in nats: [N].

    Raises:
        ValueError: RDKit cannot lay the molecule out.
    """
    largest = max(map(abs, losses)) or 1.0
    shares = {i: loss / largest for i, loss in enumerate(losses) if loss}
    mol = Chem.Mol(mol)
    for i, share in shares.items():
        if abs(share) >= _NUMBERED:
            mol.GetAtomWithIdx(i).SetProp("atomNote", f"{losses[i]:.1f}")
    canvas = rdMolDraw2D.MolDraw2DSVG(_WIDTH, _HEIGHT)
    options: Any = canvas.drawOptions()  # RDKit's stubs have its attributes read-only
    options.useBWAtomPalette()
    options.legendFontSize, options.annotationFontScale = 18, 0.6
    try:
        rdMolDraw2D.PrepareAndDrawMolecule(
            canvas, mol, legend=_LEGEND, highlightAtoms=list(shares), highlightBonds=[],
            highlightAtomColors={i: _shade(share) for i, share in shares.items()},
            highlightAtomRadii={i: _LARGEST * abs(share) ** 0.5 for i, share in shares.items()},
        )  # fmt: skip
    except RuntimeError as error:
        raise ValueError("RDKit cannot draw it") from error
    canvas.FinishDrawing()
    title = f"<title>{escape(_LEGEND)}: {ranked(mol, losses, _NAMED)}</title>"
    return str(canvas.GetDrawingText()).replace("<!-- END OF HEADER -->", title)


def ranked(mol: Chem.Mol, losses: Sequence[float], most: int) -> str:
    """The atoms of the largest losses in words, such as ``O3 4.2, C1 0.7``."""
    order = sorted(range(len(losses)), key=lambda i: -losses[i])[:most]
    return ", ".join(f"{mol.GetAtomWithIdx(i).GetSymbol()}{i} {losses[i]:.1f}" for i in order)


def _shade(share: float) -> tuple[float, float, float]:
    """Nearly white at 0, the full colour at 1 or -1."""
    red, green, blue = _BLUE if share > 0 else _ORANGE
    depth = 0.15 + 0.85 * abs(share)
    return 1 - depth * (1 - red), 1 - depth * (1 - green), 1 - depth * (1 - blue)
