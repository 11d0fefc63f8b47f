"""The verb ``align``, stage 1: teach the projector the backbone's token space, and judge it.

Backbone and encoder are frozen; only the projector learns. The report compares its distance on dev
with that of the best constant vector, and its retrieval with chance; the verdict is the gate that
``finetune`` looks at. Writes ``RUN/align/``: projector, ``alignment.json``, metrics.
"""

import json
import logging
from pathlib import Path
from typing import Any

from molcaption.chem.graph import featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.data.atomic import atomic_write
from molcaption.data.pairs import read_pairs
from molcaption.data.prompt import PromptTemplate, chat_prompt, plain_prompt
from molcaption.engine.bases import identified
from molcaption.engine.checkpoint import is_finished, seed_everything
from molcaption.engine.embed import embed_texts, encode_graphs, scaled_to
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.model_dir import (
    CONFIG,
    CaptionerConfig,
    load_encoder,
    read_config,
    save_bridge,
    write_config,
)
from molcaption.engine.stage_align import AlignmentData, AlignObjective
from molcaption.errors import BadRecipeError
from molcaption.nn.backbone import (
    best_device,
    embedding_norm,
    end_token_ids,
    graph_token_id,
    load_llm,
    load_tokenizer,
)
from molcaption.nn.bridge import Bridge
from molcaption.nn.encoder import MolGNN
from molcaption.nn.projector import Projector, ProjectorConfig
from molcaption.recipe import Recipe, backbone_path, keep_recipe, provenance, recipe_hash
from molcaption.report.training import draw_run

_log = logging.getLogger(__name__)
_SECTIONS = ("seed", "data", "encoder", "projector", "profile", "backbone", "prompt", "align")
REPORT_FILE = "alignment.json"
_MIN_MRR_OVER_CHANCE = 5.0
"""A projector not clearly above chance has learnt the mean vector, whatever its loss says."""


def align(recipe: Recipe, fresh: bool = False) -> Path:
    """Train the projector; returns ``RUN/align``, where ``alignment.json`` holds the verdict."""
    directory = recipe.run_dir / "align"
    if is_finished(directory, CONFIG, fresh=fresh):
        return directory
    if recipe.align.batch_size is None:
        raise BadRecipeError("align.batch_size: needed; pairs are counted, not tokens")
    seed_everything(recipe.seed)
    base, quantization = backbone_path(recipe), recipe.backbone.quantization
    tokenizer = load_tokenizer(base)
    llm = load_llm(base, tokenizer, quantization=quantization, device=best_device())
    encoded = recipe.run_dir / "encoder"
    encoder = load_encoder(encoded, read_config(encoded, "molcaption pretrain RECIPE"))
    objective = _objective(recipe, encoder, llm, tokenizer)
    settings = LoopSettings.of(recipe.align.model_dump())
    fit(objective, settings, directory, key=recipe_hash(recipe, *_SECTIONS), label="align")
    objective.eval()
    _report(directory, recipe, objective)
    keep_recipe(recipe, directory)
    save_bridge(directory, Bridge(encoder, objective.projector))
    config = CaptionerConfig(
        stage="align",
        encoder=encoder.config,
        projector=objective.projector.config,
        prompt=_prompt(recipe, tokenizer),
        backbone=identified(base, quantization),
        graph_token_id=graph_token_id(tokenizer),
        end_token_ids=end_token_ids(llm, tokenizer),
        max_prompt_tokens=recipe.prompt.max_tokens,
        max_new_tokens=recipe.decode.max_new_tokens,
        no_repeat_ngram=recipe.decode.no_repeat_ngram,
        draws=recipe.decode.draws,
        provenance=provenance(recipe),
    )
    write_config(directory, config)
    draw_run(recipe.run_dir)
    return directory


def _objective(recipe: Recipe, encoder: MolGNN, llm: Any, tokenizer: Any) -> AlignObjective:
    """A new projector, and what the frozen models say of all pairs."""
    stage, data = recipe.align, recipe.data
    assert stage.batch_size is not None
    norm = embedding_norm(llm)
    projector = Projector(
        ProjectorConfig(
            in_width=encoder.config.width,
            out_width=llm.get_input_embeddings().embedding_dim,
            hidden=recipe.projector.hidden,
            layers=recipe.projector.layers,
            out_norm=norm,
        )
    )

    def views(file: Path) -> AlignmentData:
        pairs = read_pairs(data.path(file))
        graphs = [featurise(parse_smiles(pair.smiles)) for pair in pairs]
        texts = [pair.description for pair in pairs]
        ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
        targets = embed_texts(llm, ids, stage.target)
        return AlignmentData(encode_graphs(encoder, graphs), scaled_to(targets, norm))

    return AlignObjective(
        projector,
        views(data.train),
        views(data.dev),
        loss=stage.loss,
        contrastive_weight=stage.contrastive_weight,
        temperature=stage.temperature,
        batch_size=stage.batch_size,
        seed=recipe.seed,
    )


def _report(directory: Path, recipe: Recipe, objective: AlignObjective) -> None:
    stage, metrics = recipe.align, objective.evaluate().metrics
    gained = metrics["gain"] >= stage.min_gain
    found = metrics["mrr"] >= _MIN_MRR_OVER_CHANCE * metrics["mrr_chance"]
    report: dict[str, Any] = {
        "loss": stage.loss,
        "contrastive_weight": stage.contrastive_weight,
        "target": stage.target,
        **metrics,
        "ranks": objective.rank_counts(),
        "needed_gain": stage.min_gain,
        "needed_mrr": _MIN_MRR_OVER_CHANCE * metrics["mrr_chance"],
        "aligned": bool(gained and found),
    }
    with atomic_write(directory / REPORT_FILE, "w") as file:
        file.write(json.dumps(report, indent=1) + "\n")
    _log.info(
        "alignment: %s %.4f against %.4f of the mean vector (gain %.0f %%, needed %.0f %%), "
        "MRR %.3f (chance %.3f): %s",
        stage.loss,
        metrics["distance"],
        metrics["mean_predictor"],
        100 * metrics["gain"],
        100 * stage.min_gain,
        metrics["mrr"],
        metrics["mrr_chance"],
        "aligned" if report["aligned"] else "NOT aligned",
    )


def _prompt(recipe: Recipe, tokenizer: Any) -> PromptTemplate:
    count = recipe.prompt_tokens
    if recipe.prompt.format == "plain":
        text = plain_prompt(count)
    elif tokenizer.chat_template:
        text = chat_prompt(tokenizer, count)
    else:
        raise BadRecipeError(
            f"prompt.format: chat, but {recipe.backbone.path} has no chat template; use plain"
        )
    return PromptTemplate(text, count)
