"""Captioning: windows come out whole and in order, and never pile up."""

from collections.abc import Iterator, Sequence

import pytest

from molcaption.chem.molecule import Molecule, Record
from molcaption.claims import load_lexicon
from molcaption.data.readers.raw import RawRecord, parse_record
from molcaption.engine.captioning import Captioning, Decoding, LoadedCaptioner
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import GREEDY, CaptionQueue, Generation, Runtime
from molcaption.engine.store import CaptionStore, open_store


class Slow(CaptionQueue):
    """Three molecules at a time, last come first served, each after some steps for nothing."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, str]] = []
        self.added = self.steps = 0

    @property
    def hungry(self) -> bool:
        return len(self.waiting) < 3

    @property
    def empty(self) -> bool:
        return not self.waiting

    def add(self, molecules: Sequence[Question]) -> None:
        for _, smiles in molecules:
            self.waiting.append((self.added, smiles))
            self.added += 1

    def step(self) -> list[tuple[int, list[Generation]]]:
        assert self.waiting, "a step with nothing to do"
        self.steps += 1
        if self.steps % 5:
            return []
        place, smiles = self.waiting.pop()
        return [(place, [Generation(f"The molecule is {smiles}.", 0.5, True)])]


class SlowRuntime(Runtime):
    name = model_hash = "slow"
    vocabulary = None
    draws = 0

    def __init__(self) -> None:
        self.made = Slow()

    def queue(self, **_: object) -> Slow:
        return self.made


@pytest.fixture
def store() -> Iterator[CaptionStore]:
    with open_store(None, "") as made:
        yield made


def captioning(store: CaptionStore) -> Captioning:
    decoding = Decoding(0, GREEDY, False, 4, None)
    return Captioning(LoadedCaptioner(SlowRuntime(), None, decoding), load_lexicon(), store)


def record(smiles: str, number: int) -> Record:
    raw = RawRecord("smiles", smiles)
    raw.record = number
    return parse_record(raw)


def windows(texts: Sequence[Sequence[str]]) -> list[list[Record]]:
    return [[record(text, i) for i, text in enumerate(window)] for window in texts]


def said(made: Sequence[object]) -> list[str]:
    assert all(isinstance(one, Generation) for one in made)
    return [one.text for one in made if isinstance(one, Generation)]


def test_windows_come_out_in_order_and_whole(store: CaptionStore) -> None:
    given = windows([["C", "CC", "nonsense"], [], ["CCC", "OCC", "CCO"], ["CC"], ["CCCC"] * 3])
    subject = captioning(store)
    out = list(subject.run(given))
    assert [records for records, _ in out] == given
    for records, made in out:
        molecules = [one for one in records if isinstance(one, Molecule)]
        assert said(made) == [f"The molecule is {one.smiles}." for one in molecules]
    assert subject.made == 5


def test_windows_do_not_pile_up_behind_one_that_waits(store: CaptionStore) -> None:
    """The first structure is new, and all later windows are known: they must not all be read."""
    with_new, known = windows([["C"], ["CC"]])
    ((_, made),) = captioning(store).run([known])
    assert said(made) == ["The molecule is CC."]
    asked = 0

    def endless() -> Iterator[list[Record]]:
        nonlocal asked
        for number in range(1000):
            asked += 1
            yield known if number else with_new

    out = captioning(store).run(endless())
    assert said(next(out)[1]) == ["The molecule is C."]
    assert asked < 6
    assert sum(1 for _ in out) == 999


def test_nothing_to_do(store: CaptionStore) -> None:
    assert list(captioning(store).run([])) == []
    assert captioning(store).captions([]) == []
