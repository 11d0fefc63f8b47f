"""The verb ``finetune``, stage 2: bridge and LoRA adapter learn to write captions.

Starts from ``RUN/align`` and refuses a projector that the gate did not pass. Writes
``RUN/finetune/``: bridge, adapter (or the whole backbone, where the recipe has no adapter), the
vocabulary of features, metrics with sample captions. The encoder stays as it is.
"""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from molcaption.claims import load_lexicon
from molcaption.data.examples import ExampleDataset
from molcaption.data.features import FeatureVocabulary, MoleculeView, features_of, views
from molcaption.data.pairs import Pair, read_pairs
from molcaption.engine.bases import check_same_base, identified
from molcaption.engine.checkpoint import is_finished, seed_everything
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.model_card import write_card
from molcaption.engine.model_dir import (
    ADAPTER,
    CONFIG,
    TUNED,
    CaptionerConfig,
    load_bridge,
    read_config,
    save_bridge,
    write_config,
)
from molcaption.engine.stage_finetune import FinetuneObjective
from molcaption.errors import BadDataError, BadRecipeError
from molcaption.nn.backbone import (
    attach_adapter,
    best_device,
    embedding_norm,
    load_llm,
    load_tokenizer,
    recompute_activations,
    save_adapter,
)
from molcaption.nn.captioner import Captioner
from molcaption.nn.profile import ProfileConfig, ProfileProjector
from molcaption.recipe import Recipe, backbone_path, keep_recipe, provenance, recipe_hash
from molcaption.report.training import draw_run

_log = logging.getLogger(__name__)
_SECTIONS = ("seed", "data", "encoder", "projector", "profile", "backbone", "prompt", "finetune",
             "decode")  # fmt: skip


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
    assert config.backbone is not None  # `align` writes it
    base = identified(backbone_path(recipe), recipe.backbone.quantization)
    check_same_base(config.backbone, base, aligned)
    config = replace(config, backbone=base)
    seed_everything(recipe.seed)
    data = _data(recipe)
    objective = _objective(recipe, aligned, config, data)
    settings = LoopSettings.of(stage.model_dump())
    fit(objective, settings, directory, key=recipe_hash(recipe, *_SECTIONS), label="finetune")
    captioner = objective.captioner
    if recipe.backbone.adapter is None:
        captioner.llm.save_pretrained(directory / TUNED)
    else:
        save_adapter(captioner.llm, directory / ADAPTER)
    save_bridge(directory, captioner.bridge)
    if data.vocabulary is not None:
        data.vocabulary.save(directory)
    profile = captioner.bridge.profile
    config = replace(
        config,
        stage="finetune",
        profile=profile.config if profile else None,
        provenance=provenance(recipe),
    )
    keep_recipe(recipe, directory)
    write_card(directory, config, directory)
    write_config(directory, config)
    draw_run(recipe.run_dir)
    return directory


@dataclass(frozen=True)
class _Data:
    """Pairs to learn from and to measure on, with what the captioner sees of each molecule."""

    train: list[Pair]
    dev: list[Pair]
    vocabulary: FeatureVocabulary | None
    views: dict[str, MoleculeView]


def _data(recipe: Recipe) -> _Data:
    data, lexicon = recipe.data, load_lexicon()
    train, dev = read_pairs(data.path(data.train), data.styles), read_pairs(data.path(data.dev))
    learnt = list({pair.smiles: None for pair in train})
    smiles = list({pair.smiles: None for pair in [*train, *dev]})
    vocabulary, found = None, None
    if recipe.profile is not None:
        _log.info("finetune: reading the structures of %d molecules", len(smiles))
        found = features_of(smiles, lexicon)
        vocabulary = FeatureVocabulary.learn(found[: len(learnt)])
    seen = views(smiles, vocabulary, found)
    return _Data(train, dev, vocabulary, dict(zip(smiles, seen, strict=True)))


def _objective(
    recipe: Recipe, aligned: Path, config: CaptionerConfig, data: _Data
) -> FinetuneObjective:
    assert config.prompt is not None and config.backbone is not None
    assert recipe.finetune.batch_tokens is not None
    wrapped = load_tokenizer(config.backbone.path)
    captioner = _captioner(recipe, aligned, config, wrapped, data.vocabulary)
    tokenizer = wrapped.backend_tokenizer
    prompt, end = config.prompt, config.end_token_ids[0]

    def examples(
        pairs: list[Pair], augment: float = 0.0, hide_smiles: float = 0.0
    ) -> ExampleDataset:
        return ExampleDataset(
            pairs,
            [data.views[pair.smiles] for pair in pairs],
            tokenizer,
            prompt,
            end=end,
            max_prompt_tokens=config.max_prompt_tokens,
            max_new_tokens=config.max_new_tokens,
            augment=augment,
            hide_smiles=hide_smiles,
            seed=recipe.seed,
        )

    return FinetuneObjective(
        captioner,
        examples(data.train, recipe.finetune.augment, recipe.finetune.hide_smiles),
        examples(data.dev),
        tokenizer=tokenizer,
        references=[pair.description for pair in data.dev],
        pad=end,
        end_ids=config.end_token_ids,
        max_new_tokens=config.max_new_tokens,
        no_repeat_ngram=config.no_repeat_ngram,
        batch_tokens=recipe.finetune.batch_tokens,
        bridge_lr=recipe.finetune.projector_lr,
        word_dropout=recipe.finetune.word_dropout,
        seed=recipe.seed,
    )


def _captioner(
    recipe: Recipe,
    aligned: Path,
    config: CaptionerConfig,
    tokenizer: Any,
    vocabulary: FeatureVocabulary | None,
) -> Captioner:
    """Frozen encoder; trainable projectors, and of the backbone an adapter or everything."""
    source = config.backbone
    assert source is not None
    llm = load_llm(source.path, tokenizer, quantization=source.quantization, device=best_device())
    norm, adapter = embedding_norm(llm), recipe.backbone.adapter
    if adapter is None:
        llm.requires_grad_(True)
    else:
        llm = attach_adapter(
            llm, rank=adapter.rank, alpha=adapter.alpha, dropout=adapter.dropout,
            targets=adapter.targets,
        )  # fmt: skip
    if recipe.finetune.gradient_checkpointing:
        recompute_activations(llm)
    bridge = load_bridge(aligned, config)
    bridge.encoder.requires_grad_(False)
    if recipe.profile is not None and vocabulary is not None:
        bridge.profile = ProfileProjector(
            ProfileConfig(
                features=len(vocabulary.names),
                out_width=bridge.projector.config.out_width,
                out_norm=norm,
                **recipe.profile.model_dump(),
            )
        )
    return Captioner(bridge, llm, config.graph_token_id)


def _check_gate(aligned: Path) -> None:
    report = json.loads((aligned / "alignment.json").read_text(encoding="utf-8"))
    if not report["aligned"]:
        raise BadDataError(
            f"{aligned}: the projector is not aligned (gain {report['gain']:.3f}, needed "
            f"{report['needed_gain']}; MRR {report['mrr']:.3f}, needed {report['needed_mrr']:.3f});"
            " train `align` longer or with align.contrastive_weight, or use --force"
        )
