"""The verb ``finetune``, stage 2: projector and LoRA adapter learn to write captions.

Starts from ``RUN/align`` and refuses a projector that the gate did not pass. Writes
``RUN/finetune/``: projector, adapter, metrics with sample captions.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from molcaption.data.evidence import WITHOUT_NEIGHBOURS, Showing, read_evidence
from molcaption.data.examples import ExampleDataset
from molcaption.data.pairs import Pair, read_pairs
from molcaption.engine.checkpoint import is_finished, seed_everything
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.model_dir import (
    ADAPTER,
    CONFIG,
    CaptionerConfig,
    load_bridge,
    read_config,
    save_bridge,
    write_config,
)
from molcaption.engine.stage_finetune import FinetuneObjective
from molcaption.engine.train_hints import HINTS
from molcaption.errors import BadDataError, BadRecipeError
from molcaption.nn.backbone import attach_adapter, best_device, load_llm, load_tokenizer
from molcaption.nn.captioner import Captioner
from molcaption.recipe import Recipe, provenance, recipe_hash

_SECTIONS = ("seed", "data", "encoder", "projector", "backbone", "prompt", "finetune", "decode")


def finetune(recipe: Recipe, force: bool = False, fresh: bool = False) -> Path:
    """Train projector and adapter; returns ``RUN/finetune``.

    Args:
        force: go on although the alignment report says "not aligned".
        fresh: forget checkpoint and result of an earlier run.

    Raises:
        MissingError: ``align`` has not been run.
        BadDataError: the projector is not aligned and ``force`` is not given.
    """
    directory = recipe.run_dir / "finetune"
    if is_finished(directory, CONFIG, fresh=fresh):
        return directory
    stage = recipe.finetune
    if stage.batch_tokens is None:
        raise BadRecipeError("finetune.batch_tokens: needed, since captions vary in length")
    aligned = recipe.run_dir / "align"
    config = read_config(aligned, "molcaption align RECIPE")
    if not force:
        _check_gate(aligned)
    seed_everything(recipe.seed)
    objective = _objective(recipe, aligned, config)
    settings = LoopSettings.of(stage.model_dump())
    fit(objective, settings, directory, key=recipe_hash(recipe, *_SECTIONS), label="finetune")
    captioner = objective.captioner
    captioner.llm.save_pretrained(directory / ADAPTER)
    save_bridge(directory, encoder=captioner.encoder, projector=captioner.projector)
    write_config(directory, replace(config, stage="finetune", provenance=provenance(recipe)))
    return directory


def _objective(recipe: Recipe, aligned: Path, config: CaptionerConfig) -> FinetuneObjective:
    assert config.prompt is not None and config.backbone is not None  # `align` writes both
    assert recipe.finetune.batch_tokens is not None
    wrapped = load_tokenizer(config.backbone.path)
    captioner = _captioner(recipe, aligned, config, wrapped)
    tokenizer = wrapped.backend_tokenizer
    prompt, end, data = config.prompt, config.end_token_ids[0], recipe.data

    known = read_evidence(recipe.run_dir / HINTS) if recipe.prompt.has_evidence else {}
    showing = Showing(recipe.prompt.hint_dropout, recipe.prompt.neighbour_share)

    def examples(pairs: list[Pair], showing: Showing, augment: float) -> ExampleDataset:
        return ExampleDataset(
            pairs,
            tokenizer,
            prompt,
            end=end,
            max_prompt_tokens=config.max_prompt_tokens,
            max_new_tokens=config.max_new_tokens,
            evidence=known,
            showing=showing,
            augment=augment,
            seed=recipe.seed,
        )

    dev = read_pairs(data.path(data.dev))
    return FinetuneObjective(
        captioner,
        examples(read_pairs(data.path(data.train), data.styles), showing, recipe.finetune.augment),
        examples(dev, WITHOUT_NEIGHBOURS, 0.0),
        tokenizer=tokenizer,
        references=[pair.description for pair in dev],
        pad=end,
        end_ids=config.end_token_ids,
        max_new_tokens=config.max_new_tokens,
        no_repeat_ngram=config.no_repeat_ngram,
        batch_tokens=recipe.finetune.batch_tokens,
        projector_lr=recipe.finetune.projector_lr,
        seed=recipe.seed,
    )


def _captioner(recipe: Recipe, aligned: Path, config: CaptionerConfig, tokenizer: Any) -> Captioner:
    """Frozen encoder and backbone, trainable projector and adapter."""
    source = config.backbone
    assert source is not None
    llm = load_llm(source.path, tokenizer, quantization=source.quantization, device=best_device())
    adapter = recipe.backbone.adapter
    llm = attach_adapter(
        llm, rank=adapter.rank, alpha=adapter.alpha, dropout=adapter.dropout,
        targets=adapter.targets,
    )  # fmt: skip
    encoder, projector = load_bridge(aligned, config)
    assert projector is not None
    encoder.requires_grad_(False)
    return Captioner(encoder, projector, llm, config.graph_token_id)


def _check_gate(aligned: Path) -> None:
    report = json.loads((aligned / "alignment.json").read_text(encoding="utf-8"))
    if not report["aligned"]:
        raise BadDataError(
            f"{aligned}: the projector is not aligned (gain {report['gain']:.3f}, needed "
            f"{report['needed_gain']}; MRR {report['mrr']:.3f}, needed {report['needed_mrr']:.3f});"
            " train `align` longer or with align.contrastive_weight, or use --force"
        )
