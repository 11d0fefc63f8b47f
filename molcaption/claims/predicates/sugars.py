"""Structural tests on sugars: every sugar of a molecule read from its drawing.

A sugar is read as its carbon chain with what each carbon bears and on which side of the Fischer
projection, so kind (gluco, manno …), series (D, L) and anomer come from the drawn chirality alone.
What is not drawn is "?" and fits everything, but proves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims.structure import Structure

_HETERO = (7, 8, 16)
_ANOMERIC = (0, *_HETERO, 9, 15, 17, 34, 35)  # what may stand on an anomeric carbon
_MIRROR = str.maketrans("RL", "LR")
# Side of the heteroatom at C2, C3 … of the D series (IUPAC 2-Carb-4), R right and L left.
_SIDES = {
    "glycer": "R", "erythr": "RR", "thre": "LR",
    "rib": "RRR", "arabin": "LRR", "xyl": "RLR", "lyx": "LLR",
    "all": "RRRR", "altr": "LRRR", "gluc": "RLRR", "mann": "LLRR",
    "gul": "RRLR", "id": "LRLR", "galact": "RLLR", "tal": "LLLR",
}  # fmt: skip
# Names of their own: sides, and what must be at the end of the chain (O, C methyl, A acid).
_TRIVIAL = {
    "rhamn": ("LLRR", "C"), "fuc": ("RLLR", "C"), "quinov": ("RLRR", "C"), "rutin": ("LLRR", "C"),
    "digitox": ("-RRR", "C"), "ascaryl": ("L-RR", "C"), "olivos": ("-LRR", "C"),
    "tyvel": ("L-RR", "C"), "abequ": ("R-LR", "C"), "parat": ("R-RR", "C"), "colit": ("R-LR", "C"),
    "fruct": ("LRR", "O"), "psic": ("RRR", "O"), "sorb": ("RLR", "O"), "tagat": ("LLR", "O"),
    "ribul": ("RR", "O"), "xylul": ("LR", "O"), "neuramin": ("-RLLRR", "O"),
    "glycero-d-mann": ("LLRR", ""),
}  # fmt: skip
_KETOSES = frozenset("fruct psic sorb tagat ribul xylul neuramin".split())
_SYMBOLS = {
    "glc": "gluc", "gal": "galact", "man": "mann", "xyl": "xyl", "ara": "arabin", "rib": "rib",
    "fuc": "fuc", "rha": "rhamn", "qui": "quinov", "all": "all", "tal": "tal", "ido": "id",
    "fru": "fruct", "neu": "neuramin", "psi": "psic", "lyx": "lyx", "gul": "gul",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sugar:
    """One sugar unit of a molecule.

    ``chain``: its carbons from C1 on. ``ring``: "p", "f" or "" for an open chain. ``at``: index of
    the anomeric carbon. ``sides``: R, L, ? (not drawn), - (bears nothing), = (not tetrahedral) for
    each carbon after the anomeric one. ``bears``: O, N, S or - for the same. ``end``: how the chain
    ends: O (CH2-O), N, C (methyl), A (acid), X (other) or nothing (a ring carbon). ``anomer``: side of the
    glycosidic bond. ``link``: element of the atom there. ``oxygen``: the ring's own.
    """

    chain: tuple[int, ...]
    ring: str
    at: int
    sides: str
    bears: str
    end: str
    anomer: str
    link: int
    oxygen: int

    @property
    def series(self) -> str:
        """D, L or ?: the side of the last carbon that has one."""
        last = [side for side in self.sides if side in "RL?"]
        return {"R": "D", "L": "L"}.get(last[-1] if last else "?", "?")


def sugars(structure: Structure) -> tuple[Sugar, ...]:
    """Every sugar ring and every open sugar chain of the record."""
    return structure.keep("sugars", lambda: tuple(_find(structure)))


def _find(structure: Structure) -> Iterator[Sugar]:
    if structure.element_counts.get(8, 0) < 2:
        return
    used: set[int] = set()
    for ring in structure.mol.GetRingInfo().AtomRings():
        if len(ring) in (5, 6) and (sugar := _cyclic(structure.mol, ring)) is not None:
            used |= set(sugar.chain)
            yield sugar
    yield from _open_chains(structure.mol, used)


def _cyclic(mol: Chem.Mol, ring: tuple[int, ...]) -> Sugar | None:
    atoms = [mol.GetAtomWithIdx(i) for i in ring]
    oxygen = [k for k, a in enumerate(atoms) if a.GetAtomicNum() in (8, 16)]
    if len(oxygen) != 1 or any(a.GetIsAromatic() for a in atoms):
        return None
    carbons = ring[oxygen[0] + 1 :] + ring[: oxygen[0]]
    if any(mol.GetAtomWithIdx(i).GetAtomicNum() != 6 for i in carbons):
        return None
    read = [s for way in (carbons, carbons[::-1]) if (s := _read_ring(mol, way, ring[oxygen[0]]))]
    return max(read, key=_plausible) if read else None


def _plausible(sugar: Sugar) -> tuple[bool, int, int]:
    """Which of two readings of a ring is the sugar's: heteroatom at C1, then a shorter C1 side."""
    return (sugar.link != 6, -sugar.at, len(sugar.chain))


