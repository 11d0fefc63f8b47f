"""What a captioner reads beside the graph: the molecule's own, whatever the order of its atoms."""

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.data.features import (
    VOCABULARY,
    FeatureVocabulary,
    dense,
    features_of,
    is_morgan,
    views,
)
from molcaption.errors import BadDataError, MissingError

LEXICON = load_lexicon()
SMILES = ["CCO", "CCCO", "CC(=O)O", "Oc1ccccc1", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "[He]"]
FOUND = features_of(SMILES, LEXICON)
LEARNT = FeatureVocabulary.learn(FOUND)


def test_both_kinds_of_features_are_there() -> None:
    kinds = {is_morgan(name) for name in LEARNT.names}
    assert kinds == {True, False}
    assert "proves carboxylic_acid" in FOUND[2]


@pytest.mark.parametrize("smiles", ["CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)N[C@@H](C)C(=O)O"])
def test_the_order_of_atoms_changes_nothing(smiles: str) -> None:
    mol = parse_smiles(smiles)
    turned = Chem.RenumberAtoms(mol, list(reversed(range(mol.GetNumAtoms()))))
    written = Chem.MolToSmiles(turned, canonical=False)
    assert features_of([written], LEXICON)[0] == pytest.approx(features_of([smiles], LEXICON)[0])


def test_mirror_images_differ() -> None:
    assert FOUND[4] != FOUND[5]


def test_rare_features_are_left_out_and_no_row_is_louder_than_another() -> None:
    count = {name: sum(name in features for features in FOUND) for name in LEARNT.names}
    assert min(count.values()) == 3
    rows = dense([LEARNT.row(features) for features in FOUND[:6]])
    assert rows.shape == (6, len(LEARNT.names))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 10, rtol=1e-5)


def test_a_molecule_without_known_features_is_all_zeros() -> None:
    row = LEARNT.row({"has nothing that anybody knows": 1.0})
    assert not dense([row]).any()


def test_rare_features_are_raised_to_unit_variance_but_not_without_end() -> None:
    rare = [{"a": 1.0} if i < 3 else {"b": 2.0} for i in range(3000)]
    learnt = FeatureVocabulary.learn(rare)
    assert learnt.scales[0] == 10
    even = FeatureVocabulary.learn([{"a": 4.0}] * 5 + [{"a": 1.0}] * 5)
    assert even.scales == [1]


def test_saved_and_loaded(tmp_path: Path) -> None:
    LEARNT.save(tmp_path)
    assert FeatureVocabulary.load(tmp_path) == LEARNT


def test_damaged_or_absent(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=VOCABULARY):
        FeatureVocabulary.load(tmp_path)
    for content in ("{", '{"names": ["a"], "scales": []}', '{"other": 1}', "[]"):
        (tmp_path / VOCABULARY).write_text(content)
        with pytest.raises(BadDataError, match="damaged"):
            FeatureVocabulary.load(tmp_path)


def test_views_hold_features_only_for_those_who_read_them() -> None:
    assert all(view.features is None for view in views(SMILES, None, None))
    seen = views(SMILES, LEARNT, FOUND)
    np.testing.assert_array_equal(seen[2].features.values, LEARNT.row(FOUND[2]).values)


def test_looking_only_for_what_a_captioner_knows_leaves_it_the_same_rows() -> None:
    less = features_of(SMILES, LEXICON, LEARNT)
    assert [len(found) for found in less] != [len(found) for found in FOUND]
    for found, all_found in zip(less, FOUND, strict=True):
        row, expected = LEARNT.row(found), LEARNT.row(all_found)
        assert row.places.tolist() == expected.places.tolist()
        assert row.values.tolist() == expected.values.tolist()
