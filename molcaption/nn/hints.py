"""The classifier behind the hints, as it is trained; data/hints.py runs it in numpy.

Dims: M molecules, F features, H hidden width, P phrases.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

_INPUT_DROPOUT, _DROPOUT = 0.2, 0.4
"""Strong, since there are more features than molecules; chosen on the validation split."""
_RARE = -6.0
"""First bias of the output: a phrase has about one molecule in 400."""


class HintClassifier(nn.Module):
    """Two linear layers with ReLU: features [M, F] -> logits of the phrases [M, P]."""

    def __init__(self, features: int, hidden: int, phrases: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, hidden)
        self.second = nn.Linear(hidden, phrases)
        nn.init.constant_(self.second.bias, _RARE)

    def forward(self, features: Tensor) -> Tensor:
        """See the class for shapes."""
        kept = F.dropout(features, _INPUT_DROPOUT, self.training)
        hidden = F.dropout(torch.relu(self.first(kept)), _DROPOUT, self.training)
        logits: Tensor = self.second(hidden)
        return logits

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights as `Hinter` takes them."""
        arrays = {
            "first": self.first.weight.T,
            "first_bias": self.first.bias,
            "second": self.second.weight.T,
            "second_bias": self.second.bias,
        }
        return {name: array.detach().cpu().float().numpy().copy() for name, array in arrays.items()}
