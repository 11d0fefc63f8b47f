"""What stages hand to one another on disk: ``captioner.json`` and ``bridge.safetensors``.

Every stage's directory has both: the JSON says how to build encoder, projector and prompt, the
safetensors hold the weights of the parts that exist so far (``encoder.*``, ``projector.*``,
``profile.*``). No pickle, and weights are loaded strictly: half a model must never pass for a
whole one.
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
from molcaption.nn.bridge import Bridge
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.profile import ProfileConfig, ProfileProjector
from molcaption.nn.projector import Projector, ProjectorConfig

CONFIG, BRIDGE = "captioner.json", "bridge.safetensors"
ADAPTER, TUNED = "adapter", "backbone"
"""In the directory of stage finetune: a LoRA adapter, or the whole backbone."""
SCHEMA = 1


@dataclass(frozen=True)
class BackboneSource:
    """Where the backbone came from (hub name, directory or GGUF file), and how it was held.

    Attributes:
        sha256: of its weight files (engine/bases.py); empty where it is not known.
    """

    path: str
    quantization: str = "none"
    sha256: str = ""


@dataclass(frozen=True)
class CaptionerConfig:
    """All of a captioner but its weights; what a stage does not know yet is None or empty.

    Attributes:
        stage: encoder, align, finetune or merged: how far this directory has come.
        profile: from stage finetune on, where the captioner reads features.
        provenance: molcaption's version, recipe name and recipe hash.
    """

    stage: str
    encoder: EncoderConfig
    projector: ProjectorConfig | None = None
    profile: ProfileConfig | None = None
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
                "profile": _optional(ProfileConfig, stored.get("profile")),
                "prompt": _optional(PromptTemplate, stored["prompt"]),
                "backbone": _optional(BackboneSource, stored["backbone"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError(f"{path}: damaged ({error}); make it again with `{made_by}`") from error


def save_encoder(directory: Path, encoder: MolGNN) -> None:
    """Write the weights of an encoder that has no projector yet."""
    _save(directory, encoder.state_dict(prefix="encoder."))


def save_bridge(directory: Path, bridge: Bridge) -> None:
    """Write the weights of a bridge."""
    _save(directory, bridge.state_dict())


def _save(directory: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with atomic_write(directory / BRIDGE) as file:
        file.write(save(kept))


def load_encoder(directory: Path, config: CaptionerConfig) -> MolGNN:
    """The encoder of a stage's directory, in float32.

    Raises:
        MissingError, BadDataError: as `load_bridge`.
    """
    encoder = MolGNN(config.encoder)
    _load(encoder, directory, "encoder.")
    return encoder


def load_bridge(directory: Path, config: CaptionerConfig) -> Bridge:
    """The bridge of a stage's directory, every tensor of it, in float32.

    Raises:
        MissingError: no weights.
        BadDataError: damaged weights, weights of another shape than the config says, or a stage
            that has no projector.
    """
    if config.projector is None:
        raise BadDataError(f"{directory / CONFIG}: stage {config.stage} has no projector")
    bridge = Bridge(
        MolGNN(config.encoder),
        Projector(config.projector),
        ProfileProjector(config.profile) if config.profile else None,
    )
    _load(bridge, directory, "")
    return bridge


def _load(module: nn.Module, directory: Path, prefix: str) -> None:
    """Fill ``module`` with the tensors whose names begin with ``prefix``, strictly."""
    path = directory / BRIDGE
    try:
        tensors = load_file(path)
        module.load_state_dict(
            {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        )
    except FileNotFoundError as error:
        raise MissingError(f"{path}: no such file; run the stage again") from error
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadDataError(f"{path}: damaged or of another shape: {reason}") from error


def _optional(kind: Any, stored: Mapping[str, Any] | None) -> Any:
    return kind(**stored) if stored is not None else None
