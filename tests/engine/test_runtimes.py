"""Runtimes: the same caption whatever the batch, and the same from onnxruntime as from torch."""

import math
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Beams, Generation, load_runtime, model_hash, writer
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.onnx_queue import OnnxQueue, _Candidate
from molcaption.engine.runtimes.search import Hypothesis, Rules, SingleSearch
from molcaption.engine.runtimes.slots import SlotDecoder
from molcaption.engine.runtimes.torch import TorchRuntime
from molcaption.errors import MissingError, UsageError

SMILES = [
    "CCO", "[Na+].[Cl-]", "[He]", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C" * 150, "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C/C=C/C", "C/C=C\\C", "[O-][N+](=O)c1ccccc1", "CCCCCCCC(=O)O", "N#N", "CC(C)Cc1ccc(C)cc1",
    "O", "ClC(Cl)Cl", "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O", "c1ccc2ccccc2c1",
]  # fmt: skip


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


SAID = "The molecule is a monocarboxylic acid. CCO"


def test_scores_are_equal_to_torch(
    tiny_model: Path, onnx: OnnxRuntime, molecules: list[Question]
) -> None:
    theirs = TorchRuntime.load(tiny_model).score(molecules, SAID, batch_size=6)
    assert onnx.score(molecules, SAID) == pytest.approx(theirs, rel=1e-5)
    assert len({round(score, 3) for score in theirs}) == len(theirs)  # they are of the molecules


def test_a_score_does_not_depend_on_its_batch(onnx: OnnxRuntime, molecules: list[Question]) -> None:
    scores = onnx.score(molecules, SAID, batch_size=32)
    assert onnx.score(molecules, SAID, batch_size=1) == scores
    assert onnx.score(molecules[::-1], SAID, batch_size=7) == scores[::-1]
    assert onnx.score([], SAID) == []


