"""Captions token by token through a transformers decoder; the next molecules take the place of
those that are done."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from molcaption.data.features import MoleculeView
from molcaption.engine.draws import chances, draw
from molcaption.engine.merged import MergedModel
from molcaption.engine.runtimes.search import Hypothesis, Rules
from molcaption.engine.runtimes.slots import SlotDecoder

_REFILL_SHARE = 4
"""A prompt's pass costs as much as some steps: wait until a quarter of the places are free."""
_START_POSITIONS = 2**15
"""Of all prompts that start together, padding included: their activations must fit too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A molecule to be captioned: its place among the others, and its prompt's tokens."""

    index: int
    view: MoleculeView
    smiles: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Written:
    """A caption in the making; number 0 is greedy, the others are drawn."""

    asked: Asked
    number: int
    hypothesis: Hypothesis
    chances: Iterator[float]

    def chance(self) -> float:
        """What the next token is drawn with."""
        return next(self.chances)


class CaptionWriter:
    """Writes captions.

    Args:
        numbers: of the captions of each molecule.
        size: molecules at a time.
    """

    def __init__(self, model: MergedModel, rules: Rules, numbers: Sequence[int], size: int) -> None:
        self._model, self._rules, self._numbers, self._size = model, rules, numbers, size

    @torch.inference_mode()
    def run(self, asked: Sequence[Asked]) -> Iterator[Written]:
        """All captions of molecules that are sorted by length, longest first, as they end."""
        queue, each = deque(asked), len(self._numbers)
        slots = min(self._size, len(queue)) * each
        longest = len(queue[0].ids) + self._rules.new_tokens
        decoder = SlotDecoder(self._model.captioner.llm, slots, longest)
        live: list[Written] = []
        while queue or live:
            room = (slots - len(live)) // each
            wanted = max(1, slots // each // _REFILL_SHARE)
            if queue and room and (not live or room >= min(wanted, len(queue))):
                most = max(1, _START_POSITIONS // len(queue[0].ids))
                some = [queue.popleft() for _ in range(min(room, most, len(queue)))]
                live += self._start(decoder, some, len(live))
            else:
                self._advance(decoder, live)
            yield from (written for written in live if self._is_done(written))
            live = [written for written in live if not self._is_done(written)]
            _close_ranks(decoder, live)

    def _start(self, decoder: SlotDecoder, some: Sequence[Asked], first: int) -> list[Written]:
        """Run prompts into the slots from ``first`` on, and each caption to its first token."""
        started = [
            Written(
                asked,
                number,
                Hypothesis(first + place * len(self._numbers) + i, len(asked.ids)),
                chances(asked.smiles, number),
            )
            for place, asked in enumerate(some)
            for i, number in enumerate(self._numbers)
        ]
        prompts = self._model.prompt_batch([a.view for a in some], [a.ids for a in some])
        each = len(self._numbers)
        slots = [written.hypothesis.slot for written in started]
        logits = decoder.start(*prompts, [slots[i : i + each] for i in range(0, len(slots), each)])
        self._choose(started, logits.repeat_interleave(each, 0))
        return started

    def _advance(self, decoder: SlotDecoder, live: Sequence[Written]) -> None:
        """One more token for every caption; slots hold them in their order."""
        hypotheses = [written.hypothesis for written in live]
        logits = decoder.step(
            [one.tokens[-1] for one in hypotheses], [one.length for one in hypotheses]
        )
        for one in hypotheses:
            one.length += 1
        self._choose(live, logits)

    def _choose(self, live: Sequence[Written], logits: Tensor) -> None:
        """The next token of each caption, given logits [len(live), V]."""
        scores = logits.float()
        scores[:, self._model.captioner.graph_token_id] = -torch.inf
        n = self._rules.no_repeat_ngram
        banned = [(row, t) for row, w in enumerate(live) for t in w.hypothesis.repeating(n)]
        if banned:
            rows, tokens = torch.tensor(banned, device=scores.device).T
            scores[rows, tokens] = -torch.inf
        chosen = scores.argmax(1)
        drawn = [row for row, written in enumerate(live) if written.number]
        if drawn:
            some = zip(scores[drawn].cpu().numpy(), drawn, strict=True)
            found = [draw(of_row, live[row].chance()) for of_row, row in some]
            chosen[drawn] = torch.tensor(found, device=chosen.device)
        log_probs = scores.gather(1, chosen[:, None])[:, 0] - scores.logsumexp(1)
        pairs = torch.stack([chosen.double(), log_probs.double()]).tolist()  # one copy for both
        for written, token, log_prob in zip(live, *pairs, strict=True):
            written.hypothesis.append(int(token), log_prob, n)

    def _is_done(self, written: Written) -> bool:
        tokens = written.hypothesis.tokens
        return tokens[-1] in self._rules.ends or len(tokens) >= self._rules.new_tokens


def _close_ranks(decoder: SlotDecoder, live: list[Written]) -> None:
    """Give the captions that go on the first slots, in their order in ``live``."""
    taken = {written.hypothesis.slot for written in live}
    free = [slot for slot in range(len(live)) if slot not in taken]
    moving = [w.hypothesis for w in live if w.hypothesis.slot >= len(live)]
    if moving:
        decoder.move([one.slot for one in moving], free)
    for one, slot in zip(moving, free, strict=True):
        one.slot = slot
    live.sort(key=lambda written: written.hypothesis.slot)
