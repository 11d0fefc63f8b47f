"""Pretraining of a small backbone as a plain language model on texts about molecules."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen3ForCausalLM

from molcaption.data.batching import token_batches
from molcaption.data.collate import IGNORE, answered_batch
from molcaption.data.documents import Document, DocumentSource
from molcaption.engine.loop import Evaluation


class BackboneObjective(nn.Module):
    """Next-token loss on the answers.

    Args:
        llm: the untrained decoder.
        source: documents of each epoch.
        dev: documents to measure perplexity on.
        pad: token id that fills up short rows.
    """

    def __init__(
        self,
        llm: Qwen3ForCausalLM,
        source: DocumentSource,
        dev: Sequence[Document],
        *,
        pad: int,
        batch_tokens: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.llm = llm
        self._source = source
        self._dev = dev
        self._pad = pad
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._epoch: tuple[int, list[Document]] = (-1, [])

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Matrices decay; norms and biases do not."""
        matrices = [p for p in self.llm.parameters() if p.ndim > 1]
        vectors = [p for p in self.llm.parameters() if p.ndim == 1]
        return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]

    def batches(self, epoch: int) -> list[list[int]]:
        """See `Objective`."""
        lengths = [len(document) for document in self._documents(epoch)]
        return token_batches(lengths, self._batch_tokens, seed=self._seed, epoch=epoch)

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Tensor]:
        """See `Objective`."""
        documents = self._documents(epoch)
        return self._batch([documents[i] for i in indices])

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch."""
        states = self.llm.model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state
        following = batch["labels"][:, 1:]
        kept = following != IGNORE
        # Logits are the largest tensor of the step: only where there is something to predict.
        logits = self.llm.lm_head(states[:, :-1][kept])
        return {"loss": F.cross_entropy(logits.float(), following[kept])}

    def evaluate(self) -> Evaluation:
        """Perplexity over the dev documents."""
        lengths = [len(document) for document in self._dev]
        total, count = 0.0, 0
        device = next(self.llm.parameters()).device
        for indices in token_batches(lengths, self._batch_tokens, seed=0, epoch=0):
            batch = self._batch([self._dev[i] for i in indices])
            batch = {name: value.to(device) for name, value in batch.items()}
            tokens = int((batch["labels"][:, 1:] != IGNORE).sum())
            total += float(self(batch)["loss"]) * tokens
            count += tokens
        loss = total / count
        return Evaluation({"loss": loss, "perplexity": float(torch.tensor(loss).exp())})

    def _documents(self, epoch: int) -> list[Document]:
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._source.epoch(epoch))
        return self._epoch[1]

    def _batch(self, documents: Sequence[Document]) -> dict[str, Tensor]:
        prompts = [document.prompt for document in documents]
        return answered_batch(prompts, [document.answer for document in documents], self._pad)
