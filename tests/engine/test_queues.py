"""Queues of both kinds: whenever molecules come, each gets the caption that it would get alone."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Beams, CaptionQueue, Generation, Runtime
from molcaption.engine.runtimes.lots import LotQueue
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.engine.runtimes.torch import TorchRuntime

SMILES = [f"{'C' * n}{end}" for n in range(1, 13) for end in ("O", "N", "C(=O)O")]


def fed(
    queue: CaptionQueue, molecules: Sequence[Question], seed: int
) -> list[tuple[int, list[Generation]]]:
    """All that the queue gives while molecules come at random moments, in lots of random sizes."""
    chance = random.Random(seed)
    waiting, made = list(molecules), []
    while waiting or not queue.empty:
        if waiting and chance.random() < 0.2:
            n = chance.randrange(9)
            queue.add(waiting[:n])
            waiting = waiting[n:]
        if not queue.empty:
            made += queue.step()
    return made


@pytest.mark.parametrize("beams", [Beams(1), Beams(2)])
@pytest.mark.parametrize("draws", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_it_does_not_matter_when_molecules_come(
    onnx: OnnxRuntime, molecules: list[Question], seed: int, draws: int, beams: Beams
) -> None:
    queue = onnx.queue(draws=draws, beams=beams, batch_size=8)
    made = fed(queue, molecules, seed)
    assert sorted(place for place, _ in made) == list(range(len(molecules)))
    expected = onnx.candidates(molecules, draws=draws, beams=beams)
    assert [dict(made)[place] for place in range(len(molecules))] == expected


def test_nor_with_torch(tiny_model: Path, molecules: list[Question]) -> None:
    runtime: Runtime = TorchRuntime.load(tiny_model, threads=1)
    some = molecules[:12]
    made = dict(fed(runtime.queue(draws=1, batch_size=4), some, seed=0))
    for ours, theirs in zip(sorted(made.items()), runtime.candidates(some, draws=1), strict=True):
        assert [one.text for one in ours[1]] == [one.text for one in theirs]


def test_who_came_first_is_not_passed_over_for_ever(
    onnx: OnnxRuntime, molecules: list[Question]
) -> None:
    """Like starts with like, but the first to come starts next, however unlike the others."""
    long = [one for one in molecules if len(one[1]) > 10]
    queue = onnx.queue(batch_size=2)
    queue.add(molecules[:1])
    order = []
    for _ in range(6):
        queue.add(long[:3])
        while not queue.hungry:
            order += [place for place, _ in queue.step()]
    assert 0 in order[:3]


def test_the_onnx_queue_is_hungry_while_slots_would_stay_free(
    onnx: OnnxRuntime, molecules: list[Question]
) -> None:
    queue = onnx.queue(batch_size=6, draws=1)
    assert queue.empty and queue.hungry
    queue.add(molecules[:2])
    assert queue.hungry and not queue.empty
    queue.add(molecules[2:3])
    assert not queue.hungry
    queue.step()  # the first two start, at least
    assert queue.hungry and not queue.empty


def test_what_goes_wrong_aside_is_heard_of(
    onnx: OnnxRuntime, molecules: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bridge computes in another thread; its errors must not stay there."""
    queue = onnx.queue(batch_size=2)
    with monkeypatch.context() as patch:
        patch.setattr(onnx._prompter, "tokens", lambda _: 1 / 0)
        queue.add(molecules[:1])
        with pytest.raises(ZeroDivisionError):
            queue.step()
    assert len(onnx.generate(molecules[:1])) == 1


def test_lots_go_through_whole() -> None:
    lots = []

    def make(lot: Sequence[Question]) -> Iterator[tuple[int, list[Generation]]]:
        lots.append(list(lot))
        for place in reversed(range(len(lot))):
            yield place, [Generation(str(lot[place]), None, True)]

    queue = LotQueue(make)
    assert queue.empty and queue.hungry
    queue.add(["a", "b"])  # type: ignore[list-item]
    first = queue.step()
    assert not queue.hungry
    queue.add(["c", "d", "e"])  # type: ignore[list-item]
    rest = [queue.step() for _ in range(4)]
    assert queue.empty
    told = [(place, one.text) for step in [first, *rest] for place, (one,) in step]
    assert told == [(1, "b"), (0, "a"), (4, "e"), (3, "d"), (2, "c")]
    assert lots == [["a", "b"], ["c", "d", "e"]]
