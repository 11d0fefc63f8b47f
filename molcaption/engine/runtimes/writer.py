"""Captions token by token through a transformers decoder; the next molecules take the place of
those that are done."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, groupby

import torch
from torch import Tensor

from molcaption.data.features import MoleculeView
from molcaption.engine.draws import chances, draw
from molcaption.engine.merged import MergedModel
from molcaption.engine.runtimes.search import Hypothesis, Rules, may_start, take_first_slots
from molcaption.engine.runtimes.slots import SlotDecoder

_START_POSITIONS = 2**15
"""Most positions that start together on a GPU, padding included: activations need room too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A caption that is asked for.

    Attributes:
        index: its molecule's place among the others.
        number: 0 for the greedy one, else of a drawn one.
        ids: tokens of the prompt.
    """

    index: int
    number: int
    view: MoleculeView
    smiles: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Written:
    """A caption in the making, and what its tokens are drawn with if they are."""

    asked: Asked
    hypothesis: Hypothesis
    chances: Iterator[float]


class CaptionWriter:
    """Writes captions, ``size`` at a time."""

    def __init__(self, model: MergedModel, rules: Rules, size: int) -> None:
        self._model, self._rules, self._size = model, rules, size

    @torch.inference_mode()
    def run(self, asked: Sequence[Asked]) -> Iterator[Written]:
        """All captions, as they end; asked for in the order of their prompts' length, longest
        first, and those of a molecule one after another."""
        queue, slots = deque(asked), min(self._size, len(asked))
        longest = len(queue[0].ids) + self._rules.new_tokens
        decoder = SlotDecoder(self._model.captioner.llm, slots, longest)
        live: list[Written] = []
        while queue or live:
            room = slots - len(live)
            if may_start(len(queue), room, slots):
                most = max(1, _START_POSITIONS // len(queue[0].ids))
                some = [queue.popleft() for _ in range(min(room, most, len(queue)))]
                live += self._start(decoder, some, len(live))
            else:
                self._advance(decoder, live)
            done = [self._is_done(written) for written in live]
            yield from compress(live, done)
            live = [written for written, ended in zip(live, done, strict=True) if not ended]
            take_first_slots([written.hypothesis for written in live], decoder.copy)
            live.sort(key=lambda written: written.hypothesis.slot)

    def _start(self, decoder: SlotDecoder, some: Sequence[Asked], first: int) -> list[Written]:
        """Put captions into the slots from ``first`` on, and write the first token of each.

        A prompt is run once for all captions of its molecule that start together.
        """
        started = [
            Written(one, Hypothesis(slot, len(one.ids)), chances(one.smiles, one.number))
            for slot, one in enumerate(some, first)
        ]
        groups = [list(group) for _, group in groupby(started, lambda w: w.asked.index)]
        heads = [group[0].asked for group in groups]
        prompts = self._model.prompt_batch([one.view for one in heads], [one.ids for one in heads])
        logits = decoder.start(*prompts, [[w.hypothesis.slot for w in group] for group in groups])
        rows = [row for row, group in enumerate(groups) for _ in group]
        self._choose(started, logits[rows])
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
        drawn = [row for row, written in enumerate(live) if written.asked.number]
        if drawn:
            some = zip(scores[drawn].cpu().numpy(), drawn, strict=True)
            found = [draw(of_row, next(live[row].chances)) for of_row, row in some]
            chosen[drawn] = torch.tensor(found, device=chosen.device)
        log_probs = scores.gather(1, chosen[:, None])[:, 0] - scores.logsumexp(1)
        pairs = torch.stack([chosen.double(), log_probs.double()]).tolist()  # one copy for both
        for written, token, log_prob in zip(live, *pairs, strict=True):
            written.hypothesis.append(int(token), log_prob, n)

    def _is_done(self, written: Written) -> bool:
        tokens = written.hypothesis.tokens
        return tokens[-1] in self._rules.ends or len(tokens) >= self._rules.new_tokens
