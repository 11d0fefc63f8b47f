"""Examples to tensors, the graph token already in its place.

Only training comes here; captioning with a bundle collates in numpy. Sequences are padded on the
right in training (each position's label is the next token) and on the left for ``generate``.

Dims: B molecules, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molcaption.chem.graph import Graph, collate_graphs
from molcaption.data.features import MoleculeView, dense

IGNORE = -100
"""Label of a position that carries no loss."""


@dataclass(frozen=True, slots=True)
class Example:
    """One molecule with the ids of its prompt and, in training, of its description and end."""

    molecule: MoleculeView
    prompt: list[int]
    description: list[int]


def graph_tensors(graphs: Sequence[Graph]) -> dict[str, Any]:
    """The arguments of an encoder's forward, as int64 tensors."""
    joined = collate_graphs(graphs)
    return {
        "x": torch.from_numpy(joined.x),
        "edge_index": torch.from_numpy(joined.edge_index),
        "edge_attr": torch.from_numpy(joined.edge_attr),
        "batch": torch.from_numpy(joined.batch),
        "num_graphs": joined.num_graphs,
    }


def view_tensors(molecules: Sequence[MoleculeView]) -> dict[str, Any]:
    """The arguments of a bridge's forward; ``features`` is None where the molecules have none."""
    rows = [view.features for view in molecules if view.features is not None]
    return {
        "graphs": graph_tensors([view.graph for view in molecules]),
        "features": torch.from_numpy(dense(rows)) if rows else None,
    }


def answered_batch(
    prompts: Sequence[list[int]], answers: Sequence[list[int]], pad: int
) -> dict[str, Tensor]:
    """``input_ids``, ``attention_mask``, ``labels`` [B, T]; loss on the answers."""
    pairs = list(zip(prompts, answers, strict=True))
    ids, mask = padded([prompt + answer for prompt, answer in pairs], pad)
    labels, _ = padded([[IGNORE] * len(prompt) + answer for prompt, answer in pairs], IGNORE)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def training_batch(examples: Sequence[Example], pad: int) -> dict[str, Any]:
    """`answered_batch` with descriptions as answers, and ``molecules``."""
    prompts = [example.prompt for example in examples]
    batch = answered_batch(prompts, [example.description for example in examples], pad)
    return {**batch, "molecules": view_tensors([example.molecule for example in examples])}


def prompt_batch(examples: Sequence[Example], pad: int) -> dict[str, Any]:
    """The same for ``generate``: prompts only, padded on the left."""
    ids, mask = padded([example.prompt for example in examples], pad, left=True)
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "molecules": view_tensors([example.molecule for example in examples]),
    }


def padded(rows: Sequence[Sequence[int]], pad: int, left: bool = False) -> tuple[Tensor, Tensor]:
    """Rows of unequal length as [B, T], and the mask of real positions."""
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for ids_row, mask_row, row in zip(ids, mask, rows, strict=True):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids_row[place] = torch.tensor(row)
        mask_row[place] = 1
    return ids, mask


def to_device(value: Any, device: torch.device) -> Any:
    """Tensors within nested dicts moved to ``device``; the rest as it is."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {name: to_device(part, device) for name, part in value.items()}
    return value
