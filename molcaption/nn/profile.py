"""The second way into the decoder: a molecule's features as tokens, beside those of the graph.

Dims: B molecules, F features, H hidden width, R profile tokens, D backbone width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molcaption.nn.projector import of_norm


@dataclass(frozen=True)
class ProfileConfig:
    """Size of a `ProfileProjector`.

    Attributes:
        features: F, those of the vocabulary it is trained with.
        tokens: R, vectors that it puts into the prompt.
        dropout: share of the features and of the hidden layer that training leaves out.
        out_norm: norm of the backbone's embedding rows, where the output's scale starts.
    """

    features: int
    out_width: int
    tokens: int = 4
    hidden: int = 384
    dropout: float = 0.3
    out_norm: float = 1.0


class ProfileProjector(nn.Module):
    """Two linear layers from features to tokens; strong dropout, as features outnumber molecules.

    Shapes: features [B, F] -> [B, R, D], each output vector of norm ``scale``.
    """

    def __init__(self, config: ProfileConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(config.features, config.hidden)
        self.second = nn.Linear(config.hidden, config.tokens * config.out_width)
        self.scale = nn.Parameter(torch.tensor(float(config.out_norm)))

    def forward(self, features: Tensor) -> Tensor:
        """See the class for shapes."""
        dropout = self.config.dropout
        kept = F.dropout(features, dropout, self.training)
        hidden = F.dropout(torch.relu(self.first(kept)), dropout, self.training)
        tokens = self.second(hidden).unflatten(-1, (self.config.tokens, self.config.out_width))
        return of_norm(tokens, self.scale)
