"""Beam search against all captions there are."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from molcaption.engine.runtimes import Beams
from molcaption.engine.runtimes.search import BeamSearch, Hypothesis, Rules

V, END, LONGEST = 5, 0, 4


@pytest.fixture(params=range(4))
def logits(request: pytest.FixtureRequest) -> np.ndarray:
    """A language model: the logits of each next token after each last one, [V, V]."""
    return np.random.default_rng(request.param).normal(0, 1.5, (V, V)).astype(np.float32)


def search(logits: np.ndarray, beams: Beams) -> Hypothesis:
    """What is found from token 1 on."""
    looking = BeamSearch(Hypothesis(0, 0), Rules(frozenset({END}), LONGEST, 0), beams)
    while looking.found is None:
        rows = logits[[one.tokens[-1] if one.tokens else 1 for one in looking.live]]
        looking.choose(rows, np.log(np.exp(rows).sum(axis=1)))
    return looking.found


def log_prob(logits: np.ndarray, tokens: Sequence[int]) -> float:
    scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(sum(scores[a, b] for a, b in itertools.pairwise([1, *tokens])))


def all_captions() -> list[tuple[int, ...]]:
    words = [token for token in range(V) if token != END]
    ended = [(*start, END) for n in range(LONGEST) for start in itertools.product(words, repeat=n)]
    return ended + list(itertools.product(words, repeat=LONGEST))


@pytest.mark.parametrize("penalty", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_with_beams_enough_the_best_caption_is_found(logits: np.ndarray, penalty: float) -> None:
    captions = all_captions()
    scores = [log_prob(logits, tokens) / len(tokens) ** penalty for tokens in captions]
    found = search(logits, Beams(V**LONGEST, penalty))
    assert tuple(found.tokens) == captions[int(np.argmax(scores))]
    assert found.log_prob == pytest.approx(log_prob(logits, found.tokens), rel=1e-5)


def test_few_beams_find_nothing_better(logits: np.ndarray) -> None:
    narrow, wide = (search(logits, Beams(width, 0.0)) for width in (2, V**LONGEST))
    assert narrow.log_prob <= wide.log_prob + 1e-5


def test_a_search_ends_when_nothing_can_get_better() -> None:
    """The end is all but certain: two captions have ended after two steps, and no third is made."""
    logits = np.full((V, V), -20.0, np.float32)
    logits[:, END], logits[:, 2] = 0.0, -5.0
    looking = BeamSearch(Hypothesis(0, 0), Rules(frozenset({END}), 99, 0), Beams(2))
    steps = 0
    while looking.found is None:
        rows = logits[[one.tokens[-1] if one.tokens else 1 for one in looking.live]]
        looking.choose(rows, np.log(np.exp(rows).sum(axis=1)))
        steps += 1
    assert (looking.found.tokens, steps) == ([END], 2)


def test_forks_do_not_share_what_they_said() -> None:
    one = Hypothesis(0, 3)
    for token in (7, 8, 7):
        one.append(token, -1.0, 2)
    other = one.fork()
    other.append(9, -1.0, 2)
    assert one.repeating(2) == [8]
    other.append(7, -1.0, 2)
    assert sorted(other.repeating(2)) == [8, 9]
    assert one.tokens == [7, 8, 7]
