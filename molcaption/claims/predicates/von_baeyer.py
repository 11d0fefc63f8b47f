"""Von Baeyer names such as "tricyclo[6.2.2.0(2,7)]" and "spiro[4.5]": they fix the skeleton."""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from rdkit import Chem

from molcaption.claims.structure import Structure

_BRIDGE = re.compile(r"(\d+)(?:[(^{]+(\d+),(\d+)[)}]*)?")


def von_baeyer(structure: Structure, kind: str, bridges: str) -> int:
    """Whether the skeleton that ``kind[bridges]`` describes is there, in any elements and bonds."""
    query = _skeleton(str(kind).lower(), str(bridges))
    return int(query is not None and structure.mol.HasSubstructMatch(query))


@lru_cache(maxsize=256)
def _skeleton(kind: str, bridges: str) -> Chem.Mol | None:
    parts = [(int(n), int(i or 0), int(j or 0)) for n, i, j in _BRIDGE.findall(bridges)]
    lengths = [n for n, _, _ in parts]
    if kind == "spiro":
        first, second = lengths
        return _query([[0, *range(1, first + 1), 0], [0, *range(first + 1, first + second + 1), 0]])
    a, b, c = lengths[:3]
    ring = a + b + 2
    paths = [[*range(ring), 0], [0, *range(ring, ring + c), a + 1]]
    n_atoms = ring + c
    for n, i, j in parts[3:]:
        if not 0 < i < j <= n_atoms:
            return None
        paths.append([j - 1, *range(n_atoms, n_atoms + n), i - 1])
        n_atoms += n
    return _query(paths)


def _query(paths: list[list[int]]) -> Chem.Mol:
    """Any heavy atoms, joined along the paths by any bonds."""
    mol = Chem.RWMol()
    for _ in range(max(map(max, paths)) + 1):
        mol.AddAtom(Chem.AtomFromSmarts("[!#1]"))
    for path in paths:
        for i, j in pairwise(path):
            index = mol.AddBond(i, j, Chem.BondType.SINGLE) - 1
            mol.ReplaceBond(index, Chem.BondFromSmarts("~"))
    return mol.GetMol()


PREDICATES: dict[str, Callable[..., int]] = {"von_baeyer": von_baeyer}