def _read_ring(mol: Chem.Mol, way: tuple[int, ...], oxygen: int) -> Sugar | None:
    inside = {*way, oxygen}
    first = mol.GetAtomWithIdx(way[0])
    outer = [n for n in first.GetNeighbors() if n.GetIdx() not in inside]
    hetero = [n for n in outer if n.GetAtomicNum() in _ANOMERIC]
    heads = [n.GetIdx() for n in outer if n.GetAtomicNum() == 6]
    if any(mol.GetBondBetweenAtoms(first.GetIdx(), n.GetIdx()).GetBondTypeAsDouble() > 1 for n in outer):
        return None
    head = _head(mol, way[0], heads) if hetero and heads else []
    tail = _tail(mol, way[-1], inside)
    chain = (*head, *way, *tail)
    bears = "".join(_bears(mol, i, set(chain)) for i in (*way[1:], *tail))
    ring_bears, rest = bears[: len(way) - 1], bears[len(way) - 1 :]
    n_outer = sum(b in "ONS" for b in ring_bears[:-1]) + sum(b in "ONSA" for b in rest)
    fused = sum(mol.GetRingInfo().NumAtomRings(i) > 1 for i in way)
    glyco = bool(hetero)
    need = 2 if glyco and (heads or fused or not tail) else 1 if glyco else 3
    if not glyco and (len(heads) != 1 or not tail):
        return None
    if n_outer < need or (not glyco and sum(b in "ONS" for b in ring_bears[:-1]) < len(way) - 3):
        return None
    link = hetero[0].GetIdx() if glyco else heads[0]
    top = head[-1] if head else None
    anomer = _side(mol, way[0], top, way[1], link)
    sides = _sides(mol, (way[0], *way[1:], *tail), oxygen)
    end = _end(mol, tail, set(chain)) if tail else ""
    return Sugar(
        chain, "p" if len(way) == 5 else "f", len(head), sides, bears, end, anomer,
        mol.GetAtomWithIdx(link).GetAtomicNum(), oxygen,
    )  # fmt: skip


def _head(mol: Chem.Mol, anomeric: int, heads: list[int]) -> list[int]:
    """C1 of a ketose."""
    return heads[:1] if len(heads) == 1 and _bears(mol, heads[0], {anomeric}) != "-" else []


def _tail(mol: Chem.Mol, last: int, inside: set[int]) -> tuple[int, ...]:
    """Carbons beyond the ring, as long as they form one unbranched oxygenated chain."""
    tail: list[int] = []
    seen, atom = set(inside), mol.GetAtomWithIdx(last)
    while len(tail) < 4:
        after = [n for n in atom.GetNeighbors() if n.GetAtomicNum() == 6 and n.GetIdx() not in seen]
        after = [n for n in after if not n.GetIsAromatic()]
        if len(after) != 1 or (tail and _bears(mol, tail[-1], seen) == "-"):
            break
        atom = after[0]
        tail.append(atom.GetIdx())
        seen.add(atom.GetIdx())
    return tuple(tail)


def _bears(mol: Chem.Mol, index: int, chain: set[int]) -> str:
    """What a carbon of the chain bears: O, N, S, A (a carboxy group), = (oxo), or - for nothing."""
    atom = mol.GetAtomWithIdx(index)
    outer = [n for n in atom.GetNeighbors() if n.GetIdx() not in chain]
    found = [n.GetAtomicNum() for n in outer if n.GetAtomicNum() in _HETERO]
    double = any(
        b.GetBondTypeAsDouble() > 1 and b.GetOtherAtom(atom).GetAtomicNum() == 8
        for b in atom.GetBonds()
    )
    if double:
        return "A" if len(found) > 1 else "="
    return {8: "O", 7: "N", 16: "S"}[found[0]] if found else "-"


def _end(mol: Chem.Mol, tail: tuple[int, ...], chain: set[int]) -> str:
    last = mol.GetAtomWithIdx(tail[-1])
    bears = _bears(mol, tail[-1], chain)
    carbons = sum(n.GetAtomicNum() == 6 for n in last.GetNeighbors())
    if bears == "-":
        return "C" if last.GetDegree() == 1 else "X"
    return bears if carbons == 1 else "X"


