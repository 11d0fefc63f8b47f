"""A batch of captions in the making (search.py), and the molecules that wait for their turn.

A finished caption leaves its slots of the decoder's cache at once, and the next molecules take
them, so that none waits for the longest caption of a batch. That is allowed because a row's values
do not depend on the other rows (see packed.py and session.py); a test compares batches, orders and
neighbours.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count

import numpy as np
from tokenizers import Tokenizer

from molcaption.engine import bundle
from molcaption.engine.draws import chances
from molcaption.engine.packed import FloatArray
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Beams, CaptionQueue, Generation
from molcaption.engine.runtimes.onnx_prompts import Prompt, Prompter
from molcaption.engine.runtimes.search import (
    BeamSearch,
    Hypothesis,
    Rules,
    Search,
    SingleSearch,
    may_start,
    take_first_slots,
)
from molcaption.engine.runtimes.session import MOST_POSITIONS, DecoderSession


@dataclass(slots=True)
class _Candidate:
    """A caption in the making: the place of its molecule, its number among that molecule's
    candidates (0 is the greedy one, or that of the beams), and how it is searched for."""

    place: int
    number: int
    search: Search


class OnnxQueue(CaptionQueue):
    """See `molcaption.engine.runtimes.CaptionQueue`.

    Args:
        decoder: for this queue alone, until the next one is made.
        slots: hypotheses in the making at a time.
    """

    def __init__(
        self,
        manifest: bundle.Manifest,
        tokenizer: Tokenizer,
        prompter: Prompter,
        decoder: DecoderSession,
        rules: Rules,
        beams: Beams,
        draws: int,
        slots: int,
    ) -> None:
        self._manifest, self._tokenizer = manifest, tokenizer
        self._prompter, self._decoder = prompter, decoder
        self._rules, self._beams, self._draws = rules, beams, draws
        # A prompt is run once for all candidates of its molecule, which start together.
        self._each = beams.width + draws
        self._slots = max(slots, self._each)
        self._places = count()
        self._arriving: deque[tuple[list[int], Future[list[Prompt]]]] = deque()
        self._waiting: list[tuple[int, Prompt]] = []
        self._live: list[_Candidate] = []
        self._made: dict[int, dict[int, Generation]] = {}
        decoder.allocate(self._slots, manifest.max_prompt_tokens + rules.new_tokens)

    @property
    def hungry(self) -> bool:
        """See `CaptionQueue`."""
        arriving = sum(len(places) for places, _ in self._arriving)
        return (len(self._waiting) + arriving) * self._each < self._slots

    @property
    def empty(self) -> bool:
        """See `CaptionQueue`."""
        return not (self._arriving or self._waiting or self._live)

    def add(self, molecules: Sequence[Question]) -> None:
        """See `CaptionQueue`."""
        if molecules:
            places = [next(self._places) for _ in molecules]
            self._arriving.append((places, self._prompter.begin(molecules)))

    def step(self) -> list[tuple[int, list[Generation]]]:
        """See `CaptionQueue`."""
        self._arrive(wait=not self._waiting and not self._live)
        used = len(_hypotheses(self._live))
        free = (self._slots - used) // self._each
        if may_start(len(self._waiting), free, self._slots // self._each):
            self._live += self._start(self._next(free), used)
        else:
            self._advance()
        self._retire()
        whole = [place for place, made in self._made.items() if len(made) == 1 + self._draws]
        found = [(place, self._made.pop(place)) for place in whole]
        return [(place, [made[n] for n in range(1 + self._draws)]) for place, made in found]

    def _arrive(self, *, wait: bool) -> None:
        """Let the prompts wait that are made by now, and those that are made next if asked to."""
        while self._arriving and (wait or self._arriving[0][1].done()):
            places, made = self._arriving.popleft()
            # Longest first: the short ones fill up the end.
            pairs = zip(places, made.result(), strict=True)
            self._waiting += sorted(pairs, key=lambda one: -len(one[1].ids))
            wait = False

    def _next(self, most: int) -> list[tuple[int, Prompt]]:
        """Take the molecules that start next, ``most`` or as many as there is room to run.

        The first one, so that none waits for ever, and those most like it: little padding.
        """
        first = len(self._waiting[0][1].ids)
        near = sorted(self._waiting, key=lambda one: abs(len(one[1].ids) - first))[:most]
        longest = max(len(prompt.ids) for _, prompt in near)
        taken = near[: max(1, MOST_POSITIONS // longest)]
        places = {place for place, _ in taken}
        self._waiting = [one for one in self._waiting if one[0] not in places]
        return taken

    def _start(self, taken: Sequence[tuple[int, Prompt]], first: int) -> list[_Candidate]:
        """Run prompts into the slots from ``first`` on, and each candidate to a first token."""
        prompts = [prompt for _, prompt in taken]
        logits = self._decoder.prefill(first, *self._prompter.embed(prompts))
        started = []
        for slot, (place, prompt) in enumerate(taken, first):
            for number in range(1 + self._draws):
                hypothesis = Hypothesis(slot, len(prompt.ids))
                search: Search
                if number == 0 and self._beams.width > 1:
                    search = BeamSearch(hypothesis, self._rules, self._beams)
                else:
                    drawn = chances(prompt.smiles, number) if number else None
                    search = SingleSearch(hypothesis, self._rules, drawn)
                started.append(_Candidate(place, number, search))
        self._choose(started, logits, first)
        return started

    def _advance(self) -> None:
        """One more token for every live hypothesis."""
        hypotheses = sorted(_hypotheses(self._live), key=lambda one: one.slot)
        for one in hypotheses:
            one.length += 1
        lengths = np.array([one.length for one in hypotheses])
        words = self._prompter.words([one.tokens[-1] for one in hypotheses])
        self._choose(self._live, self._decoder.step(words, lengths), 0)

    def _choose(self, candidates: Sequence[_Candidate], logits: FloatArray, first: int) -> None:
        """The next step of each search, given the logits of the slots from ``first`` on.

        The graph token has no text and is never chosen.
        """
        logits[:, self._manifest.graph_token_id] = -np.inf
        for one in _hypotheses(candidates):
            if banned := one.repeating(self._rules.no_repeat_ngram):
                logits[one.slot - first, banned] = -np.inf
        totals = normalisers(logits)
        for candidate in candidates:
            places = [one.slot - first for one in candidate.search.live]
            candidate.search.choose(logits[places], totals[places])

    def _retire(self) -> None:
        """Take finished captions out, and give the hypotheses left the first slots, one each."""
        for candidate in self._live:
            if candidate.search.found is not None:
                made = self._generation(candidate.search.found)
                self._made.setdefault(candidate.place, {})[candidate.number] = made
        self._live = [candidate for candidate in self._live if candidate.search.found is None]
        take_first_slots(_hypotheses(self._live), self._decoder.copy)

    def _generation(self, found: Hypothesis) -> Generation:
        text = self._tokenizer.decode(found.tokens, skip_special_tokens=True).strip()
        confidence = float(np.exp(found.log_prob / len(found.tokens)))
        return Generation(text, confidence, found.tokens[-1] in self._rules.ends)


def normalisers(logits: FloatArray) -> FloatArray:
    """Logarithm of the summed exponentials of each row: [B, V] -> [B]."""
    best = logits.max(axis=1)
    totals: FloatArray = best + np.log(np.exp(logits - best[:, None]).sum(axis=1))
    return totals


def _hypotheses(candidates: Sequence[_Candidate]) -> list[Hypothesis]:
    return [one for candidate in candidates for one in candidate.search.live]
