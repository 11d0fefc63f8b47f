"""Bundles for a GPU, as far as a machine without one can tell: refused there, and their graph and
their loop run on the CPU, in float16."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime as ort
import pytest

from molcaption import cli_run
from molcaption.claims import load_lexicon
from molcaption.cli import app
from molcaption.engine.bundle import load_manifest
from molcaption.engine.questions import Question, questions
from molcaption.engine.runtimes import Beams
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.session import DEVICES, Device
from molcaption.errors import MissingError, UsageError
from molcaption.export import export

SMILES = ["CCO", "c1ccccc1", "C" * 60, "C[C@H](N)C(=O)O", "N#N", "CC(=O)Oc1ccccc1C(=O)O", "[He]"]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def bundle(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cuda") / "bundle"
    assert export(tiny_model, directory, "int8", target="cuda") == {}  # it cannot run here
    return directory


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU poses as a GPU."""
    monkeypatch.setitem(DEVICES, "cuda", Device(CPU, "cpu", np.float16))


@pytest.fixture
def runtime(bundle: Path, gpu: None) -> OnnxRuntime:
    return OnnxRuntime.load(bundle, threads=1)


@pytest.fixture
def molecules(runtime: OnnxRuntime) -> list[Question]:
    return questions(SMILES, runtime.vocabulary, load_lexicon())


def test_manifest(bundle: Path) -> None:
    manifest = load_manifest(bundle)
    assert (manifest.target, manifest.weights, manifest.parity) == ("cuda", "int8", {})
    assert not manifest.batch_invariant
    assert "NVIDIA" in (bundle / "README.md").read_text("utf-8")


def test_attention_is_what_a_gpu_fuses(bundle: Path) -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(bundle / "decoder.onnx", load_external_data=False).graph
    assert sum(node.op_type == "GroupQueryAttention" for node in graph.node) == 2
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.input}
    assert kinds["inputs_embeds"] == kinds["past_key_values.0.key"] == onnx.TensorProto.FLOAT16


def test_refused_where_there_is_no_cuda(bundle: Path) -> None:
    assert CUDA not in ort.get_available_providers()
    with pytest.raises(MissingError, match=r"made for cuda, .*--target cpu") as caught:
        OnnxRuntime.load(bundle)
    assert "\n" not in str(caught.value)


def test_caption_refuses_it_and_writes_nothing(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], clean_logging: None
) -> None:
    (tmp_path / "m.smi").write_text("CCO one\n")
    arguments = ["caption", str(tmp_path / "m.smi"), "-o", str(tmp_path / "out.parquet")]
    assert cli_run.run(app, [*arguments, "--workers", "0", "-m", str(bundle)]) == 69
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "made for cuda" in said[0]
    assert [path.name for path in tmp_path.iterdir()] == ["m.smi"]


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        (lambda *_, **__: (_ for _ in ()).throw(RuntimeError("CUDA failure\n100: no device")),
         "CUDA failure 100: no device"),
        (lambda *_, **__: SimpleNamespace(get_providers=lambda: [CPU]), "libraries are not found"),
    ],
)  # fmt: skip
def test_cuda_that_does_not_start(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, starts: object, said: str
) -> None:
    """onnxruntime-gpu is installed, and the GPU is not there or its libraries are not."""
    whole = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(
        ort, "InferenceSession",
        lambda *a, **k: starts(*a, **k) if k["providers"] == [CUDA] else whole(*a, **k),
    )  # fmt: skip
    with pytest.raises(MissingError, match=f"{CUDA} does not start: .*{said}") as caught:
        OnnxRuntime.load(bundle)
    assert "\n" not in str(caught.value)


def test_a_bundle_for_the_cpu_stays_on_it(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])
    runtime = OnnxRuntime.load(tiny_bundle, threads=1)
    assert runtime._decoder._session.get_providers() == [CPU]


def test_logits_are_those_of_float32(
    runtime: OnnxRuntime, molecules: list[Question], tiny_bundle: Path
) -> None:
    expected = OnnxRuntime.load(tiny_bundle, threads=1).first_logits(molecules)
    got = runtime.first_logits(molecules)
    assert got.dtype == np.float32
    assert 0 < np.abs(got - expected).max() < 0.5
    assert (got.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_sequences_move_about_the_cache(runtime: OnnxRuntime, molecules: list[Question]) -> None:
    """Slots are freed, refilled, shared and reordered, and no caption becomes another."""
    alone = [runtime.candidates([one], draws=2, beams=Beams(3))[0] for one in molecules]
    together = runtime.candidates(molecules, draws=2, beams=Beams(3), batch_size=16)
    for one, other in zip(alone, together, strict=True):
        assert [made.text for made in one] == [made.text for made in other]
    assert len({made.text for candidates in alone for made in candidates}) > len(SMILES)


def test_told_that_captions_depend_on_the_batch(
    bundle: Path, gpu: None, caplog: pytest.LogCaptureFixture
) -> None:
    OnnxRuntime.load(bundle, threads=1)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "--batch-size" in caplog.text


@pytest.mark.parametrize(("weights", "target"), [("fp32", "cuda"), ("fast", "cuda"), ("int8", "x")])
def test_what_there_is_not(tmp_path: Path, weights: str, target: str) -> None:
    with pytest.raises(UsageError, match="cuda"):
        export(tmp_path / "model", tmp_path / "out", weights, target=target)
