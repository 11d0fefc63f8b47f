"""Runtimes: the same caption whatever the batch, and the same from onnxruntime as from torch."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from molcaption.claims import load_lexicon
from molcaption.engine.questions import Question, questions
from molcaption.engine.runtimes import load_runtime, model_hash
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.torch import TorchRuntime
from molcaption.errors import MissingError, UsageError

SMILES = [
    "CCO", "[Na+].[Cl-]", "[He]", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C" * 150, "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C/C=C/C", "C/C=C\\C", "[O-][N+](=O)c1ccccc1", "CCCCCCCC(=O)O", "N#N", "CC(C)Cc1ccc(C)cc1",
    "O", "ClC(Cl)Cl", "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", "c1ccc2ccccc2c1",
]  # fmt: skip


@pytest.fixture(scope="module")
def onnx(tiny_bundle: Path) -> OnnxRuntime:
    return OnnxRuntime.load(tiny_bundle, threads=2)


@pytest.fixture(scope="module")
def molecules(onnx: OnnxRuntime) -> list[Question]:
    return questions(SMILES, onnx.vocabulary, load_lexicon())


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 64])
def test_batch_size_changes_nothing(
    onnx: OnnxRuntime, batch_size: int, molecules: list[Question]
) -> None:
    # equal to the bit: Generation holds the confidence too
    assert onnx.generate(molecules, batch_size=batch_size) == onnx.generate(molecules)


def test_neighbours_change_nothing(onnx: OnnxRuntime, molecules: list[Question]) -> None:
    expected = onnx.generate(molecules)
    order = list(range(len(molecules)))
    random.Random(0).shuffle(order)
    shuffled = onnx.generate([molecules[i] for i in order], batch_size=5)
    assert shuffled == [expected[i] for i in order]
    assert [onnx.generate([molecule])[0] for molecule in molecules] == expected


def test_captions_end_at_different_times(onnx: OnnxRuntime, molecules: list[Question]) -> None:
    """The tests above prove nothing about refilled rows if all captions are equally long."""
    made = onnx.generate(molecules)
    assert len({one.text for one in made}) > len(made) / 2
    assert {one.ended for one in made} == {True, False}


@pytest.mark.parametrize("batch_size", [1, 6])
def test_equal_to_torch(
    tiny_model: Path, onnx: OnnxRuntime, batch_size: int, molecules: list[Question]
) -> None:
    reference = load_runtime(tiny_model, threads=1).generate(molecules, batch_size=batch_size)
    for ours, theirs in zip(onnx.generate(molecules), reference, strict=True):
        assert (ours.text, ours.ended) == (theirs.text, theirs.ended)
        assert ours.confidence == pytest.approx(theirs.confidence, rel=1e-4)


@pytest.mark.parametrize("n", [1, 3])
def test_no_run_of_tokens_twice(
    tiny_model: Path, tiny_bundle: Path, n: int, molecules: list[Question]
) -> None:
    """The same rule in both runtimes, which changes captions and leaves no repetition."""
    free, onnx = OnnxRuntime.load(tiny_bundle), OnnxRuntime.load(tiny_bundle)
    onnx.manifest = replace(onnx.manifest, no_repeat_ngram=n)
    made = onnx.generate(molecules, batch_size=7)
    assert [one.text for one in made] != [one.text for one in free.generate(molecules)]
    torch = TorchRuntime.load(tiny_model)
    torch.model = replace(torch.model, no_repeat_ngram=n)
    assert [one.text for one in made] == [one.text for one in torch.generate(molecules)]


def test_graph_token_is_never_chosen(onnx: OnnxRuntime) -> None:
    import numpy as np

    from molcaption.engine.runtimes.onnx import _Row

    logits = np.zeros((1, onnx.manifest.decoder.vocabulary), np.float32)
    logits[0, onnx.manifest.graph_token_id] = 100
    row = _Row(0, 0, 0, None)
    onnx._choose([row], logits)
    assert row.tokens != [onnx.manifest.graph_token_id]
    assert row.log_prob == pytest.approx(-np.log(logits.shape[1] - 1), rel=1e-5)


def test_max_new_tokens(onnx: OnnxRuntime, molecules: list[Question]) -> None:
    short = onnx.generate(molecules, max_new_tokens=3)
    for cut, whole in zip(short, onnx.generate(molecules), strict=True):
        # a cut may fall inside a character
        assert whole.text.startswith(cut.text.rstrip("\ufffd"))
    assert sum(not one.ended for one in short) > len(short) / 2
    with pytest.raises(UsageError, match="at most 24"):
        onnx.generate(molecules, max_new_tokens=25)


def test_nothing_to_do(onnx: OnnxRuntime) -> None:
    assert onnx.generate([]) == []


def test_model_hash_needs_no_loading(tiny_model: Path, tiny_bundle: Path) -> None:
    for path in (tiny_model, tiny_bundle):
        assert model_hash(path) == load_runtime(path, threads=1).model_hash


def test_no_model(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(MissingError, match="molcaption export"):
            load_runtime(path)


def test_bundle_needs_no_torch(tiny_bundle: Path) -> None:
    code = (
        "import sys; from molcaption.engine.runtimes import load_runtime; "
        f"load_runtime({str(tiny_bundle)!r}); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("batch_size", [1, 4, 9, 64])
def test_drawn_captions_depend_on_their_molecule_alone(
    onnx: OnnxRuntime, batch_size: int, molecules: list[Question]
) -> None:
    made = onnx.candidates(molecules, draws=3, batch_size=batch_size)
    assert [first for first, *_ in made] == onnx.generate(molecules)
    assert made == onnx.candidates(molecules, draws=3)
    assert made[::-1] == onnx.candidates(molecules[::-1], draws=3, batch_size=batch_size)
    assert [row[:2] for row in made] == onnx.candidates(molecules, draws=1)
    assert len({one.text for one in made[4]}) > 1


def test_drawn_captions_are_those_of_torch(
    onnx: OnnxRuntime, tiny_model: Path, molecules: list[Question]
) -> None:
    reference = load_runtime(tiny_model, threads=1).candidates(molecules, draws=2, batch_size=5)
    for ours, theirs in zip(onnx.candidates(molecules, draws=2), reference, strict=True):
        assert [one.text for one in ours] == [one.text for one in theirs]
        for a, b in zip(ours, theirs, strict=True):
            assert a.confidence == pytest.approx(b.confidence, rel=1e-3)
