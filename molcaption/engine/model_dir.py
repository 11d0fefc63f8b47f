"""What stages hand to one another on disk: ``captioner.json`` and ``bridge.safetensors``.

Every stage's directory has both: the JSON says how to build encoder, projector and prompt, the
safetensors hold the weights of the parts that exist so far (``encoder.*``, ``projector.*``). No
pickle, and weights are loaded strictly: half a model must never pass for a whole one.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from molcaption.data.atomic import atomic_write
from molcaption.data.prompt import PromptTemplate
from molcaption.errors import BadDataError, MissingError
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.projector import Projector, ProjectorConfig

CONFIG, BRIDGE = "captioner.json", "bridge.safetensors"
ADAPTER = "adapter"
SCHEMA = 1


@dataclass(frozen=True)
class BackboneSource:
    """Where the backbone came from: hub name or directory, and how its weights were held."""

    path: str
    quantization: str = "none"


@dataclass(frozen=True)
class CaptionerConfig:
    """All of a captioner but its weights; what a stage does not know yet is None or empty.

    Attributes:
        stage: encoder, align, finetune or merged: how far this directory has come.
        provenance: molcaption's version, recipe name and recipe hash.
    """

    stage: str
    encoder: EncoderConfig
    projector: ProjectorConfig | None = None
    prompt: PromptTemplate | None = None
    backbone: BackboneSource | None = None
    graph_token_id: int = -1
    end_token_ids: list[int] = field(default_factory=list)
    max_prompt_tokens: int = 0
    max_new_tokens: int = 0
    no_repeat_ngram: int = 0
    draws: int = 0
    provenance: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA


def write_config(directory: Path, config: CaptionerConfig) -> None:
    """Write ``captioner.json``: last of all, since its presence means that the stage is done."""
    text = json.dumps(asdict(config), indent=1, ensure_ascii=False) + "\n"
    with atomic_write(directory / CONFIG, "w") as file:
        file.write(text)


def read_config(directory: Path, made_by: str) -> CaptionerConfig:
    """Read ``captioner.json``.

    Args:
        made_by: the command that makes this directory, named when something is missing.

    Raises:
        MissingError: there is none.
        BadDataError: it is damaged, or from a newer version.
    """
    path = directory / CONFIG
    if not path.is_file():
        raise MissingError(f"{directory}: no {CONFIG}; run `{made_by}` first")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["schema"] > SCHEMA:
            raise BadDataError(f"{path}: schema {stored['schema']} is newer than this molcaption")
        return CaptionerConfig(
            **{
                **stored,
                "encoder": EncoderConfig(**stored["encoder"]),
                "projector": _optional(ProjectorConfig, stored["projector"]),
                "prompt": _optional(PromptTemplate, stored["prompt"]),
                "backbone": _optional(BackboneSource, stored["backbone"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError(f"{path}: damaged ({error}); make it again with `{made_by}`") from error


def save_bridge(directory: Path, **parts: nn.Module) -> None:
    """Write the weights of ``encoder`` and, where there is one, ``projector``."""
    tensors = {
        f"{part}.{name}": value.detach().cpu().contiguous()
        for part, module in parts.items()
        for name, value in module.state_dict().items()
    }
    with atomic_write(directory / BRIDGE) as file:
        file.write(save(tensors))


def load_bridge(directory: Path, config: CaptionerConfig) -> tuple[MolGNN, Projector | None]:
    """Encoder and projector of a stage's directory, every tensor of them, in float32.

    Raises:
        MissingError: no weights.
        BadDataError: damaged weights, or weights of another shape than the config says.
    """
    path = directory / BRIDGE
    encoder = MolGNN(config.encoder)
    projector = Projector(config.projector) if config.projector else None
    try:
        tensors = load_file(path)
        _load_part(encoder, "encoder", tensors)
        if projector is not None:
            _load_part(projector, "projector", tensors)
    except FileNotFoundError as error:
        raise MissingError(f"{path}: no such file; run the stage again") from error
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadDataError(f"{path}: damaged or of another shape: {reason}") from error
    return encoder, projector


def _load_part(module: nn.Module, part: str, tensors: Mapping[str, torch.Tensor]) -> None:
    prefix = f"{part}."
    module.load_state_dict(
        {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    )


def _optional(kind: Any, stored: Mapping[str, Any] | None) -> Any:
    return kind(**stored) if stored is not None else None
