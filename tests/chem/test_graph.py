"""Our integer codes against PyTorch Geometric's own, on real and on odd molecules."""

import csv
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molcaption.chem.graph import (
    ATOM_FEATURES,
    ATOM_VOCABULARY,
    BOND_VOCABULARY,
    Graph,
    collate_graphs,
    featurise,
)

HARD = (
    "C", "[H][H]", "[Na+].[Cl-]", "*CC*", "F/C=C/F", "F/C=C\\F", "C[C@H](N)O", "C[C@@H](N)O",
    "[13CH4]", "[CH3]", "c1ccc2[nH]ccc2c1", "C#N", "O=S(=O)(O)O", "[Cu+2]", "N->[Cu]", "CC=C=CC",
    "[O-][n+]1ccccc1", "C1CC12CC2", "B", "[U]", "C~C",
)  # fmt: skip


@pytest.mark.parametrize("smiles", HARD)
def test_equals_from_smiles_on_hard_molecules(smiles: str) -> None:
    _assert_equal(smiles)


def test_equals_from_smiles_on_thousands_of_real_molecules(shared_data: Path) -> None:
    with (shared_data / "captions" / "train.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows[::4]:
        _assert_equal(row["smiles"])
    assert len(rows[::4]) > 2500


def _assert_equal(smiles: str) -> None:
    from torch_geometric.utils import from_smiles

    expected = from_smiles(smiles)
    graph = featurise(Chem.MolFromSmiles(smiles))
    np.testing.assert_array_equal(graph.x, expected.x.numpy())
    np.testing.assert_array_equal(graph.edge_index, expected.edge_index.numpy())
    np.testing.assert_array_equal(graph.edge_attr, expected.edge_attr.numpy())


def test_values_outside_the_tables_go_to_the_unknown_bucket() -> None:
    mol = Chem.MolFromSmiles("[Fe+8]", sanitize=False)
    mol.UpdatePropertyCache(strict=False)
    charge = ATOM_FEATURES.index("charge")
    assert featurise(mol).x[0, charge] == ATOM_VOCABULARY[charge]
    square = Chem.MolFromSmiles("[Pt@SP1](F)(Cl)(Br)I")  # SP2D, which from_smiles cannot say
    hybridization = ATOM_FEATURES.index("hybridization")
    assert featurise(square).x[0, hybridization] == ATOM_VOCABULARY[hybridization]


def test_codes_stay_within_vocabulary_and_unknown_bucket() -> None:
    for smiles in HARD:
        graph = featurise(Chem.MolFromSmiles(smiles))
        assert (graph.x >= 0).all()
        assert (graph.x <= np.array(ATOM_VOCABULARY)).all()
        assert (graph.edge_attr <= np.array(BOND_VOCABULARY)).all()


def test_no_atoms_and_no_bonds_keep_their_shapes() -> None:
    empty, single = featurise(Chem.Mol()), featurise(Chem.MolFromSmiles("C"))
    assert empty.x.shape == (0, 9)
    assert single.edge_index.shape == (2, 0)
    assert single.edge_attr.shape == (0, 3)


def test_collating_shifts_bonds_and_numbers_molecules() -> None:
    graphs = [featurise(Chem.MolFromSmiles(s)) for s in ("CC", "O", "C=C")]
    joined = collate_graphs(graphs)
    assert joined.batch.tolist() == [0, 0, 1, 2, 2]
    assert joined.edge_index.tolist() == [[0, 1, 3, 4], [1, 0, 4, 3]]
    assert joined.num_graphs == 3
    again = Graph(joined.x[3:], joined.edge_index[:, 2:] - 3, joined.edge_attr[2:])
    np.testing.assert_array_equal(again.edge_index, graphs[2].edge_index)
