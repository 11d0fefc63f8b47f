"""Pretraining of the encoder: match texts, know structures."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from molcaption.data.batching import even_batches
from molcaption.data.collate import graph_tensors, to_device
from molcaption.data.structures import StructureDataset, StructureExample
from molcaption.engine.loop import Evaluation
from molcaption.metrics.retrieval import retrieval_scores
from molcaption.nn.objectives import similarities
from molcaption.nn.pretraining import EncoderPretraining


class EncoderObjective(nn.Module):
    """Weighted sum of the contrast and the structural losses.

    Args:
        model: encoder with its two tasks.
        train, dev: molecules; every one of ``dev`` has a text.
        contrastive_weight, structure_weight: of the two tasks.
    """

    def __init__(
        self,
        model: EncoderPretraining,
        train: StructureDataset,
        dev: StructureDataset,
        *,
        batch_size: int,
        contrastive_weight: float,
        structure_weight: float,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self._train, self._dev = train, dev
        self._batch_size = batch_size
        self._weights = (contrastive_weight, structure_weight)
        self._seed = seed

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `Objective`."""
        return [{"params": list(self.model.parameters())}]

    def batches(self, epoch: int) -> list[list[int]]:
        """See `Objective`."""
        return even_batches(len(self._train), self._batch_size, seed=self._seed, epoch=epoch)

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Any]:
        """See `Objective`."""
        return _collate([made for i in indices if (made := self._train[i]) is not None])

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Losses of one batch."""
        embedded = self.model.embed_graphs(batch["graphs"])
        losses = self.model.structure_losses(embedded, batch["targets"])
        structure = torch.stack(list(losses.values())).sum()
        contrast = embedded.new_zeros(())
        if len(batch["starts"]) > 1:
            described = embedded[batch["described"]]
            contrast = self.model.contrast(described, batch["words"], batch["starts"])
        loss = self._weights[0] * contrast + self._weights[1] * structure
        return {"loss": loss, "contrast": contrast, **losses}

    def evaluate(self) -> Evaluation:
        """Retrieval among the dev texts, and F1 of the groups read off the embedding."""
        graphs, texts, hits = [], [], np.zeros(3)
        device = next(self.model.parameters()).device
        for start in range(0, len(self._dev), self._batch_size):
            stop = min(start + self._batch_size, len(self._dev))
            batch = _collate([made for i in range(start, stop) if (made := self._dev[i])])
            batch = to_device(batch, device)
            embedded = self.model.embed_graphs(batch["graphs"])
            graphs.append(self.model.match(embedded))
            texts.append(self.model.text(batch["words"], batch["starts"]))
            groups = self.model.structure(embedded).split(self.model.sizes, dim=-1)[1] > 0
            true = batch["targets"]["groups"] > 0
            hits += [int((groups & true).sum()), int(groups.sum()), int(true.sum())]
        scores = similarities(torch.cat(graphs), torch.cat(texts)).cpu().numpy()
        f1 = 2 * hits[0] / max(1, hits[1] + hits[2])
        return Evaluation({**retrieval_scores(scores), "groups_f1": float(f1)})


def _collate(examples: Sequence[StructureExample]) -> dict[str, Any]:
    words = [example.words for example in examples if example.words]
    starts = [0, *accumulate(len(bag) for bag in words)][: len(words)]
    targets = {
        name: torch.from_numpy(np.stack([getattr(e.targets, name) for e in examples]))
        for name in ("fingerprint", "groups", "descriptors")
    }
    return {
        "graphs": graph_tensors([example.graph for example in examples]),
        "targets": targets,
        "described": torch.tensor([i for i, e in enumerate(examples) if e.words]),
        "words": torch.tensor([word for bag in words for word in bag], dtype=torch.long),
        "starts": torch.tensor(starts, dtype=torch.long),
    }
