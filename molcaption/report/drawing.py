"""A molecule as inline SVG that follows the page's colours, with the atoms of claims behind it.

RDKit draws; its file is then rewritten for a page that holds a thousand of them: no header, no
class names and no namespaces, one path for all lines of a style and one text for all its letters,
and a variable of the style sheet in place of each colour.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from molcaption.report.markup import Html, tag

MAX_ATOMS = 150  # beyond these no letter can be read in a column of the page
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
_LENGTHS = ("stroke-width", "stroke-dasharray", "font-size")
_STYLES = ("fill", "stroke", *_LENGTHS)
_SHAPE = ("cx", "cy", "rx", "ry", "points", "x", "y", "width", "height")


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
    # as large as the molecule needs, its letters as text: outlines take twenty times the space
    canvas = rdMolDraw2D.MolDraw2DSVG(-1, -1, -1, -1, True)
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
    shapes: dict[str, list[ET.Element]] = {}
    for node in root.iter():
        if node is not root:  # what lies behind comes first, so the order of styles is kept
            shapes.setdefault(_style(node), []).append(node)
    groups = [tag("g", *_shapes(nodes), style=style) for style, nodes in shapes.items()]
    width, height = (root.attrib[side].removesuffix("px") for side in ("width", "height"))
    return tag(
        "svg", tag("title", label), *groups,
        role="img", viewBox=_tenths(root.attrib["viewBox"]), width=width, height=height,
    )  # fmt: skip


def _style(node: ET.Element) -> str:
    given = dict(part.split(":", 1) for part in node.get("style", "").split(";") if ":" in part)
    given |= {key: node.attrib[key] for key in _STYLES if key in node.attrib}
    inks = {key: _INKS.get(given[key].upper(), given[key]) for key in _STYLES if key in given}
    inks |= {key: _tenths(inks[key]) for key in _LENGTHS if key in inks}
    if "font-size" in inks:
        inks["font-size"] += "px"
    return ";".join(f"{key}:{value}" for key, value in inks.items())


def _shapes(nodes: Sequence[ET.Element]) -> Iterator[Html]:
    """Shapes of one style: all lines as one path, all letters as one text with a place for each."""
    lines = "".join(_relative(node.attrib["d"]) for node in nodes if "d" in node.attrib)
    letters = [node for node in nodes if node.text and node.text.strip()]
    if lines:
        yield tag("path", d=lines)
    if letters:
        places = {side: _tenths(" ".join(n.attrib[side] for n in letters)) for side in "xy"}
        yield tag("text", *[str(node.text) for node in letters], **places)
    for node in nodes:
        if "d" not in node.attrib and node not in letters:
            shape = {key: _tenths(node.attrib[key]) for key in _SHAPE if key in node.attrib}
            yield tag(node.tag.rpartition("}")[2], **shape)


def _tenths(numbers: str) -> str:
    """RDKit writes tenths of a pixel; as whole numbers they are shorter."""
    return " ".join(f"{10 * float(number):.0f}" for number in re.findall(r"-?[\d.]+", numbers))


def _relative(path: str) -> str:
    """RDKit's path (absolute M, L, Q, C and Z, in pixels) in tenths, each piece relative."""
    written, (x, y) = "", (0, 0)
    for command, text in re.findall(r"([MLQCZ])([^MLQCZ]*)", path):
        numbers = [round(10 * float(number)) for number in re.findall(r"-?[\d.]+", text)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        is_move = command == "M"  # each piece starts at a place of the drawing
        steps = [f"{a} {b}" if is_move else f"{a - x} {b - y}" for a, b in points]
        written += (command if is_move else command.lower()) + " ".join(steps).replace(" -", "-")
        x, y = points[-1] if points else (x, y)
    return written
