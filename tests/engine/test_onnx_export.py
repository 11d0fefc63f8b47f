"""The exported graphs against torch, and what export refuses."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem

from molcaption.chem.graph import Graph
from molcaption.claims import load_lexicon
from molcaption.data.collate import view_tensors
from molcaption.data.features import MoleculeView
from molcaption.engine.merged import load_merged
from molcaption.engine.questions import questions
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.errors import BadDataError, CannotWriteError, MissingError, UsageError
from molcaption.export import export

LARGE = Chem.MolToSmiles(Chem.MolFromSequence("GAVLIPFMWSTCYNQDEKRH" * 4))  # some 560 atoms
SMILES = ["[Na+]", "CCO", "c1ccccc1C(=O)O", LARGE, "[He]"]


@pytest.fixture(scope="module")
def bridges(tiny_model: Path, tiny_bundle: Path) -> tuple[OnnxRuntime, torch.nn.Module]:
    return OnnxRuntime.load(tiny_bundle), load_merged(tiny_model, device="cpu").captioner


@pytest.fixture(scope="module")
def views(bridges) -> list[MoleculeView]:
    return [view for view, _ in questions(SMILES, bridges[0].vocabulary, load_lexicon())]


@torch.inference_mode()
def in_torch(captioner: torch.nn.Module, views: list[MoleculeView]) -> np.ndarray:
    return captioner.bridge(**view_tensors(views)).numpy()


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(3, 4), slice(None), [*range(5)] * 200])
def test_bridge_is_torch(bridges, views: list[MoleculeView], chosen: slice | list[int]) -> None:
    onnx, captioner = bridges
    some = views[chosen] if isinstance(chosen, slice) else [views[i] for i in chosen]
    np.testing.assert_allclose(onnx.tokens(some), in_torch(captioner, some), atol=1e-5)


def test_bridge_gives_the_same_bits_in_any_batch(bridges, views: list[MoleculeView]) -> None:
    onnx, _ = bridges
    together = onnx.tokens(views * 20)  # enough bonds to show threads that lose sums
    for i, view in enumerate(views):
        alone = onnx.tokens([view])[0]
        for copy in together[i :: len(views)]:
            np.testing.assert_array_equal(copy, alone)


def _difference(onnx: OnnxRuntime, one: MoleculeView, other: MoleculeView) -> float:
    return float(np.abs(onnx.tokens([one]) - onnx.tokens([other])).max())


@pytest.mark.parametrize("column", range(9))
def test_every_atom_feature_reaches_the_output(bridges, views, column: int) -> None:
    graph = views[2].graph
    x = graph.x.copy()
    x[0, column] += 1 if x[0, column] == 0 else -1
    changed = Graph(x, graph.edge_index, graph.edge_attr)
    assert _difference(bridges[0], views[2], replace(views[2], graph=changed)) > 1e-4


@pytest.mark.parametrize("column", range(3))
def test_every_bond_feature_reaches_the_output(bridges, views, column: int) -> None:
    graph = views[2].graph
    attributes = graph.edge_attr.copy()
    attributes[0, column] += 1 if attributes[0, column] == 0 else -1
    changed = Graph(graph.x, graph.edge_index, attributes)
    assert _difference(bridges[0], views[2], replace(views[2], graph=changed)) > 1e-4


def test_the_profile_reaches_the_output(bridges, views) -> None:
    assert _difference(bridges[0], views[2], replace(views[2], features=views[1].features)) > 1e-4


def test_int8_is_smaller_and_close(tiny_model: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    parity = export(tiny_model, tmp_path / "int8", "int8", max_new_tokens=4)
    assert parity["graph_tokens_max_difference"] < 5e-3
    assert 1e-6 < parity["logits_max_difference"] < 0.5
    size = (tmp_path / "int8" / "decoder.npz").stat().st_size
    assert size < 0.4 * (tiny_bundle / "decoder.npz").stat().st_size


def test_existing_output_stays(tiny_model: Path, tiny_bundle: Path) -> None:
    before = (tiny_bundle / "manifest.json").read_bytes()
    with pytest.raises(CannotWriteError, match="--force"):
        export(tiny_model, tiny_bundle)
    assert (tiny_bundle / "manifest.json").read_bytes() == before


def test_unmerged_model(tmp_path: Path) -> None:
    (tmp_path / "captioner.json").write_text("{}")
    (tmp_path / "bridge.safetensors").write_bytes(b"")
    with pytest.raises(MissingError, match="molcaption merge"):
        export(tmp_path, tmp_path / "out")


def test_unknown_weights(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fp32, fp16, int8"):
        export(tiny_model, tmp_path / "out", "int2")


@pytest.mark.parametrize("damaged", ["captioner.json", "bridge.safetensors", "model.safetensors"])
def test_damaged_model_leaves_nothing(tiny_model: Path, tmp_path: Path, damaged: str) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    content = (model / damaged).read_bytes()
    (model / damaged).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadDataError) as caught:
        export(model, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_failure_in_the_middle_leaves_nothing(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("molcaption.engine.onnx_export._build", full)
    with pytest.raises(CannotWriteError):
        export(model, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_graphs_do_not_tell_where_they_were_made(tiny_bundle: Path) -> None:
    for name in ("bridge.onnx", "decoder.onnx"):
        content = (tiny_bundle / name).read_bytes()
        assert b".py" not in content
        assert str(Path(__file__).parents[2]).encode() not in content
