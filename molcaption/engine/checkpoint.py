"""What a training run needs to go on as if it had never stopped.

A checkpoint holds the trainable weights, the optimizer, the schedule, the random generators and the
place in the data. Data order is a pure function of (seed, epoch), so the place is two numbers, and
a resumed run is bit-equal to an uninterrupted one. Frozen weights are not stored: they come from
the stage before. Written whole or not at all; loaded with ``weights_only``, so it cannot run code.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from molcaption.data.atomic import atomic_write
from molcaption.errors import BadDataError, CannotWriteError

_log = logging.getLogger(__name__)
STATE_FILE = "state.pt"


@dataclass
class Position:
    """Where in training a run stands: optimizer steps done, epoch, batches done in that epoch."""

    step: int = 0
    epoch: int = 0
    batch: int = 0


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """The weights that training changes, by name."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def save(directory: Path, key: str, position: Position, model: nn.Module, **parts: Any) -> None:
    """Write ``directory/state.pt``; ``parts`` are objects with ``state_dict()``.

    Args:
        key: names the recipe's settings; `load` refuses a checkpoint with another key.
    """
    state = {
        "key": key,
        "position": vars(position),
        "model": trainable_state(model),
        "random": _random_state(),
        **{name: part.state_dict() for name, part in parts.items()},
    }
    with atomic_write(directory / STATE_FILE) as file:
        torch.save(state, file)


def load(directory: Path, key: str, model: nn.Module, **parts: Any) -> Position | None:
    """Put the state of ``directory/state.pt`` back; None when there is no checkpoint.

    Raises:
        CannotWriteError: the checkpoint was made with other settings; going on would mix them.
        BadDataError: the file is damaged.
    """
    path = directory / STATE_FILE
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen types for a damaged file
        raise BadDataError(f"{path}: damaged checkpoint; delete it to start afresh") from error
    if state["key"] != key:
        raise CannotWriteError(
            f"{path}: checkpoint of a recipe with other settings; use --fresh to start over, "
            "or another run_dir"
        )
    _load_trainable(model, state["model"])
    for name, part in parts.items():
        part.load_state_dict(state[name])
    _restore_random(state["random"])
    return Position(**state["position"])


def _load_trainable(model: nn.Module, saved: Mapping[str, Tensor]) -> None:
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in saved.items():
            own[name].copy_(value)


def _random_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": cuda}


def _restore_random(state: Mapping[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


def is_finished(directory: Path, result: str, *, fresh: bool) -> bool:
    """Whether a stage has left its ``result`` file, which it writes last.

    Args:
        fresh: remove result and checkpoint, so that the stage starts over.
    """
    if fresh:
        for name in (result, STATE_FILE):
            (directory / name).unlink(missing_ok=True)
    finished = (directory / result).exists()
    if finished:
        _log.info("%s: already trained", directory)
    return finished


def seed_everything(seed: int) -> None:
    """Seed the generators that initial weights and dropout draw from."""
    torch.manual_seed(seed)
