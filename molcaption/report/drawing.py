"""A molecule as inline SVG that follows the page's colours, with the atoms of claims behind it.

RDKit draws; its file is then rewritten for a page that holds forty of them: no header, no class
names and no namespaces, and a variable of the style sheet in place of each colour.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from molcaption.claims.lexicon import Lexicon
from molcaption.report.markup import Html, tag

MAX_ATOMS = 150  # beyond these no letter can be read in a column of the page
MAX_MATCHES = 500
_PIXELS_PER_ANGSTROM = 22
_Colour = tuple[float, float, float]

# Each ink is asked of RDKit as a colour that nothing else has, and found again in its SVG.
_BLACK = "#000000"
_ELEMENTS = {7: "#0000FA", 8: "#FA0000", 16: "#969600", 15: "#965000", 9: "#009600", 17: "#009601",
             35: "#964B00", 53: "#960096"}  # fmt: skip
_VERDICTS = {"supported": "#AAFFAA", "refuted": "#FFAAAA"}
_INKS = {
    _BLACK: "currentColor",
    **{colour: f"var(--element-{number})" for number, colour in _ELEMENTS.items()},
    **{colour: f"var(--{verdict})" for verdict, colour in _VERDICTS.items()},
}
_STYLES = ("fill", "stroke", "stroke-width", "stroke-dasharray")
_SHAPE = ("d", "cx", "cy", "rx", "ry", "points", "x", "y", "width", "height")


def draw(mol: Chem.Mol, label: str, highlights: Mapping[int, str] | None = None) -> Html:
    """``mol`` as one <svg>.

    Args:
        label: what a screen reader says.
        highlights: atom index to "supported" or "refuted".

    Raises:
        ValueError: the molecule is too large, or RDKit cannot lay it out.
    """
    if (heavy := mol.GetNumHeavyAtoms()) > MAX_ATOMS:
        raise ValueError(f"{heavy} heavy atoms are too many to be read")
    try:
        return _inlined(ET.fromstring(_rdkit_svg(mol, highlights or {})), label)
    except (RuntimeError, ET.ParseError) as error:
        raise ValueError("RDKit cannot draw it") from error


def _rdkit_svg(mol: Chem.Mol, highlights: Mapping[int, str]) -> str:
    canvas = rdMolDraw2D.MolDraw2DSVG(-1, -1)  # as large as the molecule needs
    options: Any = canvas.drawOptions()  # RDKit's stubs have its attributes read-only
    options.scalingFactor = _PIXELS_PER_ANGSTROM
    options.clearBackground = False
    options.includeMetadata = False
    options.standardColoursForHighlightedAtoms = True
    options.setAtomPalette({-1: _rgb(_BLACK), **{n: _rgb(c) for n, c in _ELEMENTS.items()}})
    atoms = {index: _rgb(_VERDICTS[verdict]) for index, verdict in highlights.items()}
    ends = {b.GetIdx(): (b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()}
    bonds = {
        bond: atoms[begin]
        for bond, (begin, end) in ends.items()
        if begin in atoms and atoms[begin] == atoms.get(end)
    }
    rdMolDraw2D.PrepareAndDrawMolecule(
        canvas, mol, highlightAtoms=list(atoms), highlightAtomColors=atoms,
        highlightBonds=list(bonds), highlightBondColors=bonds,
    )  # fmt: skip
    canvas.FinishDrawing()
    return str(canvas.GetDrawingText())


def _rgb(colour: str) -> _Colour:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _inlined(root: ET.Element, label: str) -> Html:
    shapes = groupby((node for node in root.iter() if node is not root), _style)
    groups = [tag("g", *map(_shape, nodes), style=style) for style, nodes in shapes]
    width, height = (root.attrib[side].removesuffix("px") for side in ("width", "height"))
    return tag(
        "svg", tag("title", label), *groups,
        role="img", viewBox=root.attrib["viewBox"], width=width, height=height,
    )  # fmt: skip


def _style(node: ET.Element) -> str:
    given = dict(part.split(":", 1) for part in node.get("style", "").split(";") if ":" in part)
    given |= {key: node.attrib[key] for key in _STYLES if key in node.attrib}
    inks = {key: _INKS.get(given[key].upper(), given[key]) for key in _STYLES if key in given}
    return ";".join(f"{key}:{value}" for key, value in inks.items())


def _shape(node: ET.Element) -> Html:
    shape = {key: re.sub(r"\s+", " ", node.attrib[key]) for key in _SHAPE if key in node.attrib}
    return tag(node.tag.rpartition("}")[2], **shape)


def atoms_of(mol: Chem.Mol, concept_id: str, lexicon: Lexicon) -> set[int]:
    """Indices of the atoms that make ``concept_id`` true; empty where its test is no SMARTS.

    A concept that is nothing but its parents together has their atoms.
    """
    if (concept := lexicon.concepts.get(concept_id)) is None:
        return set()
    if concept.test is None:
        return _union(atoms_of(mol, parent, lexicon) for parent in concept.parents)
    queries = (test.query for test in (concept.sure, concept.test) if test and test.query)
    matches = (mol.GetSubstructMatches(query, maxMatches=MAX_MATCHES) for query in queries)
    return _union(next((found for found in matches if found), ()))


def _union(groups: Iterable[Iterable[int]]) -> set[int]:
    return set().union(*groups)
