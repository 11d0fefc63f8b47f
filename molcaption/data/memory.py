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


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A similar molecule's caption and how similar it is, from 0 to 1."""

    similarity: float
    caption: str


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
        similarity = self._index.products(vector(features))
        nearest = np.argsort(-similarity, kind="stable")[:limit]
        return tuple(Neighbour(min(1.0, float(similarity[i])), self._captions[i]) for i in nearest)
