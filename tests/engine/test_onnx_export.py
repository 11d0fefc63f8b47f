"""The exported graphs against torch, and what export refuses."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx as onnx_package
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molcaption.chem.graph import ATOM_VOCABULARY, BOND_VOCABULARY, Graph
from molcaption.claims import load_lexicon
from molcaption.data.collate import view_tensors
from molcaption.data.features import MoleculeView
from molcaption.engine.bundle import load_manifest, write_manifest
from molcaption.engine.merged import load_merged
from molcaption.engine.onnx_export import export_decoder
from molcaption.engine.packed import round_columns, unpack
from molcaption.engine.questions import questions
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.errors import (
    BadDataError,
    CannotWriteError,
    MissingError,
    MolcaptionError,
    UsageError,
)
from molcaption.export import export, verify

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


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(3, 4), slice(None), [*range(4)] * 256])
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


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any codes that the encoder has a row for, on any graph; unknown buckets and no bond too."""
    atoms = draw(st.integers(1, 12))
    ends = st.integers(0, atoms - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    one_way = np.array(pairs, np.int64).reshape(-1, 2)
    attributes = rng.integers(0, np.array(BOND_VOCABULARY) + 1, (len(pairs), len(BOND_VOCABULARY)))
    return Graph(
        x=rng.integers(0, np.array(ATOM_VOCABULARY) + 1, (atoms, len(ATOM_VOCABULARY))),
        edge_index=np.concatenate([one_way, one_way[:, ::-1]]).T.copy(),
        edge_attr=np.concatenate([attributes, attributes]),
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(batch=st.lists(graphs(), min_size=1, max_size=6))
def test_bridge_is_torch_on_any_graph(bridges, views: list[MoleculeView], batch) -> None:
    onnx, captioner = bridges
    some = [replace(views[i % len(views)], graph=graph) for i, graph in enumerate(batch)]
    np.testing.assert_allclose(onnx.tokens(some), in_torch(captioner, some), atol=1e-5)


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


def test_every_bond_reaches_the_output(bridges, views) -> None:
    graph = views[2].graph
    for lost in range(0, graph.edge_index.shape[1], 2):
        kept = [i for i in range(graph.edge_index.shape[1]) if i not in (lost, lost + 1)]
        changed = Graph(graph.x, graph.edge_index[:, kept], graph.edge_attr[kept])
        assert _difference(bridges[0], views[2], replace(views[2], graph=changed)) > 1e-4


def test_every_feature_reaches_the_output(bridges, views) -> None:
    features = views[2].features
    for place in range(len(features.values)):
        values = features.values.copy()
        values[place] += 1
        changed = replace(views[2], features=replace(features, values=values))
        assert _difference(bridges[0], views[2], changed) > 1e-5


@pytest.mark.parametrize(
    ("weights", "size", "token_error", "logit_error"),
    [("int8", 0.4, 0.05, 0.5), ("int4", 0.35, 0.5, 8), ("fast", 0.4, 0.05, 3)],
)
def test_integer_weights(
    tiny_model: Path,
    tiny_bundle: Path,
    tmp_path: Path,
    weights: str,
    size: float,
    token_error: float,
    logit_error: float,
) -> None:
    """Smaller, close, and as independent of the batch as float32 is."""
    parity = export(tiny_model, tmp_path / weights, weights, max_new_tokens=4)
    assert 1e-6 < parity["graph_tokens_max_difference"] < token_error
    assert 1e-6 < parity["logits_max_difference"] < logit_error
    files = [folder / "decoder.npz" for folder in (tmp_path / weights, tiny_bundle)]
    assert files[0].stat().st_size < size * files[1].stat().st_size
    onnx = OnnxRuntime.load(tmp_path / weights, threads=2)
    asked = questions([*SMILES, "CCN", "C#N", "OCC(O)CO"], onnx.vocabulary, load_lexicon())
    expected = onnx.generate(asked)
    for batch_size in (1, 7, 64):
        made = onnx.generate(asked[::-1], batch_size=batch_size)
        assert made[::-1] == expected


@pytest.fixture(scope="module")
def fast(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fast") / "bundle"
    export(tiny_model, directory, "fast", max_new_tokens=4)
    return directory


def test_fast_multiplies_integers_but_in_down_projections(fast: Path, tiny_bundle: Path) -> None:
    graph, whole = (
        onnx_package.load(folder / "decoder.onnx", load_external_data=False).graph
        for folder in (fast, tiny_bundle)
    )
    products = [node.name for node in whole.node if node.op_type == "MatMul"]
    left = [node.name for node in graph.node if node.op_type == "MatMul"]
    assert left == [name for name in products if "down_proj" in name]
    assert len(left) == 2
    integers = [node.name for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert sorted(integers + left) == sorted(products)


def test_fast_stores_what_int8_stores(fast: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Another graph over the same weights: columns are rounded when they are loaded."""
    export(tiny_model, tmp_path / "int8", "int8", max_new_tokens=4)
    for name in ("decoder.npz", "bridge.npz", "embeddings.npy"):
        assert (fast / name).read_bytes() == (tmp_path / "int8" / name).read_bytes()
    integers = load_manifest(fast).decoder.integers
    assert len(integers) == 2 * 4 + 1  # queries, keys and values; output; gate; up; and the head
    assert load_manifest(tmp_path / "int8").decoder.integers == []
    card = (fast / "README.md").read_text("utf-8")
    assert "multiplies 8-bit integers" in card
    assert "--batch-size" not in card


def test_codes_may_be_stored_as_well(fast: Path, tmp_path: Path) -> None:
    """As they were up to schema 3."""
    other, manifest = Path(shutil.copytree(fast, tmp_path / "other")), load_manifest(fast)
    shape = manifest.decoder
    np.savez(other / "decoder.npz", **round_columns(unpack(fast / "decoder.npz"), shape.integers))
    write_manifest(other, replace(manifest, decoder=replace(shape, integers=[]), schema=3))
    runtimes = [OnnxRuntime.load(folder, threads=1) for folder in (fast, other)]
    asked = questions(SMILES, runtimes[0].vocabulary, load_lexicon())
    assert runtimes[0].generate(asked) == runtimes[1].generate(asked)


def test_what_depends_on_its_batch_says_so(
    fast: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_manifest(fast).batch_invariant
    OnnxRuntime.load(fast)
    assert not caplog.records
    other = Path(shutil.copytree(fast, tmp_path / "other"))
    write_manifest(other, replace(load_manifest(fast), batch_invariant=False))
    OnnxRuntime.load(other)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "--batch-size" in caplog.text


def test_fast_is_verified_like_any_other(
    fast: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.smi").write_text("CCO one\nCCN two\n")
    parity = verify(tiny_model, fast, tmp_path / "m.smi", max_new_tokens=2)
    assert parity["molecules"] == 2
    assert load_manifest(fast).parity == parity
    assert "equal captions" in capsys.readouterr().out


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
    with pytest.raises(UsageError, match="fp32, fp16, int8, int4, fast"):
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


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("OSError: [Errno 28] No space left on device", CannotWriteError),
        ("OSError: [Errno 27] File too large", CannotWriteError),
        ("ModuleNotFoundError: No module named 'onnx_ir'", MissingError),
        ("NotImplementedError: MambaForCausalLM", BadDataError),
        ("", BadDataError),
    ],
)
def test_what_the_builder_says_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, error: type[MolcaptionError]
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", f"Traceback\n{said}\n" if said else "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(error) as caught:
        export_decoder(tmp_path, None, tmp_path / "out", "fp32", "cpu", 8)
    assert (said or "exit code 1") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_graphs_do_not_tell_where_they_were_made(tiny_bundle: Path) -> None:
    for name in ("bridge.onnx", "decoder.onnx"):
        content = (tiny_bundle / name).read_bytes()
        assert b".py" not in content
        assert str(Path(__file__).parents[2]).encode() not in content
