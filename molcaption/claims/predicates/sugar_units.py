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
_RANK = tuple(_LETTERS)  # of two on one carbon the first counts, whatever their numbering
_PAIRS = [(i, j) for i in range(4) for j in range(i + 1, 4)]
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
        if len(ring) in (5, 6) and (sugar := _cyclic(structure, ring)) is not None:
            used |= set(sugar.chain)
            yield sugar
    yield from _open_chains(structure, used)


def _cyclic(s: Structure, ring: tuple[int, ...]) -> Sugar | None:
    numbers = [s.numbers[i] for i in ring]
    oxygen = [k for k, number in enumerate(numbers) if number in (8, 16)]
    if len(oxygen) != 1 or numbers.count(6) != len(ring) - 1:
        return None
    if any(s.mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring):
        return None
    carbons = ring[oxygen[0] + 1 :] + ring[: oxygen[0]]
    ways = (carbons, carbons[::-1])
    glyco = [way for way in ways if _is_anomeric(s, way[0], ring)]
    for group in (glyco, [way for way in ways if way not in glyco]):
        read = [r for way in group if (r := _read_ring(s, way, ring[oxygen[0]]))]
        if read:
            return max(read, key=_plausible)
    return None


def _is_anomeric(s: Structure, atom: int, ring: tuple[int, ...]) -> bool:
    """A heteroatom outside the ring is bonded to the carbon."""
    return any(s.numbers[n] in _ANOMERIC and n not in ring for n in s.near[atom])


def _plausible(sugar: Sugar) -> tuple[int, int]:
    """Which of two readings of a ring is the sugar's: the one with the shorter C1 side."""
    return (-sugar.at, len(sugar.chain))


def _read_ring(s: Structure, way: tuple[int, ...], oxygen: int) -> Sugar | None:
    inside = {*way, oxygen}
    outer = [n for n in s.near[way[0]] if n not in inside]
    hetero = [n for n in outer if s.numbers[n] in _ANOMERIC]
    heads = [n for n in outer if s.numbers[n] == 6]
    if not _tetrahedral(s, way[0]):
        return None
    head = _head(s, way[0], heads) if hetero and heads else []
    tail = _tail(s, way[-1], inside)
    chain = (*head, *way, *tail)
    chained = set(chain)
    bears = "".join(_bears(s, i, chained) for i in (*way[1:], *tail))
    ring_bears, rest = bears[: len(way) - 1], bears[len(way) - 1 :]
    on_ring = sum(b in "ONS" for b in ring_bears[:-1])
    n_outer = on_ring + sum(b in "ONSA" for b in rest)
    fused = sum(s.mol.GetRingInfo().NumAtomRings(i) > 1 for i in way)
    glyco = bool(hetero)
    need = 2 if glyco and (heads or fused or not tail) else 1 if glyco else 3
    if not glyco and (len(heads) != 1 or not (tail or len(way) == 5)):
        return None
    if n_outer < need or (not glyco and on_ring < len(way) - 3):
        return None
    link = hetero[0] if glyco else heads[0]
    anomer = _side(s, way[0], head[-1] if head else None, way[1], link)
    sides = _sides(s, (*way, *tail), oxygen)
    end = _end(s, tail, chained) if tail else ""
    return Sugar(
        chain, "p" if len(way) == 5 else "f", len(head), sides, bears, end, anomer,
        s.numbers[link], oxygen,
    )  # fmt: skip


def _tetrahedral(s: Structure, atom: int) -> bool:
    return bool(s.mol.GetAtomWithIdx(atom).GetHybridization() == Chem.HybridizationType.SP3)


def _head(s: Structure, anomeric: int, heads: list[int]) -> list[int]:
    """C1 of a ketose."""
    return heads[:1] if len(heads) == 1 and _bears(s, heads[0], {anomeric}) != "-" else []


def _tail(s: Structure, last: int, inside: set[int]) -> tuple[int, ...]:
    """Carbons beyond the ring, as long as they form one unbranched oxygenated chain."""
    tail: list[int] = []
    seen, atom = set(inside), last
    while len(tail) < 4:
        after = [n for n in s.near[atom] if s.numbers[n] == 6 and n not in seen]
        after = [n for n in after if not s.mol.GetAtomWithIdx(n).GetIsAromatic()]
        if not tail and len(after) == 2 and all(len(s.near[n]) == 1 for n in after):
            after = after[:1]  # two methyl groups
        if len(after) != 1 or (tail and _bears(s, tail[-1], seen) == "-"):
            break
        atom = after[0]
        tail.append(atom)
        seen.add(atom)
    return tuple(tail)