def test_the_score_of_a_caption_is_its_confidence(
    onnx: OnnxRuntime, molecules: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Led through the very tokens that it chose, the captioner gives them what it gave before."""
    ids: list[list[int]] = []
    keep = OnnxQueue._generation

    def generation(self: OnnxQueue, found: Hypothesis) -> Generation:
        ids.append(list(found.tokens))
        return keep(self, found)

    monkeypatch.setattr(OnnxQueue, "_generation", generation)
    for molecule in molecules:
        (made,) = onnx.generate([molecule])
        (score,) = onnx._score([*onnx._prompter.prompts([molecule])], ids[-1])
        assert made.confidence is not None
        assert score == pytest.approx(len(ids[-1]) * math.log(made.confidence), rel=1e-6)


def test_a_long_caption_is_cut_in_both(
    tiny_model: Path, onnx: OnnxRuntime, molecules: list[Question]
) -> None:
    theirs = TorchRuntime.load(tiny_model).score(molecules[:3], SAID * 50)
    assert onnx.score(molecules[:3], SAID * 50) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("n", [1, 3])
def test_no_run_of_tokens_twice(
    tiny_model: Path, tiny_bundle: Path, n: int, molecules: list[Question]
) -> None:
    """The same rule in both runtimes, which changes captions and leaves no repetition."""
    free, onnx = OnnxRuntime.load(tiny_bundle), OnnxRuntime.load(tiny_bundle)
    onnx.manifest = replace(onnx.manifest, no_repeat_ngram=n)
    made = onnx.generate(molecules, batch_size=7)
    assert [one.text for one in made] != [one.text for one in free.generate(molecules)]
    theirs = TorchRuntime.load(tiny_model)
    theirs.model = replace(theirs.model, no_repeat_ngram=n)
    assert [one.text for one in made] == [one.text for one in theirs.generate(molecules)]


def test_graph_token_is_never_chosen(onnx: OnnxRuntime) -> None:
    logits = np.zeros((1, onnx.manifest.decoder.vocabulary), np.float32)
    logits[0, onnx.manifest.graph_token_id] = 100
    search = SingleSearch(Hypothesis(0, 0), Rules(frozenset(), 9, 0), None)
    onnx.queue()._choose([_Candidate(0, 0, search)], logits, 0)
    (made,) = search.live
    assert made.tokens != [onnx.manifest.graph_token_id]
    assert made.log_prob == pytest.approx(-np.log(logits.shape[1] - 1), rel=1e-5)


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


@pytest.fixture(scope="module")
def reference(tiny_model: Path) -> TorchRuntime:
    return TorchRuntime.load(tiny_model, threads=1)


BEAMS = [Beams(2), Beams(4), Beams(4, 0.0), Beams(4, 2.0), Beams(3, -1.0)]


@pytest.mark.parametrize("beams", BEAMS)
def test_beams_are_those_of_transformers(
    onnx: OnnxRuntime, reference: TorchRuntime, beams: Beams, molecules: list[Question]
) -> None:
    theirs = reference.generate(molecules, beams=beams, batch_size=20)
    for one, other in zip(onnx.generate(molecules, beams=beams), theirs, strict=True):
        assert (one.text, one.ended) == (other.text, other.ended)
        assert one.confidence == pytest.approx(other.confidence, rel=1e-4)


def test_beams_without_repetition_are_those_of_transformers(
    tiny_bundle: Path, reference: TorchRuntime, molecules: list[Question],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    strict = OnnxRuntime.load(tiny_bundle)
    free = strict.generate(molecules, beams=Beams(3))
    strict.manifest = replace(strict.manifest, no_repeat_ngram=1)
    monkeypatch.setattr(reference, "model", replace(reference.model, no_repeat_ngram=1))
    made = strict.generate(molecules, beams=Beams(3))
    theirs = reference.generate(molecules, beams=Beams(3), batch_size=20)
    assert [one.text for one in made] == [one.text for one in theirs]
    assert made != free


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_beams_depend_on_their_molecule_alone(
    onnx: OnnxRuntime, batch_size: int, molecules: list[Question]
) -> None:
    expected = onnx.generate(molecules, beams=Beams(4))
    assert onnx.generate(molecules[::-1], beams=Beams(4), batch_size=batch_size)[::-1] == expected
    # they end at different times, some by themselves, and most are not the greedy ones
    assert {one.ended for one in expected} == {True, False}
    greedy = onnx.generate(molecules)
    assert sum(a != b for a, b in zip(expected, greedy, strict=True)) > len(greedy) / 2


def test_beams_stand_beside_drawn_captions(onnx: OnnxRuntime, molecules: list[Question]) -> None:
    made = onnx.candidates(molecules, beams=Beams(3), draws=2, batch_size=11)
    assert [first for first, *_ in made] == onnx.generate(molecules, beams=Beams(3))
    drawn = onnx.candidates(molecules, draws=2)
    assert [others for _, *others in made] == [others for _, *others in drawn]


def test_torch_has_beams_beside_drawn_captions(
    reference: TorchRuntime, molecules: list[Question]
) -> None:
    some = molecules[:4]
    made = reference.candidates(some, beams=Beams(2), draws=1, batch_size=6)
    first, drawn = reference.generate(some, beams=Beams(2)), reference.candidates(some, draws=1)
    expected = [(a.text, b.text) for a, (_, b) in zip(first, drawn, strict=True)]
    assert [(a.text, b.text) for a, b in made] == expected


class _SmallGpu(SlotDecoder):
    """Slots that run out of memory beyond so many, when half of the work is done."""

    rows = 0
    asked: ClassVar[list[int]] = []

    def __init__(self, llm, slots, positions) -> None:
        super().__init__(llm, slots, positions)
        self.asked.append(slots)

    def step(self, tokens, lengths):
        if self.slots > self.rows and max(lengths) > 40:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return super().step(tokens, lengths)


@pytest.fixture
def small_gpu(monkeypatch: pytest.MonkeyPatch) -> type[_SmallGpu]:
    monkeypatch.setattr(writer, "SlotDecoder", _SmallGpu)
    monkeypatch.setattr(_SmallGpu, "asked", [])
    return _SmallGpu


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_out_of_memory_halves_the_batch_and_changes_no_caption(
    tiny_model: Path,
    molecules: list[Question],
    rows: int,
    caplog: pytest.LogCaptureFixture,
    small_gpu: type[_SmallGpu],
) -> None:
    runtime = TorchRuntime.load(tiny_model, threads=1)
    small_gpu.rows = 1000
    expected = runtime.candidates(molecules, draws=1)
    small_gpu.rows = rows
    small_gpu.asked.clear()
    made = runtime.candidates(molecules, draws=1, batch_size=12)
    for ours, theirs in zip(made, expected, strict=True):
        assert [one.text for one in ours] == [one.text for one in theirs]
        assert [one.ended for one in ours] == [one.ended for one in theirs]
    assert small_gpu.asked[:2] == [12, 6]
    assert sum(size > rows for size in small_gpu.asked) == len(caplog.messages)  # never tried again


def test_out_of_memory_with_one_molecule(
    tiny_model: Path, molecules: list[Question], small_gpu: type[_SmallGpu]
) -> None:
    runtime = TorchRuntime.load(tiny_model, threads=1)
    small_gpu.rows = 0
    with pytest.raises(MissingError, match="with a single molecule"):
        runtime.generate(molecules[:2])
