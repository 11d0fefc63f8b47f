"""Steroids by the positions of their skeleton.

The skeleton is found without bond orders and numbered by the IUPAC rules for steroids (1989,
3S-1). Faces are read from the standard drawing: alpha below the plane, beta above it. Numbers of
side-chain atoms that the graph leaves open (25 or 28, 26 or 27) stand for every choice.
"""

from collections.abc import Callable, Iterator

from rdkit import Chem

from molcaption.claims.structure import Structure

# Carbons 1 to 17 in the standard drawing, seen from the beta face.
_PLANE = {
    1: (0.87, 2.5), 2: (0.0, 2.0), 3: (0.0, 1.0), 4: (0.87, 0.5), 5: (1.73, 1.0), 6: (2.6, 0.5),
    7: (3.46, 1.0), 8: (3.46, 2.0), 9: (2.6, 2.5), 10: (1.73, 2.0), 11: (2.6, 3.5),
    12: (3.46, 4.0), 13: (4.33, 3.5), 14: (4.33, 2.5), 15: (5.28, 2.19), 16: (5.87, 3.0),
    17: (5.28, 3.81),
}  # fmt: skip
_BONDS = [(n, n + 1) for n in range(1, 10)] + [(1, 10), (5, 10), (9, 11), (11, 12), (12, 13)]
_BONDS += [(13, 14), (8, 14), (14, 15), (15, 16), (16, 17), (13, 17)]
_ANGULAR = {10: (19,), 13: (18,), 4: (28, 29), 14: (30, 32)}
_FACES = {"alpha": -1, "beta": 1}
Numbering = dict[int, tuple[int, ...]]


def _gonane(homo: bool = False, hetero: bool = False) -> Chem.Mol:
    """The tetracycle; with one more atom between 6 and 7 if ``homo``, as in brassinolide.

    ``hetero``: oxygen, nitrogen or sulfur may stand for any atom that is not two rings'.
    """
    query = Chem.RWMol()
    bonds = [bond for bond in _BONDS if not homo or bond != (6, 7)]
    bonds += [(6, 18), (18, 7)] if homo else []
    for number in range(1, 19 if homo else 18):
        free = number == 18 or (hetero and number not in (5, 8, 9, 10, 13, 14))
        query.AddAtom(Chem.AtomFromSmarts("[#6,#7,#8,#16;R]" if free else "[#6;R]"))
    for first, second in bonds:
        query.AddBond(first - 1, second - 1, Chem.BondType.SINGLE)
        bond = query.GetBondBetweenAtoms(first - 1, second - 1)
        query.ReplaceBond(bond.GetIdx(), Chem.BondFromSmarts("~;@"))
    return query.GetMol()


_SKELETONS = (_gonane(), _gonane(homo=True), _gonane(hetero=True))


def _numberings(structure: Structure) -> list[Numbering]:
    """For each steroid skeleton, the possible numbers of each of its carbon atoms."""
    return structure.keep("steroid_numbering", lambda: list(_number(structure.mol)))


def _number(mol: Chem.Mol) -> Iterator[Numbering]:
    if mol.GetRingInfo().NumRings() < 4:
        return
    found_by = (mol.GetSubstructMatches(query, maxMatches=20) for query in _SKELETONS)
    for match in next(filter(None, found_by), ()):
        found: Numbering = {atom: (n,) for n, atom in enumerate(match[:17], 1)}
        for place, numbers in _ANGULAR.items():
            for atom in _carbons(mol, match[place - 1], found):
                found[atom] = numbers
        for start in _carbons(mol, match[16], found):
            _side_chain(mol, start, found)
        yield found


def _carbons(mol: Chem.Mol, atom: int, known: Numbering) -> list[int]:
    near = mol.GetAtomWithIdx(atom).GetNeighbors()
    return [a.GetIdx() for a in near if a.GetAtomicNum() == 6 and a.GetIdx() not in known]


def _side_chain(mol: Chem.Mol, start: int, found: Numbering) -> None:
    """Numbers 20 to 29 for the carbons of the chain that begins at ``start``."""
    found[start] = (20,)
    layer = _carbons(mol, start, found)
    ends = [a for a in layer if not _carbons(mol, a, found)]
    sure = len(ends) == 1 and len(layer) == 2
    for atom in layer:
        numbers: tuple[int, ...] = (21,) if len(layer) == 1 or (sure and atom in ends) else (22,)
        found[atom] = numbers if sure or len(layer) == 1 else (21, 22)
    choices = [(23,), (24,), (25, 28), (26, 27, 29)]
    if len(layer) == 1 and not ends:
        found[layer[0]] = (21, 22)
    for numbers in choices:
        layer = [b for a in layer for b in _carbons(mol, a, found)]
        for atom in layer:
            found[atom] = numbers


def _at(numbering: Numbering, position: int) -> list[int]:
    return [atom for atom, numbers in numbering.items() if position in numbers]


