"""Captions from a merged model directory through transformers.

The reference that a bundle is measured against, and the way to run a captioner on a GPU. Captions
are written token by token in a loop of our own (writer.py), or found by transformers' beam search.
In float32 a caption does not depend on its batch-mates up to rounding; bundles keep it to the bit.
A batch that fills a GPU's memory is halved, and so are those after it.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch

from molcaption.data.prompt import encode_caption
from molcaption.engine import BATCH_SIZE
from molcaption.engine.hashes import directory_sha256
from molcaption.engine.merged import MergedModel, load_merged
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import GREEDY, Beams, Generation, Runtime
from molcaption.engine.runtimes.lots import LotQueue
from molcaption.engine.runtimes.search import Rules
from molcaption.engine.runtimes.writer import Asked, CaptionWriter
from molcaption.errors import MissingError
from molcaption.nn.captioner import repeat_rule

_log = logging.getLogger(__name__)
_Caption = tuple[int, int, Generation]
"""A molecule's place, the caption's number, and the caption."""


class TorchRuntime(Runtime):
    """The runtime of merged model directories; see `molcaption.engine.runtimes.Runtime`."""

    def __init__(self, model: MergedModel, model_hash: str) -> None:
        self.model = model
        self.name = model.name
        self.model_hash = model_hash
        self.vocabulary, self.draws = model.vocabulary, model.draws

    @classmethod
    def load(cls, directory: str | Path, *, threads: int | None = None) -> Self:
        """Load a merged model directory, on CUDA where there is one.

        Raises:
            MissingError: a file is missing, or the model is not merged.
            BadDataError: a file is damaged.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(load_merged(Path(directory)), directory_sha256(Path(directory)))

    def queue(
        self,
        *,
        draws: int = 0,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> LotQueue:
        """See `Runtime.queue`."""
        limit = max_new_tokens or self.model.max_new_tokens
        return LotQueue(
            partial(self._whole, draws=draws, beams=beams, batch_size=batch_size, limit=limit)
        )

    def _whole(
        self,
        molecules: Sequence[Question],
        *,
        draws: int,
        beams: Beams,
        batch_size: int,
        limit: int,
    ) -> Iterator[tuple[int, list[Generation]]]:
        """All captions of each molecule, with its place."""
        prompts = [self.model.encode(smiles) for _, smiles in molecules]
        order = sorted(range(len(molecules)), key=lambda i: (-len(prompts[i]), i))
        asked = [Asked(i, n, *molecules[i], prompts[i]) for i in order for n in range(1 + draws)]
        made: dict[int, dict[int, Generation]] = {}
        for index, number, generation in self._captions(asked, beams, batch_size, limit):
            found = made.setdefault(index, {})
            found[number] = generation
            if len(found) == 1 + draws:
                del made[index]
                yield index, [found[n] for n in range(1 + draws)]

    def _captions(
        self, asked: Sequence[Asked], beams: Beams, size: int, limit: int
    ) -> Iterator[_Caption]:
        """Captions with the places and numbers that they have."""
        searched = [one for one in asked if beams.width > 1 and not one.number]
        search = partial(self._search, beams=beams, limit=limit)
        yield from _fitting(search, searched, max(1, size // beams.width))
        written = [one for one in asked if beams.width == 1 or one.number]
        yield from _fitting(partial(self._write, limit=limit), written, size)

    @torch.inference_mode()
    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = BATCH_SIZE
    ) -> list[float]:
        """See `Runtime.score`."""
        model = self.model
        tokens = encode_caption(
            model.tokenizer, caption, model.end_token_ids[0], model.max_new_tokens
        )
        parts = [molecules[i : i + batch_size] for i in range(0, len(molecules), batch_size)]
        return [score for part in parts for score in self._score(part, tokens)]

    def _score(self, molecules: Sequence[Question], tokens: Sequence[int]) -> list[float]:
        captioner = self.model.captioner
        embeds, mask = self.model.prompt_batch(
            [view for view, _ in molecules], [self.model.encode(smiles) for _, smiles in molecules]
        )
        target = torch.tensor(tokens, device=mask.device).expand(len(molecules), -1)  # [B, C]
        mask = torch.cat([mask, torch.ones_like(target)], dim=1)
        words = captioner.llm.get_input_embeddings()(target)
        output = captioner.llm(
            inputs_embeds=torch.cat([embeds, words], dim=1),
            attention_mask=mask,
            # What pads a prompt on the left takes no position.
            position_ids=(mask.cumsum(1) - 1).clamp(min=0),
            logits_to_keep=len(tokens) + 1,
        )
        logits = output.logits[:, :-1].float()  # [B, C, V]
        logits[:, :, captioner.graph_token_id] = -torch.inf
        picked = logits.log_softmax(-1).gather(2, target.unsqueeze(2))
        scores: list[float] = picked.sum((1, 2)).tolist()
        return scores

    def _write(self, asked: Sequence[Asked], size: int, *, limit: int) -> Iterator[_Caption]:
        """Captions token by token, greedy or drawn."""
        rules = Rules(frozenset(self.model.end_token_ids), limit, self.model.no_repeat_ngram)
        for written in CaptionWriter(self.model, rules, size).run(asked):
            found = written.hypothesis
            generation = self._generation(found.tokens, found.log_prob)
            yield written.asked.index, written.asked.number, generation

    @torch.inference_mode()
    def _search(
        self, asked: Sequence[Asked], size: int, *, beams: Beams, limit: int
    ) -> Iterator[_Caption]:
        """First captions by transformers' beam search."""
        llm: Any = self.model.captioner.llm
        for start in range(0, len(asked), size):
            some = asked[start : start + size]
            embeds, mask = self.model.prompt_batch(
                [one.view for one in some], [one.ids for one in some]
            )
            output = llm.generate(
                inputs_embeds=embeds,
                attention_mask=mask,
                max_new_tokens=limit,
                do_sample=False,
                num_beams=beams.width,
                length_penalty=beams.length_penalty,
                early_stopping=False,
                eos_token_id=self.model.end_token_ids,
                pad_token_id=self.model.end_token_ids[0],
                suppress_tokens=[self.model.captioner.graph_token_id],
                logits_processor=repeat_rule(self.model.no_repeat_ngram),
                renormalize_logits=True,
                return_dict_in_generate=True,
                output_scores=True,
            )
            scores = output.sequences_scores.tolist()
            for one, row, score in zip(some, output.sequences.tolist(), scores, strict=True):
                length = self._length(row)
                log_prob = score * length**beams.length_penalty
                yield one.index, 0, self._generation(row[:length], log_prob)

    def _length(self, tokens: Sequence[int]) -> int:
        """Of a caption that may be padded: its tokens up to the first that ends it, included."""
        ends = (i for i, token in enumerate(tokens) if token in self.model.end_token_ids)
        return next(ends, len(tokens) - 1) + 1

    def _generation(self, tokens: Sequence[int], log_prob: float) -> Generation:
        text = self.model.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        ended = tokens[-1] in self.model.end_token_ids
        return Generation(text, math.exp(log_prob / len(tokens)), ended)


def _fitting(
    make: Callable[[Sequence[Asked], int], Iterator[_Caption]], asked: Sequence[Asked], size: int
) -> Iterator[_Caption]:
    """All captions, ``size`` at a time, or as many as a GPU has room for."""
    made: set[tuple[int, int]] = set()
    while asked:
        try:
            for index, number, generation in make(asked, size):
                made.add((index, number))
                yield index, number, generation
            return
        except torch.cuda.OutOfMemoryError as error:
            size = _halved(min(size, len(asked)), error)
        # Outside of the handler, which keeps the failed batch's tensors.
        torch.cuda.empty_cache()
        asked = [one for one in asked if (one.index, one.number) not in made]


def _halved(batch_size: int, error: torch.cuda.OutOfMemoryError) -> int:
    """The next smaller batch to try.

    Raises:
        MissingError: there is none.
    """
    if batch_size == 1:
        raise MissingError(
            "GPU: out of memory with a single molecule; free some of it, or hide the GPU with "
            "CUDA_VISIBLE_DEVICES= to run on the CPU"
        ) from error
    _log.warning("GPU: out of memory with %d molecules; batches are halved", batch_size)
    return batch_size // 2
