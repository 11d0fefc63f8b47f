"""Captions from an ONNX bundle: onnxruntime, numpy and a tokenizer, no torch.

The loop keeps a batch of captions in the making (search.py). A finished one leaves its slots of the
cache at once, and the next molecules of the queue take them, so that none waits for the longest
caption of a batch. That is allowed because a row's values do not depend on the other rows (see
packed.py and session.py); a test compares batches, orders and neighbours.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from molcaption.data.features import FeatureVocabulary, MoleculeView
from molcaption.data.prompt import encode_caption
from molcaption.engine import BATCH_SIZE, bundle
from molcaption.engine.draws import chances
from molcaption.engine.packed import FloatArray, take_rows
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import GREEDY, Beams, Generation, Runtime
from molcaption.engine.runtimes.search import (
    REFILL_SHARE,
    BeamSearch,
    Hypothesis,
    Rules,
    Search,
    SingleSearch,
    take_first_slots,
)
from molcaption.engine.runtimes.session import BridgeSession, DecoderSession, available_cores
from molcaption.errors import UsageError

_log = logging.getLogger(__name__)
_BRIDGE_BATCH = 64
_START_POSITIONS = 4096
"""Most positions that start together, padding included: the activations of more fill the memory."""


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A molecule that waits: its place in the input, its SMILES, the ids of its prompt [S] and its
    vectors [Q + R, D]. It is embedded when it starts; a thousand embedded ones fill the memory."""

    index: int
    smiles: str
    ids: NDArray[np.int64]
    vectors: FloatArray


@dataclass(slots=True)
class _Candidate:
    """A caption in the making: the place of its molecule, its number among that molecule's
    candidates (0 is the greedy one, or that of the beams), and how it is searched for."""

    index: int
    number: int
    search: Search