def _positions(text: str | int) -> tuple[list[int], str]:
    """Numbers and the face that a locant says: "17alpha", "3"."""
    said = str(text).lower().replace("α", "alpha").replace("β", "beta").strip(" -")
    face = next((name for name in _FACES if said.endswith(name)), "")
    digits = said.removesuffix(face).strip("- ()")
    return ([int(digits)] if digits.isdecimal() else []), face


def _face(mol: Chem.Mol, numbering: Numbering, atom: int, other: int | None) -> int:
    """As ``_drawn_face``; 0 in ent-steroids too, whose faces authors count either way."""
    for place, number in ((13, 18), (10, 19)):
        for centre in _at(numbering, place):
            for near in mol.GetAtomWithIdx(centre).GetNeighbors():
                index = near.GetIdx()
                outer = numbering.get(index) == (number,)
                if outer and _drawn_face(mol, numbering, centre, index) < 0:
                    return 0
    return _drawn_face(mol, numbering, atom, other)


def _drawn_face(mol: Chem.Mol, numbering: Numbering, atom: int, other: int | None) -> int:
    """1 if the neighbour ``other`` (None: hydrogen) is beta, -1 if alpha, 0 if nobody says."""
    centre = mol.GetAtomWithIdx(atom)
    tag = centre.GetChiralTag()
    if tag not in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
        return 0
    place = numbering[atom][0]
    if place > 17:
        return 0
    x, y = _PLANE[place]
    points: list[tuple[float, float, float]] = []
    inside = []
    for bond in centre.GetBonds():
        near = bond.GetOtherAtomIdx(atom)
        number = numbering.get(near, (0,))[0]
        flat = 0 < number <= 17
        inside.append(near) if flat else None
        px, py = _PLANE[number] if flat else (x, y)
        points.append((px - x, py - y, 0.0) if flat else (0.0, 0.0, 1.0 if near == other else -1.0))
    if len(inside) < 2 or len(points) < 3 or (other is None and len(points) != 3):
        return 0
    if other is None:
        points = [(a, b, -1.0 if (a, b) == (0.0, 0.0) else c) for a, b, c in points]
    turn = _turn(points, other is None)
    beta = turn == (1 if tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW else -1)
    return 1 if beta else -1


def _turn(points: list[tuple[float, float, float]], hydrogen_up: bool) -> int:
    """1 if the later neighbours turn clockwise seen from the first one, else -1.

    Two neighbours outside the plane are drawn apart by moving them outwards from the ring.
    """
    flat = [p for p in points if p[2] == 0.0]
    ox, oy = -sum(p[0] for p in flat) / 3, -sum(p[1] for p in flat) / 3
    placed = [p if p[2] == 0.0 else (p[0] + ox, p[1] + oy, p[2]) for p in points]
    if len(placed) == 3:
        up = 1.0 if hydrogen_up or not any(p[2] > 0 for p in placed) else -1.0
        placed.append((ox, oy, up))
    a, b, c, d = placed
    rows = [[p[i] - a[i] for i in range(3)] for p in (b, c, d)]
    (p, q, r), (s, t, u), (v, w, z) = rows
    volume = p * (t * z - u * w) - q * (s * z - u * v) + r * (s * w - t * v)
    return 1 if volume > 0 else -1


_BEYOND = {
    "acyl": Chem.MolFromSmarts("[#6]-[OX2]-[#6X3]=[OX1]"),
    "sulfate": Chem.MolFromSmarts("[#6]-[OX2]-[#16X4](=O)=O"),
    "phosphate": Chem.MolFromSmarts("[#6]-[OX2]-[#15X4]"),
    "glycosyl": Chem.MolFromSmarts("[#6]-[OX2]-[#6X4;R]-[OX2;R]"),
    "glucuronyl": Chem.MolFromSmarts("[#6]-[OX2]-[#6X4]1-[OX2]-C(-C(=O)[O,N])-C(O)-C(O)-C1O"),
}


_ENOL = Chem.MolFromSmarts("[OX2H1,OX1-]-[#6]=[#6]-[#6]=[OX1]")


def _enols(structure: Structure) -> set[int]:
    """Oxygens of 1,3-diketones drawn as enols: either may be the hydroxy, either the oxo group."""
    matches = structure.mol.GetSubstructMatches(_ENOL, maxMatches=50)
    return {index for match in matches for index in (match[0], match[-1])}


def _is_group(mol: Chem.Mol, atom: int, near: Chem.Atom, kind: str) -> bool:
    """Whether the neighbour makes the group: hydroxy, oxo, or an element such as "F"."""
    bond = mol.GetBondBetweenAtoms(atom, near.GetIdx())
    double = bond.GetBondType() == Chem.BondType.DOUBLE
    if kind in ("hydroxy", "oxo"):
        if near.GetAtomicNum() != 8 or double != (kind == "oxo"):
            return False
        return double or near.GetDegree() == 1
    return bool(near.GetSymbol() == kind)