def _side(mol: Chem.Mol, centre: int, top: int | None, bottom: int, side: int) -> str:
    """R or L: where ``side`` stands in the Fischer projection of ``centre``; ? if not drawn.

    ``top`` None stands for the implicit hydrogen.
    """
    atom = mol.GetAtomWithIdx(centre)
    tag = atom.GetChiralTag()
    if tag not in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
        return "=" if atom.GetHybridization() != Chem.HybridizationType.SP3 else "?"
    order: list[int | None] = [b.GetOtherAtomIdx(centre) for b in atom.GetBonds()]
    order += [None] * (4 - len(order))
    wanted: list[int | None] = [top, bottom, side]
    wanted += [i for i in order if i not in wanted]
    if len(wanted) != 4 or sorted(map(str, wanted)) != sorted(map(str, order)):
        return "?"
    places = [order.index(i) for i in wanted]
    odd = sum(places[i] > places[j] for i in range(4) for j in range(i + 1, 4)) % 2
    clockwise = (tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW) != bool(odd)
    return "R" if clockwise else "L"


def _sides(mol: Chem.Mol, chain: tuple[int, ...], oxygen: int | None) -> str:
    """Sides of what the carbons after the first bear; the ring oxygen counts where it closes."""
    sides = ""
    for before, centre, after in zip(chain[:-1], chain[1:], (*chain[2:], None), strict=True):
        atom = mol.GetAtomWithIdx(centre)
        outer = [n for n in atom.GetNeighbors() if n.GetIdx() not in (before, after)]
        hetero = [n.GetIdx() for n in outer if n.GetAtomicNum() in _HETERO]
        if after is None or not hetero or atom.GetHybridization() != Chem.HybridizationType.SP3:
            sides += "-"
            continue
        side = oxygen if oxygen in hetero else hetero[0]
        assert side is not None
        sides += _side(mol, centre, before, after, side)
    return sides


def _open_chains(mol: Chem.Mol, used: set[int]) -> Iterator[Sugar]:
    """Acyclic chains of at least four oxygenated carbons that belong to no ring."""
    rich = {
        a.GetIdx()
        for a in mol.GetAtoms()
        if a.GetAtomicNum() == 6 and not a.IsInRing() and a.GetIdx() not in used
        and _bears(mol, a.GetIdx(), set()) != "-"
    }  # fmt: skip
    links = {i: [n.GetIdx() for n in mol.GetAtomWithIdx(i).GetNeighbors() if n.GetIdx() in rich] for i in rich}
    seen: set[int] = set()
    for start in sorted(rich):
        if start in seen or len(links[start]) != 1:
            continue
        chain = [start]
        while len(after := [i for i in links[chain[-1]] if i not in chain]) == 1:
            chain += after
        seen |= set(chain)
        if 3 <= len(chain) <= 9:
            yield _open(mol, chain)


def _open(mol: Chem.Mol, chain: list[int]) -> Sugar:
    inside = set(chain)
    rank = {"=": 2, "A": 1}
    grade = [rank.get(_bears(mol, i, inside), 0) for i in chain]
    if grade[-1] > grade[0] or (grade[-1] == grade[0] and grade[-2] > grade[1]):
        chain = chain[::-1]
    bears = "".join(_bears(mol, i, inside) for i in chain)
    at = 1 if bears[1] == "=" else 0
    return Sugar(
        tuple(chain), "", at, _sides(mol, tuple(chain[at:]), None), bears[at + 1 :], bears[-1],
        "?", 0, -1,
    )  # fmt: skip


def _spec(kind: str) -> tuple[str, str, bool]:
    """Sides of the D form, end of the chain, and whether it is a ketose."""
    kind = _SYMBOLS.get(kind, kind)
    if kind in _TRIVIAL:
        return *_TRIVIAL[kind], kind in _KETOSES
    sides = _SIDES.get(kind, "")
    return sides, "O" if len(sides) == 4 else "", False


def _same(drawn: str, wanted: str, sure: bool) -> bool:
    """Side by side; what is not drawn, or has no oxygen, fits unless it must be sure."""
    if len(drawn) < len(wanted):
        return False
    pairs = zip(drawn, wanted, strict=False)
    return all(d == w or (d in "?" and not sure) or (d in "-=" and not sure) for d, w in pairs)


def _is_kind(sugar: Sugar, kind: str, series: str, acid: bool, deoxy: bool, sure: bool) -> bool:
    sides, end, ketose = _spec(kind)
    if deoxy and not sugar.ring and not sure:
        return True  # the chain is cut at a carbon without oxygen
    if not sides or (sugar.at > 0) != ketose:
        return False
    end = "A" if acid else end
    if len(sides) == 3 and not ketose and len(sugar.chain) != 5:
        return False
    if end in ("C", "A") and sugar.end != end and not (end == "C" and sugar.end in "XS"):
        return False
    if end == "O" and (sugar.end == "A" or (sugar.end == "C" and not deoxy)):
        return False
    forms = [sides] if series in ("D", "") else []
    forms += [sides.translate(_MIRROR)] if series in ("L", "") else []
    return any(_same(sugar.sides, form, sure) for form in forms)


