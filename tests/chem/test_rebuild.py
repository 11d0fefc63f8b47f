"""Integer graphs back to molecules."""

import re

import numpy as np
import pytest

from molcaption.chem.graph import featurise
from molcaption.chem.molecule import InvalidMolecule, canonical_smiles, parse_smiles
from molcaption.chem.rebuild import mol_from_graph


def rebuilt(smiles):
    graph = featurise(parse_smiles(smiles))
    return canonical_smiles(mol_from_graph(graph.x, graph.edge_index, graph.edge_attr))


def reread(smiles):
    """Canonical SMILES; twice, as RDKit drops some needless stereo marks only on the way back."""
    return canonical_smiles(parse_smiles(canonical_smiles(parse_smiles(smiles))))


@pytest.mark.parametrize(
    "smiles",
    [
        "C",
        "[Na+].[Cl-]",
        "CC(=O)Oc1ccccc1C(=O)O",
        "c1cc[nH]c1",
        "C[N+](C)(C)CC(=O)[O-]",
        "[CH3]",
        "C[CH]C",
        "C[C@H](N)C(=O)O",
        "C/C=C\\C",
        "C/C=C/C=C\\C(=O)O",
        "CC/C(C)=C(/C)CCC",
        "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
        "*CC*",
        "[H][H]",
        "N->[Pt](Cl)(Cl)<-N",
    ],
)
def test_comes_back_exactly(smiles):
    assert rebuilt(smiles) == canonical_smiles(parse_smiles(smiles))


def test_enantiomers_stay_apart():
    assert rebuilt("C[C@H](N)C(=O)O") != rebuilt("C[C@@H](N)C(=O)O")


def test_hundreds_of_real_molecules(shared_data):
    lines = (shared_data / "captions" / "dev.tsv").read_text("utf-8").splitlines()
    column = lines[0].split("\t").index("smiles")
    smiles = [line.split("\t")[column] for line in lines[1:]]
    texts = [text for text in smiles if not re.search(r"\[\d", text)]  # isotopes have no code
    different = [text for text in texts if rebuilt(text) != reread(text)]
    assert len(texts) > 450
    assert len(different) / len(texts) <= 0.01, different


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, i, a: (x[:, :8], i, a), r"x has the shape \[3, 8\]"),
        (lambda x, i, a: (x, i[:1], a), r"edge_index has the shape \[1, 4\]"),
        (lambda x, i, a: (x, i, a[:1]), "edge_attr has 1 rows for 4 bonds"),
        (lambda x, i, a: (x, i + 5, a), "bond between atoms 5 and 6 of 3"),
        (lambda x, i, a: (x + 500, i, a), "atom 0: atomic_number code 506"),
        (lambda x, i, a: (x, i, a - 1), "bond 0: stereo code -1"),
        (lambda x, i, a: (x + 0.5, i, a), "not integers"),
        (lambda x, i, a: (x[:0], i[:, :0], a[:0]), "no atoms"),
    ],
)
def test_bad_codes_are_named(change, message):
    graph = featurise(parse_smiles("CCO"))
    with pytest.raises(InvalidMolecule, match=message):
        mol_from_graph(*change(graph.x, graph.edge_index, graph.edge_attr))


def test_impossible_valence_has_rdkits_reason():
    graph = featurise(parse_smiles("CC"))
    x = graph.x.copy()
    x[:, 4] = 8
    with pytest.raises(InvalidMolecule, match="valence"):
        mol_from_graph(x, graph.edge_index, graph.edge_attr)


def test_bonds_given_once_are_enough():
    graph = featurise(parse_smiles("CCO"))
    once = graph.edge_index[0] < graph.edge_index[1]
    mol = mol_from_graph(graph.x, graph.edge_index[:, once], graph.edge_attr[once])
    assert canonical_smiles(mol) == "CCO"
    assert np.array_equal(featurise(mol).x, graph.x)