def _bears(s: Structure, index: int, chain: set[int]) -> str:
    """What a carbon bears: O, N, S, H (halogen), A (a carboxy group), = (oxo) or - (nothing)."""
    found = [s.numbers[n] for n in s.near[index] if n not in chain and s.numbers[n] in _LETTERS]
    if index in s.carbonyls:
        return "A" if len(found) > 1 else "="
    return _LETTERS[min(found, key=_RANK.index)] if found else "-"


def _end(s: Structure, tail: tuple[int, ...], chain: set[int]) -> str:
    last = s.near[tail[-1]]
    bears = _bears(s, tail[-1], chain)
    if bears == "-":
        return "C" if len(last) == 1 else "X"
    return bears if sum(s.numbers[n] == 6 for n in last) == 1 else "X"


def _side(s: Structure, centre: int, top: int | None, bottom: int, side: int) -> str:
    """R or L: where ``side`` stands in the Fischer projection of ``centre``; ? if not drawn.

    ``top`` None stands for the implicit hydrogen.
    """
    atom = s.mol.GetAtomWithIdx(centre)
    tag = atom.GetChiralTag()
    if tag not in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
        return "=" if atom.GetHybridization() != Chem.HybridizationType.SP3 else "?"
    order: list[int | None] = [b.GetOtherAtomIdx(centre) for b in atom.GetBonds()]
    order += [None] * (4 - len(order))
    wanted: list[int | None] = [top, bottom, side]
    wanted += [i for i in order if i not in wanted]
    if len(wanted) != 4 or any(i not in order for i in wanted):
        return "?"
    places = [order.index(i) for i in wanted]
    odd = sum(places[i] > places[j] for i, j in _PAIRS) % 2
    clockwise = (tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW) != bool(odd)
    return "R" if clockwise else "L"


def _sides(s: Structure, chain: tuple[int, ...], oxygen: int | None) -> str:
    """Sides of what the carbons after the first bear; the ring oxygen counts where it closes."""
    sides = ""
    for before, centre, after in zip(chain[:-1], chain[1:], (*chain[2:], None), strict=True):
        outer = [n for n in s.near[centre] if n not in (before, after)]
        hetero = [n for n in outer if s.numbers[n] in _LETTERS]
        flat = not _tetrahedral(s, centre)
        if after is None or not hetero or flat:
            sides += "=" if flat and after is not None else "-"
            continue
        side = oxygen if oxygen in hetero else min(hetero, key=lambda n: _RANK.index(s.numbers[n]))
        assert side is not None
        sides += _side(s, centre, before, after, side)
    return sides


def _open_chains(s: Structure, used: set[int]) -> Iterator[Sugar]:
    """Acyclic chains of at least four oxygenated carbons that belong to no ring."""
    info = s.mol.GetRingInfo()
    rich = {
        i
        for i, number in enumerate(s.numbers)
        if number == 6 and i not in used and not info.NumAtomRings(i) and _bears(s, i, set()) != "-"
    }
    links = {i: [n for n in s.near[i] if n in rich] for i in rich}
    seen: set[int] = set()
    for start in sorted(rich):
        if start in seen or len(links[start]) != 1:
            continue
        chain = [start]
        while len(after := [i for i in links[chain[-1]] if i not in chain]) == 1:
            chain += after
        seen |= set(chain)
        if 3 <= len(chain) <= 9:
            yield _open(s, chain)


def _open(s: Structure, chain: list[int]) -> Sugar:
    inside = set(chain)
    rank = {"=": 2, "A": 1}
    grade = [rank.get(_bears(s, i, inside), 0) for i in chain]
    if grade[-1] > grade[0] or (grade[-1] == grade[0] and grade[-2] > grade[1]):
        chain = chain[::-1]
    bears = "".join(_bears(s, i, inside) for i in chain)
    at = 1 if bears[1] == "=" else 0
    return Sugar(
        tuple(chain), "", at, _sides(s, tuple(chain[at:]), None), bears[at + 1 :], bears[-1],
        "?", 0, -1,
    )  # fmt: skip
