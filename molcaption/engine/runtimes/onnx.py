"""Captions from an ONNX bundle: onnxruntime, numpy and a tokenizer, no torch.

The loop keeps a batch of live captions. A finished one leaves its row at once, and the next
molecules of the queue take the free rows, so that no row waits for the longest caption of a batch.
That is allowed because a row's values do not depend on the other rows (see packed.py and
session.py); a test compares batches, orders and neighbours.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from molcaption.data.features import FeatureVocabulary, MoleculeView
from molcaption.data.prompt import encode_caption
from molcaption.engine import bundle
from molcaption.engine.draws import chances, draw
from molcaption.engine.packed import FloatArray, take_rows
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Generation, Runtime
from molcaption.engine.runtimes.session import BridgeSession, DecoderSession, available_cores
from molcaption.errors import UsageError

_log = logging.getLogger(__name__)
_BRIDGE_BATCH = 64
_REFILL_SHARE = 4
"""New prompts start together when a quarter of the rows is free: fewer starts, less padding."""
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
class _Row:
    """A caption in the making.

    Attributes:
        index: place of its molecule.
        number: of the candidate; 0 is the greedy one.
        length: positions in the cache.
        chances: what a drawn candidate's tokens are drawn with; None for the greedy one.
    """

    index: int
    number: int
    length: int
    chances: Iterator[float] | None
    tokens: list[int] = field(default_factory=list)
    log_prob: float = 0.0
    followers: dict[tuple[int, ...], list[int]] = field(default_factory=dict)
    """What came after each run of n - 1 tokens, where runs of n may not repeat."""

    def append(self, token: int, log_prob: float, n: int) -> None:
        """One more token; ``n`` as for `repeating`."""
        self.tokens.append(token)
        self.log_prob += log_prob
        if n and len(self.tokens) >= n:
            self.followers.setdefault(tuple(self.tokens[-n:-1]), []).append(token)

    def repeating(self, n: int) -> list[int]:
        """Tokens that would end a run of ``n`` tokens which this caption holds already."""
        last = tuple(self.tokens[len(self.tokens) - n + 1 :])
        return self.followers.get(last, [])


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
        batch_size: int = 32,
        max_new_tokens: int | None = None,
    ) -> Iterator[tuple[int, list[Generation]]]:
        """See `Runtime.stream`."""
        if not molecules:
            return
        new_tokens = self._check_new_tokens(max_new_tokens)
        prompts = self._prompts(molecules)
        # A prompt is run once for all candidates of its molecule, whose rows start together.
        each = 1 + draws
        capacity = min(max(batch_size, each), len(prompts) * each)
        # Longest first: neighbours need little padding, and the short ones fill up the end.
        queue = deque(sorted(prompts, key=lambda prompt: (-len(prompt.ids), prompt.index)))
        self._decoder.allocate(capacity, len(queue[0].ids) + new_tokens)
        finished: dict[int, dict[int, Generation]] = {}
        rows: list[_Row] = []
        while queue or rows:
            free = (capacity - len(rows)) // each
            wanted = max(1, capacity // each // _REFILL_SHARE)
            if queue and free and (not rows or free >= min(wanted, len(queue))):
                most = max(1, _START_POSITIONS // len(queue[0].ids))
                taken = [queue.popleft() for _ in range(min(free, most, len(queue)))]
                rows += self._start(taken, len(rows), each)
            else:
                self._advance(rows)
            rows = self._retire(rows, new_tokens, finished)
            for i in [i for i, made in finished.items() if len(made) == each]:
                done = finished.pop(i)
                yield i, [done[number] for number in range(each)]

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
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = 32
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

    def _check_new_tokens(self, wanted: int | None) -> int:
        limit = self.manifest.decoder.positions - self.manifest.max_prompt_tokens
        if wanted is not None and wanted > limit:
            raise UsageError(f"max_new_tokens {wanted}: this bundle writes at most {limit}")
        return wanted or self.manifest.max_new_tokens

    def _encode(self, smiles: str) -> list[int]:
        manifest = self.manifest
        return manifest.prompt.encode(self._tokenizer, smiles, manifest.max_prompt_tokens)

    def _start(self, prompts: Sequence[_Prompt], first: int, each: int) -> list[_Row]:
        """Run prompts into the rows from ``first`` on, ``each`` rows a prompt, to a first token."""
        logits = self._decoder.prefill(first, *_pad([self._embed(prompt) for prompt in prompts]))
        started = [_row(prompt, 0) for prompt in prompts]
        for source, prompt in enumerate(prompts):
            for number in range(1, each):
                target = first + len(started)
                self._decoder.copy([first + source], [target], len(prompt.ids))
                started.append(_row(prompt, number))
        self._choose(started, np.concatenate([logits, np.repeat(logits, each - 1, axis=0)]))
        return started

    def _advance(self, rows: Sequence[_Row]) -> None:
        """One more token for every live caption."""
        tokens = np.array([row.tokens[-1] for row in rows])
        for row in rows:
            row.length += 1
        lengths = np.array([row.length for row in rows])
        self._choose(rows, self._decoder.step(take_rows(self._embeddings, tokens), lengths))

    def _choose(self, rows: Sequence[_Row], logits: FloatArray) -> None:
        """The next token of each row; the graph token has no text and is never chosen."""
        n = self.manifest.no_repeat_ngram
        logits[:, self.manifest.graph_token_id] = -np.inf
        for row, scores in zip(rows, logits, strict=True):
            scores[row.repeating(n)] = -np.inf
        for row, scores, total in zip(rows, logits, _normalisers(logits).tolist(), strict=True):
            token = int(scores.argmax()) if row.chances is None else draw(scores, next(row.chances))
            row.append(token, float(scores[token]) - total, n)

    def _retire(
        self, rows: Sequence[_Row], new_tokens: int, finished: dict[int, dict[int, Generation]]
    ) -> list[_Row]:
        """Take finished captions out, and close the gaps in the cache from the end."""
        live = list(rows)
        for i in reversed(range(len(live))):
            row = live[i]
            ended = row.tokens[-1] in self._ends
            if not ended and len(row.tokens) < new_tokens:
                continue
            finished.setdefault(row.index, {})[row.number] = self._generation(row, ended)
            last = live.pop()
            if i < len(live):
                live[i] = last
                self._decoder.copy([len(live)], [i], last.length)
        return live

    def _generation(self, row: _Row, ended: bool) -> Generation:
        text = self._tokenizer.decode(row.tokens, skip_special_tokens=True).strip()
        return Generation(text, float(np.exp(row.log_prob / len(row.tokens))), ended)


def _row(prompt: _Prompt, number: int) -> _Row:
    drawn = chances(prompt.smiles, number) if number else None
    return _Row(prompt.index, number, len(prompt.ids), drawn)


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
