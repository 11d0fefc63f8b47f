"""Pretraining of the hints: which phrases does a structure's description hold?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from molcaption.data.batching import even_batches
from molcaption.engine.loop import Evaluation
from molcaption.nn.hints import HintClassifier

_DECIDED = 0.2
"""Threshold of the F1 that is reported; near the best one on the validation split."""
Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]


class HintObjective(nn.Module):
    """Binary cross-entropy, summed over the phrases.

    Args:
        train, dev: features [M, F] and targets [M, P] in {0, 1}.
    """

    def __init__(
        self, model: HintClassifier, train: Arrays, dev: Arrays, *, batch_size: int, seed: int
    ) -> None:
        super().__init__()
        self.model = model
        self._train = [torch.from_numpy(array) for array in train]
        self._dev = [torch.from_numpy(array) for array in dev]
        self._batch_size = batch_size
        self._seed = seed

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `Objective`."""
        return [{"params": list(self.model.parameters())}]

    def batches(self, epoch: int) -> list[list[int]]:
        """See `Objective`."""
        return even_batches(len(self._train[0]), self._batch_size, seed=self._seed, epoch=epoch)

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Tensor]:
        """See `Objective`."""
        features, targets = (part[list(indices)] for part in self._train)
        return {"features": features, "targets": targets}

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of one batch."""
        logits = self.model(batch["features"])
        total = F.binary_cross_entropy_with_logits(logits, batch["targets"], reduction="sum")
        return {"loss": total / len(logits)}

    def evaluate(self) -> Evaluation:
        """Loss and micro-averaged precision, recall and F1 over dev."""
        device = next(self.model.parameters()).device
        features, targets = (part.to(device) for part in self._dev)
        logits = self.model(features)
        loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(logits)
        said = logits.sigmoid() > _DECIDED
        right = float((said & (targets > 0)).sum())
        precision = right / max(1.0, float(said.sum()))
        recall = right / max(1.0, float(targets.sum()))
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return Evaluation({"loss": float(loss), "precision": precision, "recall": recall, "f1": f1})
