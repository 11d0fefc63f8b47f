"""``README.md`` of a model directory: what the run that made it knows, in the hub's own form.

The YAML header follows Hugging Face's model cards, so that a directory can be uploaded as it is.
Only facts of the run are told; what the run cannot know (a licence, what the model is good for) is
left to people, and what they write stays: the last line carries a digest of the text, by which a
card that nobody has touched is recognised and replaced.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from molcaption.data.atomic import atomic_write
from molcaption.engine.hashes import CARD
from molcaption.engine.model_dir import CaptionerConfig
from molcaption.report.training import METRICS
from molcaption.shipped import is_hub_name

_MARK = "<!-- written by molcaption, sha256 {}; an edited card is kept -->\n"
_COMMANDS = {
    "finetune": "molcaption merge RUN_DIR -o MODEL_DIR",
    "merged": "molcaption caption compounds.sdf -o captions.parquet --model MODEL_DIR",
}
"""What to do with the directory of each stage."""


def write_card(
    directory: Path, config: CaptionerConfig, run_stage: Path, former: Path | None = None
) -> None:
    """Write the card of ``directory``, unless a person has edited the one that is there.

    Args:
        config: of the model in it.
        run_stage: ``RUN/finetune``, whose metrics are told.
        former: the directory that is being replaced: an edited card moves on from there.
    """
    there = (former or directory) / CARD
    if there.is_file() and is_edited(there.read_bytes()):
        if former is not None:
            shutil.copyfile(there, directory / CARD)
        return
    with atomic_write(directory / CARD, "w") as file:
        file.write(_text(config, _measured(run_stage)))


def is_edited(card: bytes) -> bool:
    """Whether a card is not, to the letter, as `write_card` left it."""
    text = b"".join(card.splitlines(keepends=True)[:-1])
    return card != text + _mark(text)


def _mark(text: bytes) -> bytes:
    return _MARK.format(hashlib.sha256(text).hexdigest()).encode()


def _measured(stage: Path) -> Mapping[str, Any]:
    """The last evaluation of the stage; none if its metrics are gone."""
    try:
        lines = (stage / METRICS).read_text("utf-8").splitlines()
        found = [line for line in map(json.loads, lines) if "dev/bleu4" in line]
    except (OSError, ValueError):
        return {}
    return found[-1] if found else {}


def _text(config: CaptionerConfig, measured: Mapping[str, Any]) -> str:
    """The whole card."""
    name = config.provenance.get("recipe_name", "captioner")
    rows = "".join(f"| {part} | {what} |\n" for part, what in _parts(config).items())
    scores = ""
    if measured:
        scores = (
            f"\nOn the recipe's dev pairs, when training ended: loss {measured['dev/loss']:.3f} a "
            f"token, BLEU-4 (words, of some greedy captions) {measured['dev/bleu4']:.3f}.\n"
        )
    text = (
        f"---\n{_header(config)}\n---\n\n# {name}: captions of molecules\n\n"
        "Writes an English description of a molecule that is given as graph and SMILES:\n\n"
        f"    {_COMMANDS[config.stage]}\n\n| | |\n|---|---|\n{rows}{scores}\n"
        "Captions are generated: check their claims against the structure, as `molcaption` does.\n"
        "The run does not know the licence of its data and backbone: name it here before you "
        "share the model.\n\n"
    )
    return text + _mark(text.encode()).decode()


def _header(config: CaptionerConfig) -> str:
    backbone = config.backbone.path if config.backbone else ""
    header = ModelCardData(
        license="unknown",
        language="en",
        library_name="molcaption",
        base_model=backbone if is_hub_name(backbone) else None,
        pipeline_tag="text-generation",
        tags=["chemistry", "molecule-captioning"],
    )
    return str(header.to_yaml())


def _parts(config: CaptionerConfig) -> dict[str, str]:
    encoder, projector, profile = config.encoder, config.projector, config.profile
    parts = {
        "encoder": f"MolGNN: {encoder.layers} layers of {encoder.hidden}, {encoder.graph_tokens} "
        f"graph token{'s' * (encoder.graph_tokens != 1)} of {encoder.width}"
    }
    if projector is not None:
        parts["projector"] = (
            f"{projector.layers} linear layers, {projector.in_width} → {projector.hidden} → "
            f"{projector.out_width}"
        )
    if profile is not None:
        parts["profile"] = f"{profile.features} features as {profile.tokens} tokens"
    if config.backbone is not None:
        hub = is_hub_name(config.backbone.path)
        parts["backbone"] = f"`{config.backbone.path}`" if hub else "of the run, or a local folder"
        parts["backbone"] += f"; weights while training: {config.backbone.quantization}"
    if config.prompt is not None:
        prompt = config.prompt.text.replace("\n", "⏎").replace("|", "\\|")
        parts["prompt"] = f"<code>{escape(prompt)}</code>"
    parts["limits"] = f"{config.max_prompt_tokens} prompt and {config.max_new_tokens} new tokens"
    parts["made by"] = "molcaption {version}, recipe {recipe_name} ({recipe_hash:.12})".format(
        **config.provenance
    )
    return parts