class OnnxRuntime(Runtime):
    """The runtime of bundles; see `molcaption.engine.runtimes.Runtime`."""

    def __init__(self, directory: Path, manifest: bundle.Manifest, threads: int) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self.model_hash = manifest.model_hash
        self._tokenizer = Tokenizer.from_file(str(directory / bundle.TOKENIZER))
        self._embeddings = np.load(directory / bundle.EMBEDDINGS, mmap_mode="r")
        self._bridge = BridgeSession(directory)
        self._decoder = DecoderSession(directory, manifest.decoder, threads, manifest.target)
        self._ends = frozenset(manifest.end_token_ids)
        self.draws = manifest.draws
        self.vocabulary = FeatureVocabulary.load(directory) if manifest.features else None

    @classmethod
    def load(cls, directory: str | Path, *, threads: int | None = None) -> Self:
        """Check and load a bundle.

        Raises:
            MissingError: a file is missing, or the GPU that it was made for.
            BadDataError: a file is damaged, or from a newer version.
        """
        manifest = bundle.load_manifest(directory)
        runtime = cls(Path(directory), manifest, threads or available_cores())
        if not manifest.batch_invariant:
            _log.warning(
                "bundle %s (%s weights, %s): a caption may change with --batch-size and with "
                "what is captioned beside it", manifest.name, manifest.weights, manifest.target
            )  # fmt: skip
        return runtime

    def stream(
        self,
        molecules: Sequence[Question],
        *,
        draws: int = 0,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> Iterator[tuple[int, list[Generation]]]:
        """See `Runtime.stream`."""
        if not molecules:
            return
        rules = self._rules(max_new_tokens)
        prompts = self._prompts(molecules)
        # A prompt is run once for all candidates of its molecule, which start together.
        each = beams.width + draws
        capacity = min(max(batch_size, each), len(prompts) * each)
        # Longest first: neighbours need little padding, and the short ones fill up the end.
        queue = deque(sorted(prompts, key=lambda prompt: (-len(prompt.ids), prompt.index)))
        self._decoder.allocate(capacity, len(queue[0].ids) + rules.new_tokens)
        finished: dict[int, dict[int, Generation]] = {}
        live: list[_Candidate] = []
        while queue or live:
            used = len(_hypotheses(live))
            free = (capacity - used) // each
            wanted = max(1, capacity // each // REFILL_SHARE)
            if queue and free and (not live or free >= min(wanted, len(queue))):
                most = max(1, _START_POSITIONS // len(queue[0].ids))
                taken = [queue.popleft() for _ in range(min(free, most, len(queue)))]
                live += self._start(taken, used, rules, beams, draws)
            else:
                self._advance(live, rules)
            live = self._retire(live, finished)
            for i in [i for i, made in finished.items() if len(made) == 1 + draws]:
                done = finished.pop(i)
                yield i, [done[number] for number in range(1 + draws)]

    def _prompts(self, molecules: Sequence[Question]) -> list[_Prompt]:
        prompts: list[_Prompt] = []
        for start in range(0, len(molecules), _BRIDGE_BATCH):
            chunk = molecules[start : start + _BRIDGE_BATCH]
            tokens = self._bridge.tokens([view for view, _ in chunk])
            for (_, smiles), vectors in zip(chunk, tokens, strict=True):
                ids = np.array(self._encode(smiles))
                prompts.append(_Prompt(len(prompts), smiles, ids, vectors))
        return prompts

    def _embed(self, prompt: _Prompt) -> FloatArray:
        """A prompt as vectors [S, D], the molecule's own in their places."""
        embeds = take_rows(self._embeddings, prompt.ids)
        embeds[prompt.ids == self.manifest.graph_token_id] = prompt.vectors
        return embeds

    def tokens(self, views: Sequence[MoleculeView]) -> FloatArray:
        """Molecules as vectors of the decoder's space, [B, Q + R, D]."""
        return self._bridge.tokens(views)

    def first_logits(self, molecules: Sequence[Question]) -> FloatArray:
        """Logits of the first token of each molecule's caption, [B, V]; for measuring parity."""
        prompts = [self._embed(prompt) for prompt in self._prompts(molecules)]
        self._decoder.allocate(len(prompts), max(map(len, prompts)))
        return self._decoder.prefill(0, *_pad(prompts))

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = BATCH_SIZE
    ) -> list[float]:
        """See `Runtime.score`."""
        end, most = self.manifest.end_token_ids[0], self.manifest.max_new_tokens
        tokens = encode_caption(self._tokenizer, caption, end, most)
        prompts = self._prompts(molecules)
        longest = max((len(prompt.ids) for prompt in prompts), default=1)
        size = min(batch_size, max(1, _START_POSITIONS // longest))
        parts = [prompts[start : start + size] for start in range(0, len(prompts), size)]
        return [score for part in parts for score in self._score(part, tokens)]

    def _score(self, prompts: Sequence[_Prompt], tokens: Sequence[int]) -> list[float]:
        embeds, lengths = _pad([self._embed(prompt) for prompt in prompts])
        self._decoder.allocate(len(prompts), int(lengths.max()) + len(tokens))
        logits, total = self._decoder.prefill(0, embeds, lengths), np.zeros(len(prompts))
        for place, token in enumerate(tokens):
            if place:
                before = take_rows(self._embeddings, np.full(len(prompts), tokens[place - 1]))
                logits = self._decoder.step(before, lengths + place)
            logits[:, self.manifest.graph_token_id] = -np.inf
            total += logits[:, token] - _normalisers(logits)
        return [float(score) for score in total]

    def _rules(self, new_tokens: int | None) -> Rules:
        limit = self.manifest.decoder.positions - self.manifest.max_prompt_tokens
        if new_tokens is not None and new_tokens > limit:
            raise UsageError(f"max_new_tokens {new_tokens}: this bundle writes at most {limit}")
        wanted = new_tokens or self.manifest.max_new_tokens
        return Rules(self._ends, wanted, self.manifest.no_repeat_ngram)

    def _encode(self, smiles: str) -> list[int]:
        manifest = self.manifest
        return manifest.prompt.encode(self._tokenizer, smiles, manifest.max_prompt_tokens)

    def _start(
        self, prompts: Sequence[_Prompt], first: int, rules: Rules, beams: Beams, draws: int
    ) -> list[_Candidate]:
        """Run prompts into the slots from ``first`` on, and each candidate to a first token."""
        logits = self._decoder.prefill(first, *_pad([self._embed(prompt) for prompt in prompts]))
        started = []
        for slot, prompt in enumerate(prompts, first):
            for number in range(1 + draws):
                hypothesis = Hypothesis(slot, len(prompt.ids))
                search: Search
                if number == 0 and beams.width > 1:
                    search = BeamSearch(hypothesis, rules, beams)
                else:
                    drawn = chances(prompt.smiles, number) if number else None
                    search = SingleSearch(hypothesis, rules, drawn)
                started.append(_Candidate(prompt.index, number, search))
        self._choose(started, logits, first, rules.no_repeat_ngram)
        return started

    def _advance(self, live: Sequence[_Candidate], rules: Rules) -> None:
        """One more token for every live hypothesis."""
        hypotheses = sorted(_hypotheses(live), key=lambda one: one.slot)
        tokens = np.array([one.tokens[-1] for one in hypotheses])
        for one in hypotheses:
            one.length += 1
        lengths = np.array([one.length for one in hypotheses])
        logits = self._decoder.step(take_rows(self._embeddings, tokens), lengths)
        self._choose(live, logits, 0, rules.no_repeat_ngram)

    def _choose(
        self, candidates: Sequence[_Candidate], logits: FloatArray, first: int, n: int
    ) -> None:
        """The next step of each search, given the logits of the slots from ``first`` on.

        The graph token has no text and is never chosen.
        """
        logits[:, self.manifest.graph_token_id] = -np.inf
        for one in _hypotheses(candidates):
            logits[one.slot - first, one.repeating(n)] = -np.inf
        totals = _normalisers(logits)
        for candidate in candidates:
            places = [one.slot - first for one in candidate.search.live]
            candidate.search.choose(logits[places], totals[places])

    def _retire(
        self, candidates: Sequence[_Candidate], finished: dict[int, dict[int, Generation]]
    ) -> list[_Candidate]:
        """Take finished captions out, and give the hypotheses left the first slots, one each."""
        for candidate in candidates:
            if candidate.search.found is not None:
                made = self._generation(candidate.search.found)
                finished.setdefault(candidate.index, {})[candidate.number] = made
        live = [candidate for candidate in candidates if candidate.search.found is None]
        take_first_slots(_hypotheses(live), self._decoder.copy)
        return live

    def _generation(self, found: Hypothesis) -> Generation:
        text = self._tokenizer.decode(found.tokens, skip_special_tokens=True).strip()
        confidence = float(np.exp(found.log_prob / len(found.tokens)))
        return Generation(text, confidence, found.tokens[-1] in self._ends)


def _hypotheses(candidates: Sequence[_Candidate]) -> list[Hypothesis]:
    return [one for candidate in candidates for one in candidate.search.live]


def _normalisers(logits: FloatArray) -> FloatArray:
    """Logarithm of the summed exponentials of each row: [B, V] -> [B]."""
    best = logits.max(axis=1)
    totals: FloatArray = best + np.log(np.exp(logits - best[:, None]).sum(axis=1))
    return totals


def _pad(prompts: Sequence[FloatArray]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Prompts [S, D] of several lengths -> [B, longest, D] padded on the right, lengths [B]."""
    lengths = np.array([len(prompt) for prompt in prompts])
    embeds = np.zeros((len(prompts), lengths.max(), prompts[0].shape[1]), np.float32)
    for row, prompt in zip(embeds, prompts, strict=True):
        row[: len(prompt)] = prompt
    return embeds, lengths
