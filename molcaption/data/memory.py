"""The nearest molecules whose captions are known, by what the claims engine finds in both.

Similarity is a weighted cosine of two descriptions of a molecule: its profile (classes and groups
of the lexicon) and its Morgan counts with chirality. On ChEBI-20's validation split, copying the
caption of the nearest molecule by it gives BLEU-4 .419, by Tanimoto on Morgan bits .394.

Dims: M molecules of the memory, Z features that they have in all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molcaption.data.features import Features, is_morgan

_PROFILE_SHARE = 0.7
_POWER, _NOISE = 3, 0.1
"""Of the kernel of two molecules, similarity to the third power, and what is added where both are
the same: how far a known caption is from what another hand would have written. Chosen on the
validation split (docs/quality.md)."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A similar molecule's caption.

    Attributes:
        similarity: of the molecule, from 0 to 1.
        weight: what the caption tells beside the other neighbours', 0 or more: of five captions of
            one series each counts a fifth.
    """

    similarity: float
    caption: str
    weight: float


def vector(features: Features) -> Features:
    """A molecule's features at unit length; the product of two such is their similarity."""
    known = {name: value for name, value in features.items() if not is_morgan(name)}
    morgan = {name: value for name, value in features.items() if is_morgan(name)}
    return _unit(known, _PROFILE_SHARE) | _unit(morgan, 1 - _PROFILE_SHARE)


def _unit(features: Features, share: float) -> Features:
    norm = np.sqrt(sum(value * value for value in features.values()))
    scale = np.sqrt(share) / max(norm, 1e-9)
    return {name: float(scale * value) for name, value in features.items()}


@dataclass(frozen=True)
class VectorTable:
    """Sparse vectors as three arrays, one entry for each value that is not 0.

    Shapes: ``names`` [Z]; ``rows``, ``columns`` and ``values`` [entries], rows rising.
    """

    names: NDArray[np.str_]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Sequence[Features]) -> Self:
        """The table of some vectors."""
        places: dict[str, int] = {}
        columns = [places.setdefault(name, len(places)) for row in vectors for name in row]
        return cls(
            names=np.array(list(places), np.str_),
            rows=np.repeat(np.arange(len(vectors), dtype=np.int32), [len(v) for v in vectors]),
            columns=np.array(columns, np.int32),
            values=np.array([value for row in vectors for value in row.values()], np.float32),
        )

    def products(self, query: Features) -> NDArray[np.float64]:
        """The product of each row with a vector: [M]."""
        dense = np.zeros(len(self.names), np.float32)
        for name, value in query.items():
            if (place := self._places.get(name)) is not None:
                dense[place] = value
        products = np.bincount(self.rows, weights=self.values * dense[self.columns])
        return products.astype(np.float64, copy=False)

    def dense(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Some of the vectors, as a matrix [len(rows), Z]."""
        matrix = np.zeros((len(rows), len(self.names)), np.float32)
        for line, row in zip(matrix, rows, strict=True):
            part = slice(*np.searchsorted(self.rows, (row, row + 1)))
            line[self.columns[part]] = self.values[part]
        return matrix

    @cached_property
    def _places(self) -> dict[str, int]:
        return {str(name): i for i, name in enumerate(self.names)}


class Memory:
    """Captioned molecules that can be asked for the nearest ones.

    Args:
        index: of their vectors.
        captions: of each molecule.
    """

    def __init__(self, index: VectorTable, captions: Sequence[str]) -> None:
        self._index = index
        self._captions = captions

    def __len__(self) -> int:
        return len(self._captions)

    def neighbours(self, features: Features, limit: int) -> tuple[Neighbour, ...]:
        """The nearest ones, nearest first; of equals the first of the file."""
        similarity = self._index.products(vector(features)).clip(0, 1)
        nearest = np.argsort(-similarity, kind="stable")[:limit]
        vectors = self._index.dense(nearest)
        weights = _weights(similarity[nearest], vectors @ vectors.T)
        return tuple(
            Neighbour(float(similarity[place]), self._captions[place], float(weight))
            for place, weight in zip(nearest, weights, strict=True)
        )


def _weights(similarity: NDArray[np.float64], among: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much each of some known molecules tells of another one.

    The mean of a Gaussian process (Rasmussen and Williams, "Gaussian Processes for Machine
    Learning", 2006, eq. 2.25) is a weighted sum of what is known. Weights below 0 become 0.

    Args:
        similarity: of each to the other one, [N].
        among: similarities of each to each, [N, N].
    """
    kernel = among.clip(0, 1).astype(np.float64) ** _POWER + _NOISE * np.eye(len(among))
    return np.linalg.solve(kernel, similarity**_POWER).clip(0)
