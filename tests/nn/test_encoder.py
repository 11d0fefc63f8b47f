"""The encoder sees structure and nothing else: no atom order, no batch-mates, every feature."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from molcaption.chem.graph import ATOM_FEATURES, BOND_FEATURES, Graph, featurise
from molcaption.data.collate import graph_tensors
from molcaption.nn.encoder import EncoderConfig, MolGNN

SMILES = ("CC(=O)Oc1ccccc1C(=O)O", "C", "[Na+].[Cl-]", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C")


@pytest.fixture(scope="module", params=[1, 4])
def encoder(request: pytest.FixtureRequest) -> MolGNN:
    torch.manual_seed(0)
    return MolGNN(EncoderConfig(layers=3, hidden=32, width=48, graph_tokens=request.param)).eval()


def _graph(smiles: str) -> Graph:
    return featurise(Chem.MolFromSmiles(smiles))


@torch.no_grad()
def _encode(encoder: MolGNN, *graphs: Graph) -> torch.Tensor:
    return encoder(**graph_tensors(graphs))


def test_shape(encoder: MolGNN) -> None:
    tokens = _encode(encoder, *map(_graph, SMILES))
    assert tokens.shape == (4, encoder.config.graph_tokens, 48)
    assert tokens.isfinite().all()


@pytest.mark.parametrize("smiles", SMILES)
def test_renumbering_the_atoms_changes_nothing(encoder: MolGNN, smiles: str) -> None:
    graph = _graph(smiles)
    order = np.random.default_rng(0).permutation(len(graph.x))
    place = np.argsort(order)
    renumbered = Graph(graph.x[order], place[graph.edge_index], graph.edge_attr)
    torch.testing.assert_close(
        _encode(encoder, renumbered), _encode(encoder, graph), atol=1e-5, rtol=1e-5
    )


def test_a_molecule_does_not_see_its_batch_mates(encoder: MolGNN) -> None:
    together = _encode(encoder, *map(_graph, SMILES))
    for i, smiles in enumerate(SMILES):
        torch.testing.assert_close(
            together[i : i + 1], _encode(encoder, _graph(smiles)), atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("feature", range(len(ATOM_FEATURES)), ids=ATOM_FEATURES)
def test_every_atom_feature_reaches_the_output(encoder: MolGNN, feature: int) -> None:
    graph = _graph(SMILES[0])
    x = graph.x.copy()
    x[2, feature] = (x[2, feature] + 1) % 2
    assert _differs(encoder, graph, Graph(x, graph.edge_index, graph.edge_attr))


@pytest.mark.parametrize("feature", range(len(BOND_FEATURES)), ids=BOND_FEATURES)
def test_every_bond_feature_reaches_the_output(encoder: MolGNN, feature: int) -> None:
    graph = _graph(SMILES[0])
    attr = graph.edge_attr.copy()
    attr[0, feature] = (attr[0, feature] + 1) % 2
    assert _differs(encoder, graph, Graph(graph.x, graph.edge_index, attr))


def test_bonds_reach_the_output(encoder: MolGNN) -> None:
    assert _differs(encoder, _graph("CCCO"), _graph("CC(C)O"))


def _differs(encoder: MolGNN, one: Graph, other: Graph) -> bool:
    return bool((_encode(encoder, one) - _encode(encoder, other)).abs().max() > 1e-4)


def test_a_thousand_atoms_stay_finite(encoder: MolGNN) -> None:
    assert _encode(encoder, _graph("C" * 1000)).isfinite().all()


def test_hidden_must_split_into_heads() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        MolGNN(EncoderConfig(hidden=30))
