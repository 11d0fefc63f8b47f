"""The verb: what it refuses, what it leaves behind, and `verify`."""

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from molcaption import cli_run
from molcaption.cli import app
from molcaption.engine.bundle import load_manifest
from molcaption.errors import BadDataError, CannotWriteError, MissingError, NoInputError
from molcaption.export import export, verify

SMILES = ["CCO", "CC(=O)O", "[He]", "c1ccccc1C(=O)O"]


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


@pytest.fixture
def described(tmp_path: Path) -> Path:
    path = tmp_path / "dev.tsv"
    rows = [f"{i}\t{smiles}\tThe molecule is an acid." for i, smiles in enumerate(SMILES)]
    path.write_text("\n".join(["id\tsmiles\tdescription", *rows]) + "\n", encoding="utf-8")
    return path


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond ``size``: the system refuses the write, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_verify_prints_and_records(
    tiny_model: Path, copy: Path, described: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_manifest(copy)
    parity = verify(tiny_model, copy, described, max_new_tokens=12)
    after = load_manifest(copy)
    assert after.parity == parity
    assert after.model_hash == before.model_hash
    assert parity["molecules"] == len(SMILES)
    assert (
        0 < parity["graph_tokens_mean_difference"] <= parity["graph_tokens_max_difference"] < 1e-5
    )
    assert 0 < parity["logits_mean_difference"] <= parity["logits_max_difference"] < 1e-4
    assert parity["equal_captions"] == 1.0
    assert parity["model"]["bleu4"] == parity["bundle"]["bleu4"]
    assert parity["bleu4_signature"].startswith("bleu4|tok:word|")
    files = sum(path.stat().st_size for path in tiny_model.iterdir())
    assert parity["model"]["bytes"] == files
    lines = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "molecules", "graph tokens differ", "logits differ", "equal captions", "", "MB",
        "captions/s", "refuted captions", "BLEU-4",
    ]  # fmt: skip


def test_verify_sees_a_difference(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures that could not fail would prove nothing: one side says nothing but one word."""
    from molcaption.engine.runtimes.onnx_queue import OnnxQueue

    bundle, molecules = tmp_path / "bundle", tmp_path / "m.smi"
    shutil.copytree(tiny_model.parent / "bundle", bundle)
    molecules.write_text("CCO one\nCCN two\n")
    honest = OnnxQueue._choose

    def ends_at_once(self, candidates, logits, *others):
        logits[:, 1] = 1e9
        honest(self, candidates, logits, *others)

    monkeypatch.setattr(OnnxQueue, "_choose", ends_at_once)
    parity = verify(tiny_model, bundle, molecules, max_new_tokens=4)
    assert parity["equal_captions"] == 0.0
    assert "bleu4" not in parity["model"]  # nothing to score against


def test_verify_takes_as_many_as_asked(tiny_model: Path, copy: Path, described: Path) -> None:
    assert verify(tiny_model, copy, described, limit=2, max_new_tokens=2)["molecules"] == 2


def test_verify_of_another_model(
    tiny_model: Path, copy: Path, described: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    config = json.loads((model / "captioner.json").read_text())
    (model / "captioner.json").write_text(json.dumps({**config, "no_repeat_ngram": 3}))
    with pytest.raises(BadDataError, match="was not made of"):
        verify(model, copy, described)


def test_verify_without_molecules(tiny_model: Path, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "none.smi").write_text("not-a-molecule x\n")
    with pytest.raises(NoInputError, match="no molecule to measure on"):
        verify(tiny_model, copy, tmp_path / "none.smi")


@pytest.mark.parametrize(
    "arguments",
    ["export m", "export m b i", "export m b -o x", "export --verify m b", "export --verify m",
     "export --verify m b i -o x"],
)  # fmt: skip
def test_wrong_usage(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_run.run(app, arguments.split()) == 2
    assert "MODEL_DIR BUNDLE INPUT" in capsys.readouterr().err


def test_full_disk_leaves_nothing(tiny_model: Path, tmp_path: Path) -> None:
    with largest_file(10_000), pytest.raises(CannotWriteError, match="File too large"):
        export(tiny_model, tmp_path / "out", "fp32")
    assert not list(tmp_path.iterdir())


def test_full_disk_keeps_the_manifest(
    tiny_model: Path, copy: Path, described: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (copy / "manifest.json").read_bytes()
    with largest_file(100), pytest.raises(CannotWriteError, match="File too large"):
        verify(tiny_model, copy, described, limit=1, max_new_tokens=1)
    assert (copy / "manifest.json").read_bytes() == before
    assert not list(copy.glob(".*"))
    assert "captions/s" in capsys.readouterr().out  # what was measured is not lost


def test_adapter_beside_a_whole_backbone(tiny_model: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    (model / "adapter_config.json").write_text("{}")
    with pytest.raises(MissingError, match="run `molcaption merge` first"):
        export(model, tmp_path / "out")


@pytest.mark.parametrize("extra", ["--weights int4", "--output elsewhere", "--force"])
def test_verify_refuses_what_it_would_ignore(
    extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli_run.run(app, f"export --verify m b i {extra}".split()) == 2
    assert f"{extra.split(maxsplit=1)[0]} is for an export" in capsys.readouterr().err
