"""Occlusion: each atom hidden once and nothing else changed, and losses that find what matters."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from rdkit import Chem

from molcaption.chem.molecule import canonical_smiles, parse_smiles, smiles_order
from molcaption.claims import load_lexicon
from molcaption.data.features import FeatureVocabulary
from molcaption.engine.occlusion import atom_losses, occluded
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Runtime

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "c1cc[nH]c1", "C[C@H](N)C(=O)O", "C/C=C/C", "[Cl-].[Na+]",
          "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "[2H]C", "[H][H]", "*C", "BrCCl", "[He]",
          "O=[N+]([O-])c1ccc2ccccc2c1", "C%10CCCCC%10", "[H]/N=C(\\C)N"]  # fmt: skip


def check_occluded(smiles: str) -> None:
    mol = parse_smiles(smiles)
    hidden = occluded(smiles)
    assert len(hidden) == mol.GetNumAtoms(), smiles
    ends = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()]
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    for i, text in enumerate(hidden):
        without = parse_smiles(text)
        expected = [0 if j == i else number for j, number in enumerate(numbers)]
        assert [atom.GetAtomicNum() for atom in without.GetAtoms()] == expected, text
        assert [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in without.GetBonds()] == ends, text
        for before, after in zip(mol.GetAtoms(), without.GetAtoms(), strict=True):
            if after.GetIdx() != i:
                assert after.GetTotalNumHs() == before.GetTotalNumHs(), text


@pytest.mark.parametrize("smiles", SMILES)
def test_one_atom_is_hidden_and_the_rest_is_as_it_was(smiles: str) -> None:
    check_occluded(canonical_smiles(parse_smiles(smiles)))


def test_real_molecules(shared_data: Path) -> None:
    with (shared_data / "captions" / "dev.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[:100]
    for row in rows:
        check_occluded(canonical_smiles(parse_smiles(row["smiles"])))


@pytest.mark.parametrize("smiles", [*SMILES, "OC(=O)c1ccccc1OC(C)=O", "C(O)(C)=O"])
def test_the_order_of_the_smiles(smiles: str) -> None:
    mol = parse_smiles(smiles)
    order = smiles_order(mol)
    assert sorted(order) == list(range(mol.GetNumAtoms()))
    numbers = [mol.GetAtomWithIdx(i).GetAtomicNum() for i in order]
    written = parse_smiles(canonical_smiles(mol))
    assert numbers == [atom.GetAtomicNum() for atom in written.GetAtoms()]
    assert Chem.RenumberAtoms(mol, order).GetSubstructMatch(written) == tuple(range(len(order)))


class _Reader(Runtime):
    """Finds its caption likely where there is chlorine, and a little likelier without bromine."""

    vocabulary = None

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = 32
    ) -> list[float]:
        assert caption == "said"
        return [-10 + 4.0 * ("Cl" in smiles) - 0.5 * ("Br" in smiles) for _, smiles in molecules]


def test_losses_find_what_matters() -> None:
    whole, losses = atom_losses(_Reader(), "CC(Cl)Br", "said", load_lexicon(), 32)
    assert whole == -6.5
    assert losses == [0, 0, 4, -0.5]


class _Listener(Runtime):
    """Keeps what it is asked."""

    def __init__(self, vocabulary: FeatureVocabulary) -> None:
        self.vocabulary = vocabulary
        self.asked: list[Question] = []

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = 32
    ) -> list[float]:
        self.asked.extend(molecules)
        return [0.0] * len(molecules)


def test_graph_features_and_text_are_all_without_the_atom(tiny_model: Path) -> None:
    runtime = _Listener(FeatureVocabulary.load(tiny_model))
    atom_losses(runtime, "CC(=O)O", "said", load_lexicon(), 32)
    (whole, _), *hidden = runtime.asked
    assert [smiles for _, smiles in hidden] == ["*C(=O)O", "C*(=O)O", "CC(=*)O", "CC(=O)*"]
    for i, (view, _) in enumerate(hidden):
        assert view.graph.x[i, 0] == 0 and whole.graph.x[i, 0] != 0
        assert view.features is not None and whole.features is not None
        assert set(view.features.places) < set(whole.features.places)
