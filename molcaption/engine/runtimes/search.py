"""How a bundle finds a caption: token by token, or among several beams.

A search follows hypotheses in the decoder's cache. After each step it is told how likely every
next token is, and says which hypotheses go on. What is searched for beside it never matters.

Dims: R hypotheses of a search, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from molcaption.engine.draws import draw
from molcaption.engine.packed import FloatArray
from molcaption.engine.runtimes import Beams

_REFILL_SHARE = 4


def may_start(n_waiting: int, n_free: int, n_most: int) -> bool:
    """Whether new prompts start now, before what is in the making goes on.

    They start together when there is room for a quarter of ``n_most``, the most that there is ever
    room for, or for all that wait: fewer starts, less padding.
    """
    return n_waiting > 0 and n_free >= min(max(1, n_most // _REFILL_SHARE), n_waiting)


@dataclass(frozen=True, slots=True)
class Rules:
    """When a caption ends, and what it must not repeat.

    Attributes:
        ends: tokens that end it.
        new_tokens: most tokens of it.
        no_repeat_ngram: no run of so many tokens twice; 0 allows everything.
    """

    ends: frozenset[int]
    new_tokens: int
    no_repeat_ngram: int


@dataclass(slots=True)
class Hypothesis:
    """A prompt and the tokens that were chosen after it.

    Attributes:
        slot: where in the cache it lies.
        length: positions there; the last token is not among them yet.
        log_prob: of the tokens.
    """

    slot: int
    length: int
    tokens: list[int] = field(default_factory=list)
    log_prob: float = 0.0
    followers: dict[tuple[int, ...], tuple[int, ...]] = field(default_factory=dict)
    """What came after each run of n - 1 tokens, where runs of n may not repeat."""

    def append(self, token: int, log_prob: float, n: int) -> None:
        """One more token; ``n`` as for `repeating`."""
        self.tokens.append(token)
        self.log_prob += log_prob
        if n and len(self.tokens) >= n:
            run = tuple(self.tokens[-n:-1])
            self.followers[run] = (*self.followers.get(run, ()), token)

    def repeating(self, n: int) -> list[int]:
        """Tokens that would end a run of ``n`` tokens which this caption holds already."""
        last = tuple(self.tokens[len(self.tokens) - n + 1 :])
        return list(self.followers.get(last, ()))

    def fork(self) -> "Hypothesis":
        """The same once more, in the same slot until it gets its own."""
        return Hypothesis(
            self.slot, self.length, self.tokens[:], self.log_prob, dict(self.followers)
        )


def take_first_slots(
    hypotheses: Sequence[Hypothesis], copy: Callable[[list[int], list[int], int], None]
) -> None:
    """Give the hypotheses the first slots, one each; who has one of them already keeps it.

    Args:
        copy: copies slots to others, so many positions of each.
    """
    staying = {one.slot: one for one in reversed(hypotheses) if one.slot < len(hypotheses)}
    moving = [one for one in hypotheses if staying.get(one.slot) is not one]
    free = [slot for slot in range(len(hypotheses)) if slot not in staying]
    if moving:
        copy([one.slot for one in moving], free, max(one.length for one in moving))
    for one, slot in zip(moving, free, strict=True):
        one.slot = slot


class Search(Protocol):
    """A caption in the making.

    Attributes:
        live: hypotheses that go on; none when the search is over.
        found: the caption, once the search is over.
    """

    live: list[Hypothesis]
    found: Hypothesis | None

    def choose(self, logits: FloatArray, totals: FloatArray) -> None:
        """Take one step.

        Args:
            logits: [R, V], -inf where a token is forbidden.
            totals: [R], the logarithm of the summed exponentials of each row.
        """
        ...


class SingleSearch(Search):
    """The likeliest token each time, or a drawn one.

    Args:
        chances: what tokens are drawn with; None for the likeliest.
    """

    def __init__(
        self, hypothesis: Hypothesis, rules: Rules, chances: Iterator[float] | None
    ) -> None:
        self.live = [hypothesis]
        self.found: Hypothesis | None = None
        self._rules, self._chances = rules, chances

    def choose(self, logits: FloatArray, totals: FloatArray) -> None:
        """See `Search`."""
        (hypothesis,), (scores,), (total,) = self.live, logits, totals.tolist()
        chance = None if self._chances is None else next(self._chances)
        token = int(scores.argmax()) if chance is None else draw(scores, chance)
        hypothesis.append(token, float(scores[token]) - total, self._rules.no_repeat_ngram)
        if token in self._rules.ends or len(hypothesis.tokens) >= self._rules.new_tokens:
            self.live, self.found = [], hypothesis


class BeamSearch(Search):
    """The likeliest caption among those that ``beams.width`` hypotheses at a time lead to.

    As transformers defines it (`GenerationMixin._beam_search` with ``early_stopping=False``): a
    caption scores its log-probability over its length to the power of the penalty; one that ends
    counts if it is among the ``width`` likeliest continuations of its step; and the search is over
    when so many have ended and the likeliest hypothesis, ended now, would score below all of them.
    """

    def __init__(self, hypothesis: Hypothesis, rules: Rules, beams: Beams) -> None:
        self.live = [hypothesis]
        self.found: Hypothesis | None = None
        self._rules, self._beams = rules, beams
        self._ended: list[tuple[float, Hypothesis]] = []

    def choose(self, logits: FloatArray, totals: FloatArray) -> None:
        """See `Search`."""
        width, rules = self._beams.width, self._rules
        before = np.array([one.log_prob for one in self.live], np.float32)
        scores = logits - totals[:, None] + before[:, None]
        length = len(self.live[0].tokens) + 1
        is_last = length == rules.new_tokens
        live: list[Hypothesis] = []
        # Each hypothesis may end in every way there is, and still ``width`` continuations are left.
        for rank, (place, score) in enumerate(_largest(scores, (1 + len(rules.ends)) * width)):
            row, token = divmod(place, scores.shape[1])
            ends = is_last or token in rules.ends
            wanted = rank < width if ends else len(live) < width
            if not wanted:
                continue
            hypothesis = self.live[row].fork()
            hypothesis.append(token, score - hypothesis.log_prob, rules.no_repeat_ngram)
            if ends:
                self._ended.append((score / length**self._beams.length_penalty, hypothesis))
            else:
                live.append(hypothesis)
        # The sort keeps the order of equals: of two captions as good the earlier one stays.
        self._ended = sorted(self._ended, key=lambda scored: -scored[0])[:width]
        self.live = live
        if is_last or not self._can_improve(length):
            self.live, self.found = [], self._ended[0][1]

    def _can_improve(self, length: int) -> bool:
        if len(self._ended) < self._beams.width:
            return True
        best = self.live[0].log_prob / length**self._beams.length_penalty
        return best > self._ended[-1][0]


def _largest(scores: FloatArray, count: int) -> list[tuple[int, float]]:
    """Places of the largest of all scores and these, from the largest on."""
    flat = scores.ravel()
    count = min(count, len(flat))
    places = np.sort(np.argpartition(-flat, count - 1)[:count])
    places = places[np.argsort(-flat[places], kind="stable")]
    return list(zip(places.tolist(), flat[places].tolist(), strict=True))
