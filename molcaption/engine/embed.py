"""What frozen models say of molecules and texts, computed once, in batches.

Dims: M items, Q graph tokens, W encoder width, T text tokens, D backbone width.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from molcaption.chem.graph import Graph
from molcaption.data.collate import graph_tensors, padded, to_device
from molcaption.nn.encoder import MolGNN


@torch.no_grad()
def encode_graphs(encoder: MolGNN, graphs: Sequence[Graph], batch_size: int = 64) -> Tensor:
    """Graph tokens of each molecule: [M, Q, W], on the CPU in float32."""
    encoder.eval()
    device = next(encoder.parameters()).device
    parts = []
    for start in range(0, len(graphs), batch_size):
        batch = to_device(graph_tensors(graphs[start : start + batch_size]), device)
        parts.append(encoder(**batch).float().cpu())
    return torch.cat(parts)


@torch.no_grad()
def embed_texts(
    llm: Any, ids: Sequence[Sequence[int]], target: str, batch_size: int = 32
) -> Tensor:
    """The backbone's own vector of each text, [M, D]: a mean over its tokens.

    Args:
        ids: token ids of each text, without special tokens.
        target: ``input_embeddings``, or ``hidden_states`` of the last layer.
    """
    embedding = llm.get_input_embeddings()
    device = embedding.weight.device
    parts = []
    for start in range(0, len(ids), batch_size):
        batch, mask = padded(ids[start : start + batch_size], 0)
        batch, mask = batch.to(device), mask.to(device)
        if target == "input_embeddings":
            states = embedding(batch)
        else:
            output = llm(
                input_ids=batch, attention_mask=mask, output_hidden_states=True, logits_to_keep=1
            )
            states = output.hidden_states[-1]
        weights = mask.unsqueeze(-1).float()  # [B, T, 1]
        parts.append(((states.float() * weights).sum(1) / weights.sum(1).clamp(min=1)).cpu())
    return torch.cat(parts)


def scaled_to(targets: Tensor, norm: float) -> Tensor:
    """``targets`` times one number that makes their average norm ``norm``."""
    return targets * (norm / targets.norm(dim=-1).mean())
