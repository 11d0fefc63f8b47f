"""The bridge from graph width to the backbone's token space: an MLP with GELU and LayerNorm.

The mission's shape is 768 -> 1024 -> 1024 for Qwen3-0.6B: three linear layers, of which the last
lands in the backbone's width. Token embeddings of a language model have a typical norm, and a
vector ten times longer drowns its neighbours in the first attention layer; so the output is
LayerNorm times one learned scale that starts at that norm.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class ProjectorConfig:
    """Widths: ``in_width`` (encoder), ``hidden``, ``out_width`` (backbone); ``layers`` linears.

    ``out_norm`` is the norm of the backbone's embedding rows, where the output's scale starts.
    """

    in_width: int
    out_width: int
    hidden: int = 1024
    layers: int = 3
    out_norm: float = 1.0


class Projector(nn.Module):
    """Graph tokens to LLM-space vectors.

    Shapes: [B, Q, in_width] -> [B, Q, out_width], each output vector of norm ``scale``.
    """

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.in_width] + [config.hidden] * (config.layers - 1)
        blocks: list[nn.Module] = []
        for i, o in pairwise(widths):
            blocks += [nn.Linear(i, o), nn.GELU(), nn.LayerNorm(o)]
        self.mlp = nn.Sequential(*blocks, nn.Linear(widths[-1], config.out_width))
        self.scale = nn.Parameter(torch.tensor(float(config.out_norm)))

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class for shapes."""
        return of_norm(self.mlp(tokens), self.scale)


def of_norm(vectors: Tensor, norm: Tensor) -> Tensor:
    """``vectors`` [..., D] with their mean taken off, each brought to the length ``norm``."""
    width = vectors.shape[-1]
    # LayerNorm gives vectors of norm sqrt(width); dividing by it leaves the norm that is asked for.
    return F.layer_norm(vectors, (width,)) * (norm * width**-0.5)