def _anomer(sugar: Sugar) -> str:
    """alpha, beta or ?: the glycosidic bond against the anomeric reference atom."""
    centres = [side for side in sugar.sides if side in "RL?"][:4]
    if not centres or centres[-1] == "?" or sugar.anomer not in "RL":
        return "?"
    return "beta" if sugar.anomer == centres[-1] else "alpha"


def sugar_is(
    structure: Structure, kind: str, series: str = "", anomer: str = "", acid: str = "", ring: str = "",
    deoxy: str = "", sure: str = "",
) -> int:
    """Sugars of this kind, series, anomer and ring; what is not drawn fits, unless ``sure``."""
    return sum(
        _is_kind(s, kind.lower(), series.upper(), bool(acid), bool(deoxy), bool(sure))
        and (not anomer or _anomer(s) == anomer.lower() or (_anomer(s) == "?" and not sure))
        and (not ring or s.ring == ring[0].lower() or (not s.ring and not anomer and not sure))
        and (not anomer or bool(s.ring))
        for s in sugars(structure)
    )


def surely_sugar_is(structure: Structure, *said: str) -> int:
    """As `sugar_is`, with every centre drawn."""
    return sugar_is(structure, *said, *[""] * (6 - len(said)), "sure")


def saccharide(structure: Structure, low: int, high: int) -> int:
    """``low`` to ``high`` sugar units in all, or in one part whose sugars are bonded to each other."""
    sizes = [len(part) for part in _parts(structure)]
    return int(low <= sum(sizes) <= high or any(low <= size <= high for size in sizes))


def saccharide_shape(structure: Structure, shape: str) -> int:
    """``branched``: a sugar has three sugar neighbours; ``linear``: none has."""
    most = max((len(near) for part in _parts(structure) for near in part), default=0)
    return int(most >= 3 if shape.lower() == "branched" else 0 < most <= 2)


def _parts(structure: Structure) -> list[list[set[int]]]:
    """Sugars joined through one atom: per part, the neighbours of each sugar."""
    units = [s for s in sugars(structure) if s.ring or len(s.chain) >= 4]
    owner = {atom: k for k, unit in enumerate(units) for atom in unit.chain}
    near: list[set[int]] = [set() for _ in units]
    for bridge in structure.mol.GetAtoms():
        ends = {owner[n.GetIdx()] for n in bridge.GetNeighbors() if n.GetIdx() in owner}
        if bridge.GetIdx() not in owner and bridge.GetAtomicNum() in _HETERO and len(ends) == 2:
            first, second = ends
            near[first].add(second)
            near[second].add(first)
    parts: list[list[set[int]]] = []
    left = set(range(len(units)))
    while left:
        queue = [left.pop()]
        for unit in queue:
            queue += near[unit] & left
            left -= near[unit]
        parts.append([near[unit] for unit in queue])
    return parts


def sugar_size(structure: Structure, carbons: int, form: str = "any") -> int:
    """Sugars of so many carbons: ``any``, ``aldo``, ``keto`` (C2 is the anomeric or oxo one)."""
    at = {"aldo": 0, "keto": 1}.get(form)
    return sum(len(s.chain) == carbons and at in (None, s.at) for s in sugars(structure))


def sugar_bears(structure: Structure, letters: str) -> int:
    """Sugars a carbon of which bears one of the letters: N, S, A (acid), - (deoxy)."""
    return sum(bool(set(letters) & {*s.bears, s.end}) for s in sugars(structure))


def glycosyl(structure: Structure, *elements: int) -> int:
    """Sugar rings with one of the elements (atomic numbers) at C1 and something bonded to it."""
    return sum(s.link in elements and bool(s.ring) and _substituted(structure.mol, s)
               for s in sugars(structure))  # fmt: skip


def _substituted(mol: Chem.Mol, sugar: Sugar) -> bool:
    outer = [n for n in mol.GetAtomWithIdx(sugar.chain[sugar.at]).GetNeighbors()
             if n.GetAtomicNum() == sugar.link and n.GetIdx() not in {*sugar.chain, sugar.oxygen}]  # fmt: skip
    return any(n.GetDegree() > 1 for n in outer)


PREDICATES: dict[str, Callable[..., int]] = {
    "glycosyl": glycosyl,
    "saccharide": saccharide,
    "saccharide_shape": saccharide_shape,
    "sugar_bears": sugar_bears,
    "sugar_is": sugar_is,
    "sugar_size": sugar_size,
    "surely_sugar_is": surely_sugar_is,
}
