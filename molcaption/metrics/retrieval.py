"""Retrieval: does the right partner come first, and which known molecule is nearest.

Ties count against the system: a score that cannot tell two partners apart has not found the right
one. (Counting ties as hits makes a constant scorer look perfect.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity, TanimotoSimilarity

MORGAN_RADIUS = 2
MORGAN_BITS = 2048


def ranks(
    scores: npt.NDArray[np.floating[Any]], targets: npt.NDArray[np.integer[Any]] | None = None
) -> npt.NDArray[np.int64]:
    """Rank, from 1, of each query's right partner among all candidates; higher scores come first.

    A candidate that ties with the right one is ranked before it, and so is one scored NaN.

    Shapes:
        scores [Q, C]: query times candidate.
        targets [Q]: column of the right partner; by default the diagonal.
        result [Q].

    Raises:
        ValueError: the shapes do not fit, or a target is not a column.
    """
    if scores.ndim != 2:
        raise ValueError(f"scores need two axes, queries and candidates, got shape {scores.shape}")
    n_queries, n_candidates = scores.shape
    columns = np.arange(n_queries) if targets is None else targets
    if columns.shape != (n_queries,) or np.any((columns < 0) | (columns >= n_candidates)):
        raise ValueError(
            f"{n_queries} queries need one target each among {n_candidates} candidates"
        )
    right = scores[np.arange(n_queries), columns][:, None]
    before = ~(scores < right)  # the target itself is among them, hence ranks from 1
    return before.sum(axis=1)


def recall_at(ranks: npt.NDArray[np.int64], k: int) -> float:
    """Share of queries whose right partner is among the first ``k``; NaN without queries."""
    return float(np.mean(ranks <= k)) if ranks.size else float("nan")


def mean_reciprocal_rank(ranks: npt.NDArray[np.int64]) -> float:
    """Mean of 1/rank (MRR); NaN without queries."""
    return float(np.mean(1.0 / ranks)) if ranks.size else float("nan")


def retrieval_scores(
    scores: npt.NDArray[np.floating[Any]], ks: Sequence[int] = (1, 10)
) -> dict[str, float]:
    """``r@k`` for each k, ``mrr``, and ``mrr_chance``, the MRR of a random order.

    Shapes:
        scores [B, B]: row i's right partner is column i.
    """
    found = ranks(scores)
    chance = mean_reciprocal_rank(np.arange(1, scores.shape[1] + 1))
    recalls = {f"r@{k}": recall_at(found, k) for k in ks}
    return {**recalls, "mrr": mean_reciprocal_rank(found), "mrr_chance": chance}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Place of a molecule in the index, and its Tanimoto similarity to the query (0 to 1)."""

    index: int
    similarity: float


class FingerprintIndex:
    """Molecules to be searched by Tanimoto similarity of Morgan fingerprints (radius 2, 2048 bits).

    Exhaustive: a query takes about a microsecond per molecule in the index.
    """

    def __init__(self, mols: Iterable[Chem.Mol]) -> None:
        self._generator = rdFingerprintGenerator.GetMorganGenerator(
            radius=MORGAN_RADIUS, fpSize=MORGAN_BITS
        )
        self._fingerprints = [self._generator.GetFingerprint(mol) for mol in mols]

    def __len__(self) -> int:
        return len(self._fingerprints)

    def similarities(self, mol: Chem.Mol) -> npt.NDArray[np.float64]:
        """Tanimoto similarity of ``mol`` to every molecule of the index, [len(self)]."""
        fingerprint = self._generator.GetFingerprint(mol)
        return np.array(BulkTanimotoSimilarity(fingerprint, self._fingerprints), dtype=np.float64)

    def similarity(self, mol: Chem.Mol, index: int) -> float:
        """Tanimoto similarity of ``mol`` to one molecule of the index."""
        fingerprint = self._generator.GetFingerprint(mol)
        return float(TanimotoSimilarity(fingerprint, self._fingerprints[index]))

    def nearest(self, mol: Chem.Mol, k: int = 1) -> list[Neighbour]:
        """The ``k`` most similar molecules, best first; of equals the earlier in the index."""
        similarities = self.similarities(mol)
        order = np.argsort(-similarities, kind="stable")[:k]
        return [Neighbour(int(i), float(similarities[i])) for i in order]


class VectorIndex:
    """Molecules to be searched by cosine similarity of their vectors [M, D]."""

    def __init__(self, vectors: npt.NDArray[np.float64]) -> None:
        self._directions = _directions(vectors)

    def nearest(self, queries: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Places of the most similar molecules; queries [B, D] to [B]."""
        return np.argmax(_directions(queries) @ self._directions.T, axis=1)


def _directions(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, np.finfo(np.float64).tiny)
