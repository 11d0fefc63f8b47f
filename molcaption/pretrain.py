"""The verb ``pretrain``: what has to exist before the bridge.

Writes ``RUN/backbone/`` (only for ``backbone.scratch``: a plain Hugging Face directory) and
``RUN/encoder/``. Each part that is finished is left alone the second time.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from molcaption.chem.molecule import parse_smiles
from molcaption.data.documents import CAPTIONS, NAMES, SENTENCES, DocumentSource
from molcaption.data.pairs import Pair, read_pairs, read_structures
from molcaption.data.prompt import PromptTemplate, plain_prompt
from molcaption.data.structures import StructureDataset
from molcaption.data.targets import structure_targets
from molcaption.data.tokenizer import train_tokenizer
from molcaption.engine.checkpoint import is_finished, seed_everything
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.model_dir import CONFIG, CaptionerConfig, save_encoder, write_config
from molcaption.engine.stage_backbone import BackboneObjective
from molcaption.engine.stage_encoder import EncoderObjective
from molcaption.errors import BadRecipeError
from molcaption.nn.backbone import build_scratch, wrap_tokenizer
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.pretraining import EncoderPretraining
from molcaption.recipe import Recipe, keep_recipe, provenance, recipe_hash

_TOKENIZER_SMILES = 300
"""Few SMILES in the tokenizer's training text keep its SMILES tokens to a few atoms each (20
tokens a molecule); with all of them, half a molecule becomes one token."""
_TOKENIZER_NAMES = 4000
_BACKBONE_SECTIONS = ("seed", "data", "encoder", "profile", "backbone", "prompt", "decode",
                      "pretrain")  # fmt: skip
_ENCODER_SECTIONS = ("seed", "data", "encoder", "pretrain")
"""What a checkpoint depends on: only a change here makes it useless."""
BACKBONE, ENCODER = "backbone", "encoder"


def pretrain(recipe: Recipe, only: str | None = None, fresh: bool = False) -> Path:
    """Train backbone (if the recipe builds one) and encoder; returns the run directory.

    Args:
        only: ``backbone`` or ``encoder``; both by default.
        fresh: forget checkpoints and finished parts.
    """
    if only in (None, BACKBONE) and recipe.backbone.scratch is not None:
        _pretrain_backbone(recipe, fresh)
    if only in (None, ENCODER):
        _pretrain_encoder(recipe, fresh)
    return recipe.run_dir


def _pretrain_backbone(recipe: Recipe, fresh: bool) -> None:
    directory = recipe.run_dir / BACKBONE
    if is_finished(directory, "model.safetensors", fresh=fresh):
        return
    stage, scratch = recipe.pretrain.backbone, recipe.backbone.scratch
    assert stage is not None and scratch is not None  # the recipe's own validation
    if stage.batch_tokens is None:
        raise BadRecipeError("pretrain.backbone.batch_tokens: needed, since texts vary in length")
    seed_everything(recipe.seed)
    texts = _texts(recipe)
    tokenizer = wrap_tokenizer(train_tokenizer(_tokenizer_texts(texts), scratch.vocab_size))
    llm = build_scratch(tokenizer, **scratch.model_dump(exclude={"vocab_size"}))
    styles = recipe.data.styles or []
    prompt = PromptTemplate(plain_prompt(recipe.prompt_tokens), recipe.prompt_tokens)

    def source(pairs: dict[str, list[Pair]]) -> DocumentSource:
        return DocumentSource(
            tokenizer.backend_tokenizer, pairs, stage.mixture, styles=styles,
            prompt=prompt, max_prompt_tokens=recipe.prompt.max_tokens,
            max_new_tokens=recipe.decode.max_new_tokens, seed=recipe.seed,
        )  # fmt: skip

    dev = read_pairs(recipe.data.path(recipe.data.dev))
    dev = [Pair(p.id, p.smiles, p.description, styles[0] if styles else "") for p in dev]
    objective = BackboneObjective(
        llm, source(texts), source({CAPTIONS: dev}).epoch(0),
        pad=tokenizer.pad_token_id,
        batch_tokens=stage.batch_tokens, seed=recipe.seed,
    )  # fmt: skip
    fit(
        objective,
        LoopSettings.of(stage.model_dump()),
        directory,
        key=recipe_hash(recipe, *_BACKBONE_SECTIONS),
        label="backbone",
    )
    keep_recipe(recipe, directory)
    tokenizer.save_pretrained(directory)
    llm.save_pretrained(directory)


def _pretrain_encoder(recipe: Recipe, fresh: bool) -> None:
    directory = recipe.run_dir / ENCODER
    if is_finished(directory, CONFIG, fresh=fresh):
        return
    stage = recipe.pretrain.encoder
    if stage.batch_size is None:
        raise BadRecipeError(
            "pretrain.encoder.batch_size: needed; molecules are counted, not tokens"
        )
    seed_everything(recipe.seed)
    encoder = MolGNN(EncoderConfig(**recipe.encoder.model_dump()))
    dev = StructureDataset(read_pairs(recipe.data.path(recipe.data.dev)))
    example = structure_targets(parse_smiles("CCO"))
    objective = EncoderObjective(
        EncoderPretraining(encoder, len(example.groups), len(example.descriptors)),
        StructureDataset(_described(recipe) + _bare(recipe, stage.sample)), dev,
        batch_size=stage.batch_size, contrastive_weight=stage.contrastive_weight,
        structure_weight=stage.structure_weight, seed=recipe.seed,
    )  # fmt: skip
    settings = LoopSettings.of(stage.model_dump())
    fit(objective, settings, directory, key=recipe_hash(recipe, *_ENCODER_SECTIONS), label=ENCODER)
    keep_recipe(recipe, directory)
    save_encoder(directory, encoder)
    write_config(
        directory,
        CaptionerConfig(stage=ENCODER, encoder=encoder.config, provenance=provenance(recipe)),
    )


def _described(recipe: Recipe) -> list[Pair]:
    """Every pair with a text: captions of all styles, and names."""
    data = recipe.data
    names = read_pairs(data.path(data.names)) if data.names is not None else []
    return read_pairs(data.path(data.train)) + names


def _bare(recipe: Recipe, sample: int | None) -> list[Pair]:
    """A random sample of the structures without text."""
    data = recipe.data
    smiles = [s for file in data.structures for s in read_structures(data.path(file))]
    count = len(smiles) if sample is None else min(sample, len(smiles))
    return [Pair("", s, "") for s in random.Random(recipe.seed).sample(smiles, count)]


def _texts(recipe: Recipe) -> dict[str, list[Pair]]:
    """The pairs of every kind that the mixture names."""
    data = recipe.data
    texts = {CAPTIONS: read_pairs(data.path(data.train))}
    mixture = recipe.pretrain.backbone.mixture if recipe.pretrain.backbone else {}
    if NAMES in mixture and data.names is not None:
        texts[NAMES] = read_pairs(data.path(data.names))
    if SENTENCES in mixture:
        smiles = [s for file in data.structures for s in read_structures(data.path(file))]
        texts[SENTENCES] = [Pair("", s, "") for s in smiles]
    missing = mixture.keys() - texts.keys()
    if missing or CAPTIONS not in mixture:
        raise BadRecipeError(
            f"pretrain.backbone.mixture: {', '.join(sorted(missing)) or CAPTIONS} missing; kinds "
            f"are {CAPTIONS} (always), {NAMES} (needs data.names), {SENTENCES} (needs "
            "data.structures)"
        )
    return texts


def _tokenizer_texts(texts: Mapping[str, Sequence[Pair]]) -> list[str]:
    captions = texts[CAPTIONS]
    names = texts.get(NAMES, [])[:_TOKENIZER_NAMES]
    smiles = [pair.smiles for pair in captions[:_TOKENIZER_SMILES]]
    return [*smiles, *(pair.description for pair in [*captions, *names])]
