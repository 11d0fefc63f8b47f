"""Pickled PyTorch Geometric lists, friendly and hostile."""

import builtins
import os
import pickle
import sys
import warnings
from collections import OrderedDict

import pytest

from molcaption.chem.graph import featurise
from molcaption.chem.molecule import Molecule, Reject, parse_smiles
from molcaption.data.readers import read_molecules
from molcaption.errors import BadDataError, MissingError

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def graph_class():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it uses torch's deprecated parts
        return pytest.importorskip("torch_geometric.data").Data


@pytest.fixture
def graphs(graph_class):
    """What the users keep: codes, id, description, no SMILES."""
    found = []
    for number, smiles in enumerate(["CCO", "C[C@H](N)C(=O)O", "C/C=C\\C", "[Na+].[Cl-]"]):
        graph = featurise(parse_smiles(smiles))
        arrays = (graph.x, graph.edge_index, graph.edge_attr)
        x, edge_index, edge_attr = (torch.from_numpy(array) for array in arrays)
        data = graph_class(x=x, edge_index=edge_index, edge_attr=edge_attr)
        data.id, data.description = str(number), f"text {number}"
        found.append(data)
    return found


def save_pickle(path, graphs):
    path.write_bytes(pickle.dumps(graphs))


def save_torch(path, graphs):
    torch.save(graphs, path)


def save_torch_old(path, graphs):
    torch.save(graphs, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("save", [save_pickle, save_torch, save_torch_old])
@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".pt"])
def test_list_of_graphs(tmp_path, graphs, save, suffix):
    save(tmp_path / f"a{suffix}", graphs)
    records = list(read_molecules([tmp_path / f"a{suffix}"]))
    assert [m.smiles for m in records] == ["CCO", "C[C@H](N)C(=O)O", "C/C=C\\C", "[Cl-].[Na+]"]
    assert [m.id for m in records] == ["0", "1", "2", "3"]
    assert [m.description for m in records] == [f"text {n}" for n in range(4)]


def test_every_binary_pickle_protocol(tmp_path, graphs):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        path = tmp_path / f"{protocol}.pkl"
        path.write_bytes(pickle.dumps(graphs, protocol))
        assert len([m for m in read_molecules([path]) if isinstance(m, Molecule)]) == 4


def test_one_graph_and_odd_items(tmp_path, graphs, graph_class):
    save_pickle(tmp_path / "one.pkl", graphs[0])
    assert [m.smiles for m in read_molecules([tmp_path / "one.pkl"])] == ["CCO"]
    odd = [graphs[0], "text", None, graph_class(), graph_class(x=graphs[0].x, id=9)]
    save_pickle(tmp_path / "odd.pkl", odd)
    records = list(read_molecules([tmp_path / "odd.pkl"]))
    assert [type(r) for r in records] == [Molecule] + [Reject] * 4
    assert records[4].id == "9"
    assert records[4].reason == "the graph has no tensor edge_index, edge_attr"


def test_smiles_beside_the_graph_is_preferred(tmp_path, graphs):
    graphs[0].smiles = "CC[18OH]"
    save_pickle(tmp_path / "a.pkl", graphs[:1])
    assert [m.smiles for m in read_molecules([tmp_path / "a.pkl"])] == ["CC[18OH]"]


class Reduced:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def hostile(marker):
    """Each would leave the file ``marker`` if it were run."""
    command = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    return {
        "os.system": Reduced(os.system, command),
        "in a list": [1, {"x": (Reduced(os.system, command),)}],
        "eval": Reduced(builtins.eval, code),
        "exec": Reduced(builtins.exec, code),
        "getattr": Reduced(getattr, Reduced(__import__, "os"), "system"),
        "in an OrderedDict": OrderedDict(a=Reduced(builtins.eval, code)),
        "torch.load": Reduced(torch.load, str(marker)),
        "torch storage": Reduced(
            torch.storage._load_from_bytes, pickle.dumps(Reduced(os.system, command))
        ),
    }


@pytest.mark.parametrize("name", hostile("x"))
@pytest.mark.parametrize("save", [save_pickle, save_torch, save_torch_old])
def test_hostile_pickles_are_refused_and_not_run(tmp_path, name, save):
    marker = tmp_path / "marker"
    save(tmp_path / "a.pkl", [hostile(marker)[name]])
    with pytest.raises(BadDataError, match=r"a\.pkl: refused, expected a pickled list") as caught:
        list(read_molecules([tmp_path / "a.pkl"]))
    assert "\n" not in str(caught.value)
    assert not marker.exists()


HAND_WRITTEN = {
    "dotted name": b"\x80\x04\x8c\x18torch_geometric.data.data\x8c\x10Data.__init__\x93.",
    "dotted module": b"\x80\x04\x8c\x05torch\x8c\x13_utils.os.path.join\x93.",
    "extension code": b"\x80\x02\x82\x01.",
    "inst": b"(S'true'\nios\nsystem\n.",
    "persistent id": b"Pxyz\n.",
    "nothing": b"\x80\x04.",
    "text": b"hello",
    "cut": pickle.dumps(list(range(1000)))[:100],
    "zip": b"PK\x03\x04 but no archive",
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_pickles_are_refused(tmp_path, name):
    path = tmp_path / "a.pt"
    path.write_bytes(HAND_WRITTEN[name])
    with pytest.raises(BadDataError, match=r"a\.pt: refused"):
        list(read_molecules([path]))


def test_the_refusal_names_what_was_asked_for(tmp_path):
    save_pickle(tmp_path / "a.pkl", Reduced(os.system, "true"))
    with pytest.raises(BadDataError, match=r"the pickle names (posix|os)\.system"):
        list(read_molecules([tmp_path / "a.pkl"]))


def test_without_torch_the_extra_is_named(tmp_path, graphs, monkeypatch):
    save_pickle(tmp_path / "a.pkl", graphs)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"molcaption\[train\]"):
        list(read_molecules([tmp_path / "a.pkl"]))
