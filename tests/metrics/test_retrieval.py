import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import TanimotoSimilarity

from molcaption.metrics.retrieval import (
    FingerprintIndex,
    VectorIndex,
    mean_reciprocal_rank,
    ranks,
    recall_at,
    retrieval_scores,
)

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CCCO", "OCC", "[Na+].[Cl-]"]


def test_ranks_and_scores() -> None:
    scores = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.2, 0.1]])
    assert ranks(scores).tolist() == [1, 2, 3]
    assert recall_at(ranks(scores), 2) == pytest.approx(2 / 3)
    assert mean_reciprocal_rank(ranks(scores)) == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_constant_scorer_has_found_nothing() -> None:
    scores = retrieval_scores(np.zeros((20, 20)))
    assert scores["r@1"] == scores["r@10"] == 0.0
    assert scores["mrr"] == pytest.approx(1 / 20)
    assert scores["mrr_chance"] == pytest.approx(np.mean(1 / np.arange(1, 21)))


def test_nan_counts_against_the_system() -> None:
    scores = np.full((3, 3), np.nan)
    scores[0, 0] = 1.0
    assert ranks(scores).tolist() == [3, 3, 3]


def test_targets_other_than_the_diagonal() -> None:
    assert ranks(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([2])).tolist() == [2]
    with pytest.raises(ValueError, match="one target each"):
        ranks(np.zeros((1, 4)), np.array([4]))
    with pytest.raises(ValueError, match="one target each"):
        ranks(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="two axes"):
        ranks(np.zeros(3))


def test_no_queries_give_nan() -> None:
    assert np.isnan(recall_at(np.array([], dtype=np.int64), 1))
    assert np.isnan(mean_reciprocal_rank(np.array([], dtype=np.int64)))


def test_nearest_is_the_best_of_an_exhaustive_search() -> None:
    mols = [Chem.MolFromSmiles(smiles) for smiles in SMILES]
    index = FingerprintIndex(mols)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    query = Chem.MolFromSmiles("O=C(O)c1ccccc1O")
    fingerprint = generator.GetFingerprint(query)
    plain = [TanimotoSimilarity(fingerprint, generator.GetFingerprint(mol)) for mol in mols]
    best = index.nearest(query)[0]
    assert (best.index, best.similarity) == (2, max(plain))
    assert index.similarities(query).tolist() == plain
    assert index.similarity(query, 3) == plain[3]
    assert len(index) == len(SMILES)


def test_of_equals_the_first_is_nearest() -> None:
    index = FingerprintIndex(Chem.MolFromSmiles(smiles) for smiles in SMILES)
    found = index.nearest(Chem.MolFromSmiles("CCO"), k=2)
    assert [(n.index, n.similarity) for n in found] == [(0, 1.0), (4, 1.0)]
    assert len(index.nearest(Chem.MolFromSmiles("CCO"), k=99)) == len(SMILES)


def test_nearest_by_direction_and_not_by_length() -> None:
    index = VectorIndex(np.array([[10.0, 0.0], [0.1, 0.1], [0.0, 3.0], [0.0, 0.0]]))
    queries = np.array([[0.2, 0.01], [5.0, 5.0], [-1.0, 8.0], [0.0, 0.0]])
    assert index.nearest(queries).tolist() == [0, 1, 2, 0]  # of equals the first
