"""All concepts of a lexicon at once: which of them a molecule is too poor for.

Nine tests of ten miss, most of them because the molecule lacks an element, a ring or a small
skeleton of elements that the test needs (requirements.py), or that a test of the concept's parents
needs. For all concepts together that is a comparison of two matrices with what the molecule has.

Dims: C concepts, E elements, W words of 64 bits.
"""

from collections.abc import Mapping
from functools import cached_property, reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from molcaption.claims.paths import N_PATHS, paths_of
from molcaption.claims.requirements import Requirement, requirement

if TYPE_CHECKING:
    from molcaption.claims.entry import Concept
    from molcaption.claims.structure import Structure


_PAYS = 100
"""Molecules that save what it takes to read the needs of the built-in lexicon's tests."""


class _Matrices(NamedTuple):
    """What each concept needs: atoms of the elements ``numbers`` and rings, and paths."""

    numbers: list[int]
    least: NDArray[np.int32]  # [C, E + 1]
    paths: NDArray[np.uint64]  # [C, W]


class Screen:
    """What each concept needs, read once it pays: so many molecules come through unscreened."""

    def __init__(self, concepts: Mapping[str, "Concept"]) -> None:
        self._concepts = concepts
        self._keys = list(concepts)
        self._asked = 0

    def prepare(self) -> None:
        """Read it now, to screen the first molecule already."""
        self._asked = _PAYS
        _ = self._matrices

    def left(self, structure: "Structure") -> list[str]:
        """Ids of the concepts that the structure may have, in the lexicon's order."""
        if self._asked < _PAYS:
            self._asked += 1
            return self._keys
        numbers, least, paths = self._matrices
        has = [structure.element_counts.get(number, 0) for number in numbers]
        rows = np.flatnonzero((least <= [*has, len(structure.rings)]).all(axis=1))
        lacking = ~_words(paths_of(structure.mol, structure.numbers))
        rows = rows[~(paths[rows] & lacking).any(axis=1)]
        return [self._keys[row] for row in rows]

    @cached_property
    def _matrices(self) -> _Matrices:
        needs = _needs(self._concepts).values()
        numbers = sorted({number for need in needs for number in need.atoms})
        least = [[*(need.atoms.get(n, 0) for n in numbers), need.rings] for need in needs]
        paths = [_words(need.paths) for need in needs]
        return _Matrices(
            numbers,
            np.array(least, np.int32).reshape(-1, len(numbers) + 1),
            np.array(paths, np.uint64).reshape(-1, N_PATHS // 64),
        )


def _needs(concepts: Mapping[str, "Concept"]) -> dict[str, Requirement]:
    """What each concept needs, its parents' needs among it; a builtin test needs nothing."""
    found: dict[str, Requirement] = {}

    def need(key: str) -> Requirement:
        if key not in found:
            test = concepts[key].test
            query = None if test is None else test.query
            own = Requirement() if query is None else requirement(query, paths=True)
            found[key] = reduce(Requirement.__or__, map(need, concepts[key].parents), own)
        return found[key]

    return {key: need(key) for key in concepts}


def _words(paths: int) -> NDArray[np.uint64]:
    return np.frombuffer(paths.to_bytes(N_PATHS // 8, "little"), np.uint64)
