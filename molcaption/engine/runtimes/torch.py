"""Captions from a merged model directory through transformers' own ``generate``.

The reference that a bundle is measured against, and the way to run a captioner on a GPU. Prompts
are padded on the left: with right padding ``generate`` is silently wrong. In float32 a caption does
not depend on its batch-mates up to rounding; bundles keep it to the bit.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from molcaption.data.collate import padded, to_device, view_tensors
from molcaption.data.features import MoleculeView
from molcaption.engine.draws import chances, draw
from molcaption.engine.hashes import directory_sha256
from molcaption.engine.merged import MergedModel, load_merged
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Generation, Runtime
from molcaption.nn.captioner import repeat_rule


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
        batch_size: int = 32,
        max_new_tokens: int | None = None,
    ) -> Iterator[tuple[int, list[Generation]]]:
        """See `Runtime.stream`."""
        prompts = [self.model.encode(smiles) for _, smiles in molecules]
        order = sorted(range(len(molecules)), key=lambda i: (-len(prompts[i]), i))
        places = [(i, number) for i in order for number in range(1 + draws)]
        made: dict[int, list[Generation]] = {}
        for start in range(0, len(places), batch_size):
            chosen = places[start : start + batch_size]
            batch = self._batch(
                [molecules[i][0] for i, _ in chosen],
                [prompts[i] for i, _ in chosen],
                [chances(molecules[i][1], k) if k else None for i, k in chosen],
                max_new_tokens or self.model.max_new_tokens,
            )
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
    def _batch(
        self,
        views: Sequence[MoleculeView],
        prompts: Sequence[Sequence[int]],
        drawn: Sequence[Iterator[float] | None],
        new_tokens: int,
    ) -> list[Generation]:
        embeds, mask = self.prompt_batch(views, prompts)
        scorer = _Chooser(self.model.captioner.graph_token_id, drawn)
        llm: Any = self.model.captioner.llm
        tokens = llm.generate(
            inputs_embeds=embeds,
            attention_mask=mask,
            max_new_tokens=new_tokens,
            do_sample=False,
            eos_token_id=self.model.end_token_ids,
            pad_token_id=self.model.end_token_ids[0],
            logits_processor=LogitsProcessorList(
                [*repeat_rule(self.model.no_repeat_ngram), scorer]
            ),
        )
        log_probs = torch.stack(scorer.log_probs, dim=1).tolist()
        return [
            self._generation(row, scores)
            for row, scores in zip(tokens.tolist(), log_probs, strict=True)
        ]

    def _generation(self, tokens: Sequence[int], log_probs: Sequence[float]) -> Generation:
        ends = [i for i, token in enumerate(tokens) if token in self.model.end_token_ids]
        length = ends[0] + 1 if ends else len(tokens)
        text = self.model.tokenizer.decode(tokens[:length], skip_special_tokens=True).strip()
        confidence = torch.tensor(log_probs[:length]).mean().exp()
        return Generation(text, float(confidence), bool(ends))


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
