"""Hints: never refuted by the structure, the same for every order of atoms, and kept on disk."""

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon, profile
from molcaption.data.hints import FILES, MIN_PROBABILITY, Hinter, HintVocabulary, said_phrases
from molcaption.errors import BadDataError, MissingError

LEXICON = load_lexicon()
SMILES = ["CCO", "CC(=O)O", "Oc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)[O-]", "CCCCO"]
DESCRIPTIONS = [
    "The molecule is a primary alcohol. It has a role as a solvent.",
    "The molecule is a monocarboxylic acid. It has a role as a solvent.",
    "The molecule is a member of phenols. It has a role as a disinfectant.",
    "The molecule is a benzoic acid carrying an acetyloxy group. It is a monocarboxylic acid.",
    "The molecule is an alpha-amino acid anion. It is a conjugate base of an alanine.",
    "The molecule is a primary alcohol that is butane carrying a hydroxy group.",
]
PROFILES = [profile(parse_smiles(smiles), LEXICON) for smiles in SMILES]


@pytest.fixture(scope="module")
def hinter() -> Hinter:
    """All phrases equally likely, whatever the molecule."""
    said = [said_phrases(text, LEXICON) for text in DESCRIPTIONS] * 3
    vocabulary = HintVocabulary.learn(PROFILES * 3, said, LEXICON)
    n, p = len(vocabulary.features), len(vocabulary.keys)
    rng = np.random.default_rng(0)
    weights = {
        "first": rng.normal(size=(n, 5)), "first_bias": np.zeros(5),
        "second": 0.1 * rng.normal(size=(5, p)), "second_bias": np.zeros(p),
    }  # fmt: skip
    return Hinter(vocabulary, {k: v.astype(np.float32) for k, v in weights.items()})


def test_said_phrases_name_classes_groups_and_roles() -> None:
    said = said_phrases(DESCRIPTIONS[5], LEXICON)
    assert "primary alcohol" in said
    assert "concept hydroxy" in said
    assert "role solvent" in said_phrases(DESCRIPTIONS[0], LEXICON)


def test_a_hint_is_never_refuted(hinter: Hinter) -> None:
    for found, possible in zip(PROFILES, [0, 1, 2, 3, 4, 5], strict=True):
        hints = hinter.hints(found, 50)
        assert hints
        assert ("primary alcohol" in hints) == (possible in (0, 5))
        assert ("phenols" in hints) == (possible == 2)
        assert "role solvent" in hints  # nothing in a structure refutes a role


def test_likeliest_first_and_no_more_than_asked(hinter: Hinter) -> None:
    chances = dict(zip(hinter.vocabulary.texts, hinter.probabilities(PROFILES[3]), strict=True))
    hints = hinter.hints(PROFILES[3], 3)
    assert len(hints) == 3
    assert [chances[hint] for hint in hints] == sorted(chances.values(), reverse=True)[:3]
    assert min(chances[hint] for hint in hints) > MIN_PROBABILITY
    assert hinter.hints(PROFILES[3], 0) == ()


def test_order_of_atoms_changes_nothing(hinter: Hinter) -> None:
    mol = parse_smiles(SMILES[3])
    turned = Chem.RenumberAtoms(mol, list(reversed(range(mol.GetNumAtoms()))))
    assert profile(turned, LEXICON) == PROFILES[3]
    assert hinter.hints(profile(turned, LEXICON), 9) == hinter.hints(PROFILES[3], 9)


def test_phrases_are_named_once(hinter: Hinter) -> None:
    assert len(set(hinter.vocabulary.texts)) == len(hinter.vocabulary.texts)
    assert not [text for text in hinter.vocabulary.texts if "_" in text]


def test_saved_and_loaded(hinter: Hinter, tmp_path: Path) -> None:
    hinter.save(tmp_path)
    loaded = Hinter.load(tmp_path)
    assert loaded.vocabulary == hinter.vocabulary
    for found in PROFILES:
        expected = hinter.probabilities(found)
        assert loaded.probabilities(found) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", FILES)
def test_missing_and_damaged_files(hinter: Hinter, tmp_path: Path, name: str) -> None:
    hinter.save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadDataError, match="damaged"):
        Hinter.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(MissingError, match=name):
        Hinter.load(tmp_path)
