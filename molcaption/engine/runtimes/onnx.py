"""Captions from an ONNX bundle: onnxruntime, numpy and a tokenizer, no torch."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from tokenizers import Tokenizer

from molcaption.data.features import FeatureVocabulary, MoleculeView
from molcaption.data.prompt import encode_caption
from molcaption.engine import BATCH_SIZE, bundle
from molcaption.engine.packed import FloatArray
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import GREEDY, Beams, Runtime
from molcaption.engine.runtimes.onnx_prompts import Prompt, Prompter
from molcaption.engine.runtimes.onnx_queue import OnnxQueue, normalisers
from molcaption.engine.runtimes.search import Rules
from molcaption.engine.runtimes.session import MOST_POSITIONS, DecoderSession, available_cores
from molcaption.errors import UsageError

_log = logging.getLogger(__name__)


class OnnxRuntime(Runtime):
    """The runtime of bundles; see `molcaption.engine.runtimes.Runtime`."""

    def __init__(self, directory: Path, manifest: bundle.Manifest, threads: int) -> None:
        self.manifest = manifest
        self.name = manifest.name
        self.model_hash = manifest.model_hash
        self._tokenizer = Tokenizer.from_file(str(directory / bundle.TOKENIZER))
        self._prompter = Prompter(directory, manifest, self._tokenizer)
        self._decoder = DecoderSession(directory, manifest.decoder, threads, manifest.target)
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

    def queue(
        self,
        *,
        draws: int = 0,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> OnnxQueue:
        """See `Runtime.queue`."""
        limit = self.manifest.decoder.positions - self.manifest.max_prompt_tokens
        if max_new_tokens is not None and max_new_tokens > limit:
            raise UsageError(f"max_new_tokens {max_new_tokens}: this bundle writes at most {limit}")
        rules = Rules(
            frozenset(self.manifest.end_token_ids),
            max_new_tokens or self.manifest.max_new_tokens,
            self.manifest.no_repeat_ngram,
        )
        return OnnxQueue(
            self.manifest, self._tokenizer, self._prompter, self._decoder, rules, beams, draws,
            slots=batch_size,
        )  # fmt: skip

    def tokens(self, views: Sequence[MoleculeView]) -> FloatArray:
        """Molecules as vectors of the decoder's space, [B, Q + R, D]."""
        return self._prompter.tokens(views)

    def first_logits(self, molecules: Sequence[Question]) -> FloatArray:
        """Logits of the first token of each molecule's caption, [B, V]; for measuring parity."""
        embeds, lengths = self._prompter.embed(self._prompter.prompts(molecules))
        self._decoder.allocate(len(lengths), int(lengths.max()))
        return self._decoder.prefill(0, embeds, lengths)

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = BATCH_SIZE
    ) -> list[float]:
        """See `Runtime.score`."""
        end, most = self.manifest.end_token_ids[0], self.manifest.max_new_tokens
        tokens = encode_caption(self._tokenizer, caption, end, most)
        prompts = self._prompter.prompts(molecules)
        longest = max((len(prompt.ids) for prompt in prompts), default=1)
        size = min(batch_size, max(1, MOST_POSITIONS // longest))
        parts = [prompts[start : start + size] for start in range(0, len(prompts), size)]
        return [score for part in parts for score in self._score(part, tokens)]

    def _score(self, prompts: Sequence[Prompt], tokens: Sequence[int]) -> list[float]:
        embeds, lengths = self._prompter.embed(prompts)
        self._decoder.allocate(len(prompts), int(lengths.max()) + len(tokens))
        logits, total = self._decoder.prefill(0, embeds, lengths), np.zeros(len(prompts))
        for place, token in enumerate(tokens):
            if place:
                before = self._prompter.words([tokens[place - 1]] * len(prompts))
                logits = self._decoder.step(before, lengths + place)
            logits[:, self.manifest.graph_token_id] = -np.inf
            total += logits[:, token] - normalisers(logits)
        return [float(score) for score in total]