def _joined(structure: Structure, kind: str) -> set[tuple[int, int]]:
    """Carbon and oxygen of every ester, sulfate or glycoside."""
    matches = structure.mol.GetSubstructMatches(_BEYOND[kind], maxMatches=500)
    return {(match[0], match[1]) for match in matches}


def _groups(structure: Structure, kind: str, where: str | int, sure: bool) -> int:
    positions, face = _positions(where)
    mol, hits = structure.mol, 0
    joined = _joined(structure, kind) if kind in _BEYOND and _numberings(structure) else None
    loose = kind in ("hydroxy", "oxo") and not sure and bool(_numberings(structure))
    enols = _enols(structure) if loose else set()
    for numbering in _numberings(structure):
        found = set()
        atoms = [a for n in positions for a in _at(numbering, n)] if positions else list(numbering)
        for atom in atoms:
            for near in mol.GetAtomWithIdx(atom).GetNeighbors():
                index = near.GetIdx()
                if joined is not None and (atom, index) not in joined:
                    continue
                if joined is not None or index in enols or _is_group(mol, atom, near, kind):
                    side = _face(mol, numbering, atom, index) if face else 0
                    if not face or side == _FACES[face] or (side == 0 and not sure):
                        found.add(index)
        hits = max(hits, len(found))
    return hits


def steroid_group(structure: Structure, kind: str, where: str | int = "", least: int = 1) -> int:
    """Groups on a steroid or at a position of it ("11beta"); an undrawn face may be either.

    ``kind``: hydroxy, oxo, an element, acyl (an ester's), sulfate, phosphate, glycosyl, glucuronyl.
    """
    hits = _groups(structure, kind, where, sure=False)
    return hits if hits >= least else 0


def surely_steroid_group(structure: Structure, kind: str, where: str | int = "") -> int:
    """As ``steroid_group``, the face being drawn."""
    return _groups(structure, kind, where, sure=True)


def steroid_hydrogen(structure: Structure, where: str, sure: int = 0) -> int:
    """A hydrogen on a face of a saturated position, as in "5alpha"."""
    positions, face = _positions(where)
    for numbering in _numberings(structure):
        for atom in (a for n in positions for a in _at(numbering, n)):
            centre = structure.mol.GetAtomWithIdx(atom)
            if centre.GetTotalNumHs(includeNeighbors=True) != 1 or centre.GetTotalDegree() != 4:
                continue
            side = _face(structure.mol, numbering, atom, None)
            if side == _FACES.get(face, side) or (side == 0 and not sure):
                return 1
    return 0


def steroid_double_bond(structure: Structure, first: int, second: int = 0) -> int:
    """A carbon-carbon double bond between two positions of a steroid (the next one by default)."""
    ends = (int(first), int(second or int(first) + 1))
    for numbering in _numberings(structure):
        for atom in _at(numbering, ends[0]):
            for other in _at(numbering, ends[1]):
                bond = structure.mol.GetBondBetweenAtoms(atom, other)
                if bond and bond.GetBondTypeAsDouble() in (1.5, 2.0):
                    return 1
    return 0


def steroid_side_chain(structure: Structure, low: int, high: int) -> int:
    """A steroid whose 17-substituent holds ``low`` to ``high`` carbons joined by C-C bonds."""
    for numbering in _numberings(structure):
        seen = {a for a, n in numbering.items() if n[0] <= 19 or n[0] in (28, 30)}
        seen -= {a for a, n in numbering.items() if n[0] >= 20 and n not in ((28, 29), (30, 32))}
        start = next(a for a, n in numbering.items() if n == (17,))
        if low <= _reach(structure.mol, start, seen) <= high:
            return 1
    return 0


def _reach(mol: Chem.Mol, start: int, barred: set[int]) -> int:
    """Carbons that C-C bonds join to ``start``, without the barred ones."""
    queue, seen = [start], barred | {start}
    for atom in queue:
        for near in mol.GetAtomWithIdx(atom).GetNeighbors():
            if near.GetAtomicNum() == 6 and near.GetIdx() not in seen:
                seen.add(near.GetIdx())
                queue.append(near.GetIdx())
    return len(queue) - 1


def steroid_carbons(structure: Structure, low: int, high: int) -> int:
    """A steroid skeleton with ``low`` to ``high`` carbons joined by C-C bonds, methyls and all."""
    for numbering in _numberings(structure):
        start = next(iter(numbering))
        if low <= _reach(structure.mol, start, set()) + 1 <= high:
            return 1
    return 0


PREDICATES: dict[str, Callable[..., int]] = {
    "steroid_carbons": steroid_carbons,
    "steroid_double_bond": steroid_double_bond,
    "steroid_group": steroid_group,
    "steroid_hydrogen": steroid_hydrogen,
    "steroid_side_chain": steroid_side_chain,
    "surely_steroid_group": surely_steroid_group,
}
