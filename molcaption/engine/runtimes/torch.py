"""Captions from a merged model directory through transformers' own ``generate``.

The reference that a bundle is measured against, and the way to run a captioner on a GPU. Prompts
are padded on the left: with right padding ``generate`` is silently wrong. In float32 a caption does
not depend on its batch-mates up to rounding; bundles keep it to the bit. A batch that fills
a GPU's memory is halved, and so are those after it.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from molcaption.data.collate import padded, to_device, view_tensors
from molcaption.data.features import MoleculeView
from molcaption.data.prompt import encode_caption
from molcaption.engine import BATCH_SIZE
from molcaption.engine.draws import chances, draw
from molcaption.engine.hashes import directory_sha256
from molcaption.engine.merged import MergedModel, load_merged
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import GREEDY, Beams, Generation, Runtime
from molcaption.errors import MissingError
from molcaption.nn.captioner import repeat_rule

_log = logging.getLogger(__name__)


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
        prompts = [self.model.encode(smiles) for _, smiles in molecules]
        order = sorted(range(len(molecules)), key=lambda i: (-len(prompts[i]), i))
        places = [(i, number) for i in order for number in range(1 + draws)]
        made: dict[int, list[Generation]] = {}
        start, batch_size = 0, max(1, batch_size // beams.width)
        while start < len(places):
            chosen, batch = places[start : start + batch_size], None
            try:
                batch = self._batch(
                    [molecules[i][0] for i, _ in chosen],
                    [prompts[i] for i, _ in chosen],
                    [chances(molecules[i][1], k) if k else None for i, k in chosen],
                    beams,
                    max_new_tokens or self.model.max_new_tokens,
                )
            except torch.cuda.OutOfMemoryError as error:
                batch_size = _halved(len(chosen), error)
            if batch is None:  # outside of the handler, which keeps the failed batch's tensors
                torch.cuda.empty_cache()
                continue
            start += len(chosen)
            for (i, number), generation in zip(chosen, batch, strict=True):
                made.setdefault(i, []).append(generation)
                if number == draws:
                    yield i, made.pop(i)

    @torch.inference_mode()
    def prompt_batch(
        self, views: Sequence[MoleculeView], prompts: Sequence[Sequence[int]]
    ) -> tuple[Tensor, Tensor]:
        """Prompts as vectors [B, T, D] padded on the left, and their mask [B, T]."""
        captioner = self.model.captioner
        device = next(captioner.parameters()).device
        ids, mask = padded(prompts, self.model.end_token_ids[0], left=True)
        embeds = captioner.embed(ids.to(device), to_device(view_tensors(views), device))
        return embeds, mask.to(device)

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
        embeds, mask = self.prompt_batch(
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

    @torch.inference_mode()
    def _batch(
        self,
        views: Sequence[MoleculeView],
        prompts: Sequence[Sequence[int]],
        drawn: Sequence[Iterator[float] | None],
        beams: Beams,
        new_tokens: int,
    ) -> list[Generation]:
        """A caption for each prompt: a drawn one where there are chances to draw with."""
        searched = [i for i, chance in enumerate(drawn) if chance is None and beams.width > 1]
        others = [i for i in range(len(prompts)) if i not in searched]
        embeds, mask = self.prompt_batch(views, prompts)
        made: dict[int, Generation] = {}
        if searched:
            found = self._search(embeds[searched], mask[searched], beams, new_tokens)
            made.update(zip(searched, found, strict=True))
        if others:
            chosen = [drawn[i] for i in others]
            found = self._choose(embeds[others], mask[others], chosen, new_tokens)
            made.update(zip(others, found, strict=True))
        return [made[i] for i in range(len(prompts))]

    def _choose(
        self,
        embeds: Tensor,
        mask: Tensor,
        drawn: Sequence[Iterator[float] | None],
        new_tokens: int,
    ) -> list[Generation]:
        """Captions token by token, greedy or drawn."""
        chooser = _Chooser(self.model.captioner.graph_token_id, drawn)
        tokens = self._generate(embeds, mask, new_tokens, logits_processor=[chooser])
        log_probs = torch.stack(chooser.log_probs, dim=1).tolist()
        return [
            self._generation(row, sum(scores[: self._length(row)]))
            for row, scores in zip(tokens.tolist(), log_probs, strict=True)
        ]

    def _search(
        self, embeds: Tensor, mask: Tensor, beams: Beams, new_tokens: int
    ) -> list[Generation]:
        """Captions by transformers' beam search."""
        output = self._generate(
            embeds,
            mask,
            new_tokens,
            num_beams=beams.width,
            length_penalty=beams.length_penalty,
            early_stopping=False,
            suppress_tokens=[self.model.captioner.graph_token_id],
            renormalize_logits=True,
            return_dict_in_generate=True,
            output_scores=True,
        )
        return [
            self._generation(row, score * self._length(row) ** beams.length_penalty)
            for row, score in zip(
                output.sequences.tolist(), output.sequences_scores.tolist(), strict=True
            )
        ]

    def _generate(
        self,
        embeds: Tensor,
        mask: Tensor,
        new_tokens: int,
        logits_processor: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> Any:
        rules = repeat_rule(self.model.no_repeat_ngram)
        llm: Any = self.model.captioner.llm
        return llm.generate(
            inputs_embeds=embeds,
            attention_mask=mask,
            max_new_tokens=new_tokens,
            do_sample=False,
            eos_token_id=self.model.end_token_ids,
            pad_token_id=self.model.end_token_ids[0],
            logits_processor=LogitsProcessorList([*rules, *logits_processor]),
            **options,
        )

    def _length(self, tokens: Sequence[int]) -> int:
        """Of a caption that may be padded: its tokens up to the first that ends it, included."""
        ends = (i for i, token in enumerate(tokens) if token in self.model.end_token_ids)
        return next(ends, len(tokens) - 1) + 1

    def _generation(self, tokens: Sequence[int], log_prob: float) -> Generation:
        tokens = tokens[: self._length(tokens)]
        text = self.model.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        ended = tokens[-1] in self.model.end_token_ids
        return Generation(text, math.exp(log_prob / len(tokens)), ended)


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


class _Chooser(LogitsProcessor):
    """Chooses each row's token itself, greedy or drawn, and leaves ``generate`` no other.

    ``log_probs`` holds, for each step, the log-probability of each row's token: [B].
    """

    def __init__(self, graph_token_id: int, drawn: Sequence[Iterator[float] | None]) -> None:
        self._graph_token_id = graph_token_id
        self._drawn = drawn
        self.log_probs: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.float().clone()
        scores[:, self._graph_token_id] = -torch.inf
        chosen = scores.argmax(dim=1)
        for row, chance in enumerate(self._drawn):
            if chance is not None:
                chosen[row] = draw(scores[row].cpu().numpy(), next(chance))
        picked = chosen.unsqueeze(1)
        self.log_probs.append(scores.gather(1, picked).squeeze(1) - scores.logsumexp(dim=1))
        return torch.full_like(scores, -torch.inf).scatter(1, picked, 0.0)
