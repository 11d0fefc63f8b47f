"""All concepts of a lexicon at once: which of them a molecule is too poor for.

Nine tests of ten miss, most of them because the molecule lacks an element, a ring or a small
skeleton of elements that the test needs (requirements.py), or that a test of the concept's parents
needs. For all concepts together that is a comparison of two matrices with what the molecule has.

Dims: C concepts, E elements, W words of 64 bits.
"""

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from molcaption.claims.paths import N_PATHS, paths_of
from molcaption.claims.requirements import Requirement

if TYPE_CHECKING:
    from molcaption.claims.entry import Concept
    from molcaption.claims.structure import Structure


class Screen:
    """What each concept needs, as matrices."""

    def __init__(self, concepts: Mapping[str, "Concept"]) -> None:
        needs = _needs(concepts)
        self._keys = list(needs)
        self._numbers = sorted({number for need in needs.values() for number in need.atoms})
        rows = [[*(n.atoms.get(e, 0) for e in self._numbers), n.rings] for n in needs.values()]
        self._least = np.array(rows, np.int32).reshape(-1, len(self._numbers) + 1)  # [C, E + 1]
        paths = [_words(need.paths) for need in needs.values()]
        self._paths = np.array(paths, np.uint64).reshape(-1, N_PATHS // 64)  # [C, W]

    def left(self, structure: "Structure") -> list[str]:
        """Ids of the concepts that the structure may have, in the lexicon's order."""
        has = [structure.element_counts.get(number, 0) for number in self._numbers]
        rows = np.flatnonzero((self._least <= [*has, len(structure.rings)]).all(axis=1))
        lacking = ~_words(paths_of(structure.mol, structure.numbers))
        rows = rows[~(self._paths[rows] & lacking).any(axis=1)]
        return [self._keys[row] for row in rows]


def _needs(concepts: Mapping[str, "Concept"]) -> dict[str, Requirement]:
    """What each concept needs, its parents' needs among it; a builtin test needs nothing."""
    found: dict[str, Requirement] = {}

    def need(key: str) -> Requirement:
        if key not in found:
            test = concepts[key].test
            own = Requirement() if test is None else test.needs
            found[key] = reduce(Requirement.__or__, map(need, concepts[key].parents), own)
        return found[key]

    return {key: need(key) for key in concepts}


def _words(paths: int) -> NDArray[np.uint64]:
    return np.frombuffer(paths.to_bytes(N_PATHS // 8, "little"), np.uint64)
