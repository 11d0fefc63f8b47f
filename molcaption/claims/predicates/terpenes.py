"""Terpenoids by their carbons: stretches of C-C bonds that oxygen, nitrogen and sugars end."""

from collections.abc import Callable, Iterator

from molcaption.claims.structure import Structure

Stretch = tuple[frozenset[int], int, int]


def _stretches(structure: Structure) -> list[Stretch]:
    """Per stretch of C-C bonds: its carbons, how many are ends, how many aromatic."""
    return structure.keep("carbon_stretches", lambda: list(_walk(structure)))


def _walk(structure: Structure) -> Iterator[Stretch]:
    mol, seen = structure.mol, set[int]()
    for start in (a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() == 6):
        if start in seen:
            continue
        queue, hetero, ends, aromatic = [start], 0, 0, 0
        seen.add(start)
        for index in queue:
            atom = mol.GetAtomWithIdx(index)
            near = [a.GetIdx() for a in atom.GetNeighbors() if a.GetAtomicNum() == 6]
            ends += len(near) == 1
            aromatic += atom.GetIsAromatic()
            hetero += len(near) < atom.GetDegree()
            queue.extend(a for a in near if a not in seen)
            seen.update(near)
        if hetero < 0.85 * len(queue):  # else a sugar
            yield frozenset(queue), ends, aromatic


def carbon_skeleton(
    structure: Structure, low: int, high: int, ends: int = 0, aromatic: int = 99
) -> int:
    """Stretches of ``low`` to ``high`` carbons joined by C-C bonds that are no sugar's.

    Ethers, esters and glycosides end a stretch, so a terpenoid's own carbons remain. ``ends``:
    least number of methyls and other end carbons; ``aromatic``: most aromatic carbons.
    """
    return sum(
        low <= len(atoms) <= high and tips >= ends and flat <= aromatic
        for atoms, tips, flat in _stretches(structure)
    )


def terpenoid(structure: Structure, low: int, high: int, ends: int) -> int:
    """As ``carbon_skeleton``, or a stretch whose carbons outside aromatic rings are so many."""
    return sum(
        tips >= ends
        and (low <= len(atoms) <= high or (flat > 0 and low - 2 <= len(atoms) - flat <= high + 1))
        for atoms, tips, flat in _stretches(structure)
    )


_SIZES = {"monoterp": (9, 12), "sesquiterp": (13, 17), "diterp": (17, 22)}
_SIZES |= {"sesterterp": (23, 26), "triterp": (19, 36), "tetraterp": (37, 50)}


def _ring_counts(structure: Structure, kind: str) -> Iterator[tuple[int, int]]:
    """Per stretch of a terpenoid's size: rings of carbon alone, and rings with two such carbons."""
    low, high = _SIZES[kind.lower()]
    for atoms, _, _ in _stretches(structure):
        if low <= len(atoms) <= high:
            carbocycles = sum(ring <= atoms for ring in structure.rings)
            yield carbocycles, sum(len(ring & atoms) > 1 for ring in structure.rings)


def terpenoid_rings(structure: Structure, n: int, kind: str) -> int:
    """A terpenoid of ``n`` rings: not fewer than its carbocycles, not more than all its rings."""
    return int(any(low <= int(n) <= high for low, high in _ring_counts(structure, kind)))


def surely_terpenoid_rings(structure: Structure, n: int, kind: str) -> int:
    """A terpenoid of ``n`` carbocycles, or of ``n`` rings with its lactones and ethers."""
    return int(any(int(n) in counts for counts in _ring_counts(structure, kind)))


PREDICATES: dict[str, Callable[..., int]] = {
    "carbon_skeleton": carbon_skeleton,
    "surely_terpenoid_rings": surely_terpenoid_rings,
    "terpenoid": terpenoid,
    "terpenoid_rings": terpenoid_rings,
}
