"""What stands around the encoder while it is pretrained, and is thrown away afterwards.

Dims: B molecules, Q graph tokens, G groups, K descriptors.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from molcaption.data.targets import FINGERPRINT_BITS
from molcaption.data.words import BUCKETS
from molcaption.nn.encoder import MolGNN
from molcaption.nn.objectives import contrastive_loss

_SHARED_WIDTH = 256
_TEXT_WIDTH = 256
_BIT_WEIGHT = 5.0
"""Bits and groups are mostly zero, so their mean cross-entropy is small beside the other terms."""


class TextTower(nn.Module):
    """A bag of hashed words as one vector.

    Shapes: ``words`` [total], ``starts`` [B] (first word of each text) -> [B, 256].
    """

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(BUCKETS, _TEXT_WIDTH, mode="mean")
        self.mlp = nn.Sequential(
            nn.LayerNorm(_TEXT_WIDTH), nn.Linear(_TEXT_WIDTH, 512), nn.GELU(),
            nn.Linear(512, _SHARED_WIDTH),
        )  # fmt: skip

    def forward(self, words: Tensor, starts: Tensor) -> Tensor:
        """See the class for shapes."""
        vectors: Tensor = self.mlp(self.bag(words, starts))
        return vectors


class EncoderPretraining(nn.Module):
    """Encoder with two tasks: match its text, and know its structure."""

    def __init__(self, encoder: MolGNN, n_groups: int, n_descriptors: int) -> None:
        super().__init__()
        width = encoder.config.width * encoder.config.graph_tokens
        self.encoder = encoder
        self.text = TextTower()
        self.match = nn.Linear(width, _SHARED_WIDTH)
        self.log_temperature = nn.Parameter(torch.tensor(0.1).log())
        self.sizes = (FINGERPRINT_BITS, n_groups, n_descriptors)
        self.structure = nn.Sequential(
            nn.Linear(width, 512), nn.GELU(), nn.Linear(512, sum(self.sizes))
        )

    def embed_graphs(self, graphs: Mapping[str, Tensor]) -> Tensor:
        """Concatenated graph tokens: [B, Q * width]."""
        tokens: Tensor = self.encoder(**graphs)
        return tokens.flatten(1)

    def contrast(self, embedded: Tensor, words: Tensor, starts: Tensor) -> Tensor:
        """Symmetric InfoNCE between graphs that have a text and their texts."""
        temperature = self.log_temperature.exp().clamp(0.02, 1.0)
        return contrastive_loss(self.match(embedded), self.text(words, starts), temperature)

    def structure_losses(
        self, embedded: Tensor, targets: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Losses of fingerprint bits, groups and descriptors."""
        bits, groups, descriptors = self.structure(embedded).split(self.sizes, dim=-1)
        return {
            "bits": _BIT_WEIGHT * _binary(bits, targets["fingerprint"]),
            "groups": _BIT_WEIGHT * _binary(groups, targets["groups"]),
            "descriptors": F.smooth_l1_loss(descriptors, targets["descriptors"]),
        }


def _binary(logits: Tensor, bits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, bits.float())
