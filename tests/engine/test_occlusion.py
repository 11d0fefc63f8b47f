"""Occlusion: each atom hidden once and nothing else changed, and losses that find what matters."""

import csv
from collections import Counter
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

UNREADABLE = "COc1ccc2c(-c3c4c5c(cc6c(c5c5cc(OC)ccc35)OCO6)CCN4)c3c4c(cc5c(c4c2c1)OCO5)CCN3"
"""With ``*`` in place of an atom of its rings it cannot be read again."""
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "c1cc[nH]c1", "C[C@H](N)C(=O)O", "C/C=C/C", "[Cl-].[Na+]",
          "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "[2H]C", "[H][H]", "*C", "BrCCl", "[He]", UNREADABLE,
          "O=[N+]([O-])c1ccc2ccccc2c1", "C%10CCCCC%10", "[H]/N=C(\\C)N"]  # fmt: skip


class _Listener(Runtime):
    """Keeps what it is asked; finds a caption likely where there is chlorine, and a little likelier
    without bromine."""

    def __init__(self, vocabulary: FeatureVocabulary | None = None) -> None:
        self.vocabulary = vocabulary
        self.asked: list[Question] = []

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = 32
    ) -> list[float]:
        self.asked.extend(molecules)
        return [-10 + 4.0 * ("Cl" in smiles) - 0.5 * ("Br" in smiles) for _, smiles in molecules]


def check_occluded(given: str) -> None:
    smiles = canonical_smiles(parse_smiles(given))
    atoms = [(a.GetAtomicNum(), a.GetTotalNumHs()) for a in parse_smiles(smiles).GetAtoms()]
    bonds = parse_smiles(smiles).GetNumBonds()
    asked = occluded(smiles, _Listener(), load_lexicon())
    assert len(asked) == len(atoms), smiles
    for i, (view, text) in enumerate(asked):
        # columns: 0 is the atomic number, 4 the hydrogens (molcaption/chem/graph.py)
        seen = Counter(
            (int(number), int(hydrogens)) for number, hydrogens in view.graph.x[:, [0, 4]]
        )
        assert seen == Counter([*atoms[:i], (0, 0), *atoms[i + 1 :]]), text
        assert view.graph.edge_attr.shape[0] == 2 * bonds, text
        if (read := Chem.MolFromSmiles(text)) is not None:
            assert [a.GetAtomicNum() for a in read.GetAtoms()] == [
                0 if j == i else number for j, (number, _) in enumerate(atoms)
            ]


@pytest.mark.parametrize("smiles", SMILES)
def test_one_atom_is_hidden_and_the_rest_is_as_it_was(smiles: str) -> None:
    check_occluded(smiles)


def test_real_molecules(shared_data: Path) -> None:
    with (shared_data / "captions" / "dev.tsv").open(encoding="utf-8", newline="") as file:
        for row in list(csv.DictReader(file, delimiter="\t"))[:50]:
            check_occluded(row["smiles"])


@pytest.mark.parametrize("smiles", [*SMILES, "OC(=O)c1ccccc1OC(C)=O", "C(O)(C)=O"])
def test_the_order_of_the_smiles(smiles: str) -> None:
    mol = parse_smiles(smiles)
    order = smiles_order(mol)
    written = parse_smiles(canonical_smiles(mol))
    for theirs, ours in zip(Chem.RenumberAtoms(mol, order).GetAtoms(), written.GetAtoms(),
                            strict=True):  # fmt: skip
        assert theirs.GetAtomicNum() == ours.GetAtomicNum()
        neighbours = [sorted(n.GetIdx() for n in a.GetNeighbors()) for a in (theirs, ours)]
        assert neighbours[0] == neighbours[1]


def test_losses_find_what_matters() -> None:
    whole, losses = atom_losses(_Listener(), "CC(Cl)Br", "said", load_lexicon(), 32)
    assert whole == -6.5
    assert losses == [0, 0, 4, -0.5]


def test_graph_features_and_text_are_all_without_the_atom(tiny_model: Path) -> None:
    runtime = _Listener(FeatureVocabulary.load(tiny_model))
    atom_losses(runtime, "CC(=O)O", "said", load_lexicon(), 32)
    (whole, _), *hidden = runtime.asked
    assert [smiles for _, smiles in hidden] == ["*C(=O)O", "C*(=O)O", "CC(=*)O", "CC(=O)*"]
    for view, _ in hidden:
        assert sum(view.graph.x[:, 0] == 0) == 1 and not sum(whole.graph.x[:, 0] == 0)
        assert view.features is not None and whole.features is not None
        assert set(view.features.places.tolist()) != set(whole.features.places.tolist())
