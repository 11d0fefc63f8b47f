"""Losses that pull graphs towards texts.

Dims: B molecules, D width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def contrastive_loss(graphs: Tensor, texts: Tensor, temperature: Tensor | float) -> Tensor:
    """Symmetric InfoNCE: each graph finds its own text among the batch's, and the reverse.

    Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
    ICML 2021, figure 3. Shapes: [B, D], [B, D] (any norm) -> scalar.
    """
    logits = similarities(graphs, texts) / temperature
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def cosine_loss(graphs: Tensor, texts: Tensor) -> Tensor:
    """Mean of ``1 - cos``. Shapes: [B, D], [B, D] -> scalar."""
    return 1 - F.cosine_similarity(graphs, texts, dim=-1).mean()


def mse_loss(graphs: Tensor, texts: Tensor) -> Tensor:
    """Mean squared distance (summed over D). Shapes: [B, D], [B, D] -> scalar."""
    return (graphs - texts).square().sum(-1).mean()


def similarities(graphs: Tensor, texts: Tensor) -> Tensor:
    """Cosines of all with all. Shapes: [B, D], [C, D] -> [B, C]."""
    return F.normalize(graphs, dim=-1) @ F.normalize(texts, dim=-1).T


DISTANCES = {"cosine": cosine_loss, "mse": mse_loss}
