"""The solid bridge: from a molecule to vectors in the backbone's token space.

Graph tokens (encoder and projector) come first, then, where the captioner reads features, the
profile tokens.

Dims: B molecules, Q graph tokens, R profile tokens, D backbone width, F features.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from molcaption.nn.encoder import MolGNN
from molcaption.nn.profile import ProfileProjector
from molcaption.nn.projector import Projector


class Bridge(nn.Module):
    """Encoder and projector, and perhaps a `ProfileProjector` beside them."""

    def __init__(
        self, encoder: MolGNN, projector: Projector, profile: ProfileProjector | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = projector
        self.profile = profile

    def forward(self, graphs: Mapping[str, Any], features: Tensor | None = None) -> Tensor:
        """Tokens [B, Q + R, D].

        Args:
            graphs: arguments of the encoder.
            features: [B, F]; needed where there is a profile projector.
        """
        tokens: Tensor = self.projector(self.encoder(**graphs))
        if self.profile is None:
            return tokens
        return torch.cat([tokens, self.profile(features)], dim=1)
