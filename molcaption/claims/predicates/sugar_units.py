"""Sugars of a molecule, read from its drawing.

A sugar is read as its carbon chain with what each carbon bears and on which side of the Fischer
projection, so kind (gluco, manno …), series (D, L) and anomer come from the drawn chirality alone.
What is not drawn is "?".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims.structure import Structure

HETERO = (7, 8, 16)
_LETTERS = {8: "O", 7: "N", 16: "S", 9: "H", 17: "H", 35: "H", 53: "H"}
_ANOMERIC = (0, *HETERO, 9, 15, 17, 34, 35)  # what may stand on an anomeric carbon


@dataclass(frozen=True, slots=True)
class Sugar:
    """One sugar unit of a molecule.

    ``chain``: its carbons from C1 on. ``ring``: "p", "f" or "" for an open chain. ``at``: index of
    the anomeric carbon. ``sides``: R, L, ? (not drawn), - (bears nothing), = (not tetrahedral) for
    each carbon after the anomeric one. ``bears``: O, N, S or - for the same. ``end``: how the chain
    ends: O (CH2-O), N, C (methyl), A (acid), X (other) or nothing (a ring carbon). ``anomer``: side
    of the glycosidic bond. ``link``: element of the atom there. ``oxygen``: the ring's own.
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
    if first.GetHybridization() != Chem.HybridizationType.SP3:
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
    if not glyco and (len(heads) != 1 or not (tail or len(way) == 5)):
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
        if not tail and len(after) == 2 and all(n.GetDegree() == 1 for n in after):
            after = after[:1]  # two methyl groups
        if len(after) != 1 or (tail and _bears(mol, tail[-1], seen) == "-"):
            break
        atom = after[0]
        tail.append(atom.GetIdx())
        seen.add(atom.GetIdx())
    return tuple(tail)


def _bears(mol: Chem.Mol, index: int, chain: set[int]) -> str:
    """What a carbon bears: O, N, S, H (halogen), A (a carboxy group), = (oxo) or - (nothing)."""
    atom = mol.GetAtomWithIdx(index)
    outer = [n for n in atom.GetNeighbors() if n.GetIdx() not in chain]
    found = [n.GetAtomicNum() for n in outer if n.GetAtomicNum() in _LETTERS]
    double = any(
        b.GetBondTypeAsDouble() > 1 and b.GetOtherAtom(atom).GetAtomicNum() == 8
        for b in atom.GetBonds()
    )
    if double:
        return "A" if len(found) > 1 else "="
    return _LETTERS[found[0]] if found else "-"


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
        hetero = [n.GetIdx() for n in outer if n.GetAtomicNum() in _LETTERS]
        flat = atom.GetHybridization() != Chem.HybridizationType.SP3
        if after is None or not hetero or flat:
            sides += "=" if flat and after is not None else "-"
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
    links = {
        i: [n.GetIdx() for n in mol.GetAtomWithIdx(i).GetNeighbors() if n.GetIdx() in rich]
        for i in rich
    }
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
