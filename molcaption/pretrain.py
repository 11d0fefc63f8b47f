"""The verb ``pretrain``: what has to exist before the bridge.

Writes ``RUN/hints/`` (only if prompts show evidence), ``RUN/backbone/`` (only for
``backbone.scratch``: a plain Hugging Face directory) and ``RUN/encoder/``. Each part that is
finished is left alone the second time.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from molcaption.chem.molecule import parse_smiles
from molcaption.data.documents import CAPTIONS, NAMES, SENTENCES, DocumentSource
from molcaption.data.evidence import Evidence, Showing, read_evidence
from molcaption.data.hints import WEIGHTS
from molcaption.data.pairs import Pair, read_pairs, read_structures
from molcaption.data.prompt import Neighbour, PromptTemplate, evidence_text, plain_prompt
from molcaption.data.structures import StructureDataset
from molcaption.data.targets import structure_targets
from molcaption.data.tokenizer import train_tokenizer
from molcaption.engine.checkpoint import is_finished, seed_everything
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.model_dir import CONFIG, CaptionerConfig, save_bridge, write_config
from molcaption.engine.stage_backbone import BackboneObjective
from molcaption.engine.stage_encoder import EncoderObjective
from molcaption.engine.train_hints import HINTS, HintSettings, train_hints
from molcaption.errors import BadRecipeError
from molcaption.nn.backbone import build_scratch, wrap_tokenizer
from molcaption.nn.encoder import EncoderConfig, MolGNN
from molcaption.nn.pretraining import EncoderPretraining
from molcaption.recipe import Recipe, provenance, recipe_hash
from molcaption.recipe_schema import HintStage

_TOKENIZER_SMILES = 300
"""Few SMILES in the tokenizer's training text keep its SMILES tokens to a few atoms each (20
tokens a molecule); with all of them, half a molecule becomes one token."""
_TOKENIZER_NAMES, _TOKENIZER_HINTS = 4000, 2000
_BACKBONE_SECTIONS = ("seed", "data", "backbone", "prompt", "decode", "pretrain")
_ENCODER_SECTIONS = ("seed", "data", "encoder", "pretrain")
_HINT_SECTIONS = ("seed", "data", "prompt", "pretrain")
"""What a checkpoint depends on: only a change here makes it useless."""
BACKBONE, ENCODER = "backbone", "encoder"


def pretrain(recipe: Recipe, only: str | None = None, fresh: bool = False) -> Path:
    """Train hints and backbone (if the recipe has them) and the encoder; returns the run directory.

    Args:
        only: ``hints``, ``backbone`` or ``encoder``; all by default.
        fresh: forget checkpoints and finished parts.
    """
    if only in (None, HINTS) and recipe.pretrain.hints is not None:
        _pretrain_hints(recipe, recipe.pretrain.hints, fresh)
    if only in (None, BACKBONE) and recipe.backbone.scratch is not None:
        _pretrain_backbone(recipe, fresh)
    if only in (None, ENCODER):
        _pretrain_encoder(recipe, fresh)
    return recipe.run_dir


def _pretrain_hints(recipe: Recipe, stage: HintStage, fresh: bool) -> None:
    directory = recipe.run_dir / HINTS
    if is_finished(directory, WEIGHTS, fresh=fresh):
        return
    if stage.batch_size is None:
        raise BadRecipeError("pretrain.hints.batch_size: needed; molecules are counted, not tokens")
    data = recipe.data
    settings = HintSettings(
        hints=recipe.prompt.hints,
        neighbours=recipe.prompt.neighbours,
        styles=data.styles,
        hidden=stage.hidden,
        folds=stage.folds,
        batch_size=stage.batch_size,
        seed=recipe.seed,
        loop=LoopSettings.of(stage.model_dump()),
    )
    pairs, dev = read_pairs(data.path(data.train)), read_pairs(data.path(data.dev))
    train_hints(directory, pairs, dev, settings, recipe_hash(recipe, *_HINT_SECTIONS))


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
    shown = recipe.prompt
    evidence = read_evidence(recipe.run_dir / HINTS) if shown.has_evidence else {}
    learnt = _tokenizer_texts(texts, evidence)
    tokenizer = wrap_tokenizer(train_tokenizer(learnt, scratch.vocab_size))
    llm = build_scratch(tokenizer, **scratch.model_dump(exclude={"vocab_size"}))
    styles = recipe.data.styles or []
    count = recipe.encoder.graph_tokens
    prompt = PromptTemplate(
        plain_prompt(count, evidence=shown.has_evidence),
        count, hints=shown.hints, neighbours=shown.neighbours,
    )  # fmt: skip

    def source(pairs: dict[str, list[Pair]]) -> DocumentSource:
        return DocumentSource(
            tokenizer.backend_tokenizer, pairs, stage.mixture, styles=styles,
            prompt=prompt, evidence=evidence,
            showing=Showing(shown.hint_dropout, shown.neighbour_share),
            max_prompt_tokens=shown.max_tokens, max_new_tokens=recipe.decode.max_new_tokens,
            seed=recipe.seed,
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
    save_bridge(directory, encoder=encoder)
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


def _tokenizer_texts(
    texts: Mapping[str, Sequence[Pair]], evidence: Mapping[str, Evidence]
) -> list[str]:
    captions = texts[CAPTIONS]
    names = texts.get(NAMES, [])[:_TOKENIZER_NAMES]
    smiles = [pair.smiles for pair in captions[:_TOKENIZER_SMILES]]
    hints = [evidence_text(known.hints, ()) for known in evidence.values()]
    prompt = plain_prompt(1).replace("{smiles}", evidence_text((), [Neighbour(0.5, "")]))
    said = (pair.description for pair in [*captions, *names])
    return [*smiles, *said, *hints[:_TOKENIZER_HINTS], *[prompt] * 100]
