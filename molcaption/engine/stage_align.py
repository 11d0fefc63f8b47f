"""Stage 1: only the projector learns, towards the backbone's own embedding of the description.

Encoder and backbone are frozen, so what they say of each pair is computed once and kept. A graph's
vector is the mean of its projected tokens. The target is the mean of the description's token
vectors, scaled so that its average norm is that of an embedding row, where the projector's output
lies. Descriptions share most of their words, so raw means all point the same way: contrast and
retrieval look at the vectors after subtracting the training mean.

Dims: M pairs, Q graph tokens, W encoder width, D backbone width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from molcaption.data.batching import even_batches
from molcaption.engine.loop import Evaluation
from molcaption.metrics.retrieval import ranks, retrieval_scores
from molcaption.nn.objectives import DISTANCES, contrastive_loss, similarities
from molcaption.nn.projector import Projector

_RANK_EDGES = (1, 2, 4, 11, 31, 101, 301, 1001)


@dataclass(frozen=True)
class AlignmentData:
    """Frozen views of pairs: ``tokens`` [M, Q, W] of the encoder, ``targets`` [M, D]."""

    tokens: Tensor
    targets: Tensor


class AlignObjective(nn.Module):
    """Distance (``mse`` or ``cosine``) plus, where weighted, a contrastive term."""

    def __init__(
        self,
        projector: Projector,
        train: AlignmentData,
        dev: AlignmentData,
        *,
        loss: str,
        contrastive_weight: float,
        temperature: float,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.projector = projector
        self._train, self._dev = train, dev
        self._distance = DISTANCES[loss]
        self._contrastive_weight = contrastive_weight
        self._temperature = temperature
        self._batch_size = batch_size
        self._seed = seed
        self._mean = train.targets.mean(0)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `Objective`."""
        return [{"params": list(self.projector.parameters())}]

    def batches(self, epoch: int) -> list[list[int]]:
        """See `Objective`."""
        count = len(self._train.targets)
        return even_batches(count, self._batch_size, seed=self._seed, epoch=epoch)

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Any]:
        """See `Objective`."""
        chosen = torch.tensor(indices)
        return {"tokens": self._train.tokens[chosen], "targets": self._train.targets[chosen]}

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Losses of one batch."""
        graphs = self._graphs(batch["tokens"])
        targets = batch["targets"]
        distance = self._distance(graphs, targets)
        mean = self._mean.to(targets.device)
        contrast = contrastive_loss(graphs - mean, targets - mean, self._temperature)
        loss = distance + self._contrastive_weight * contrast
        return {"loss": loss, "distance": distance, "contrast": contrast}

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """Distance on dev against that of the mean vector, and retrieval among dev pairs."""
        scores, distance, trivial = self._on_dev()
        metrics = {
            "distance": distance,
            "mean_predictor": trivial,
            "gain": 1 - distance / trivial,
            **retrieval_scores(scores.numpy()),
        }
        return Evaluation(metrics)

    @torch.no_grad()
    def rank_counts(self) -> dict[str, int]:
        """How many dev pairs have their right text at which rank, by ranges of ranks."""
        found = ranks(self._on_dev()[0].numpy())
        edges = [edge for edge in _RANK_EDGES if edge <= len(found)] + [len(found) + 1]
        counts = {}
        for low, high in pairwise(edges):
            name = str(low) if high == low + 1 else f"{low}-{high - 1}"
            counts[name] = int(((found >= low) & (found < high)).sum())
        return counts

    def _on_dev(self) -> tuple[Tensor, float, float]:
        device = next(self.projector.parameters()).device
        graphs = self._graphs(self._dev.tokens.to(device)).cpu()
        targets = self._dev.targets
        distance = float(self._distance(graphs, targets))
        trivial = float(self._distance(self._mean.expand_as(targets), targets))
        return similarities(graphs - self._mean, targets - self._mean), distance, trivial

    def _graphs(self, tokens: Tensor) -> Tensor:
        """[B, Q, W] -> [B, D]."""
        projected: Tensor = self.projector(tokens)
        return projected.mean(1)
