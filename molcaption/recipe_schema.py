"""What a recipe may say: one captioner and every stage that makes it.

One pydantic model per section of the YAML file. Unknown keys are refused and values are never
converted (`"3"` is not 3), because a misspelt or misread option that is silently ignored costs a
training run. `recipe.py` reads the file; verbs take what they need from the models and hand plain
arguments on, so nothing below the verbs imports this.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, Strict, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
# YAML has no paths: only here is text taken for another type.
AnyPath = Annotated[Path, Strict(False)]


class Section(BaseModel):
    """Rules that hold in every section: no unknown keys, no conversions, no later changes."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class DataRecipe(Section):
    """Where pairs of molecule and text lie; relative paths start at `root`."""

    root: AnyPath = Path("data")
    """Folder of the files below; relative to where the command is run."""
    train: AnyPath
    """Pairs to learn from: TSV with `source style id smiles description`."""
    dev: AnyPath
    """Pairs to choose models and settings on, never learnt from."""
    styles: list[str] | None = None
    """Styles for fine-tuning, as a captioner copies the prose it is shown last; null for all."""
    names: AnyPath | None = None
    """Structures with IUPAC names, for pretraining."""
    structures: list[AnyPath] = []
    """Structures without text, for pretraining and for sentences written about them."""

    def path(self, file: Path) -> Path:
        """`file` of this section as a path that can be opened."""
        return self.root / file

    def files(self) -> list[Path]:
        """Every file this section names, openable, in the order of the fields."""
        named = [self.train, self.dev, self.names, *self.structures]
        return [self.path(file) for file in named if file is not None]


class EncoderRecipe(Section):
    """The MolGNN: atoms and bonds to graph tokens."""

    layers: PositiveInt = 5
    """Message-passing steps: how many bonds away an atom sees."""
    hidden: PositiveInt = 256
    """H, width of an atom state."""
    width: PositiveInt = 768
    """Width of a graph token as the encoder gives it."""
    dropout: Fraction = 0.0
    """Share of atom-state entries dropped in training."""
    graph_tokens: PositiveInt = 1
    """Q, tokens that stand for one molecule in the prompt."""


class ProjectorRecipe(Section):
    """The bridge: graph tokens to the backbone's embedding space (its output width is D)."""

    hidden: PositiveInt = 1024
    """Width of the layers between."""
    layers: PositiveInt = 3
    """Linear layers; with one the bridge is a plain linear map."""


class ProfileRecipe(Section):
    """The second bridge: what the lexicon finds in the structure, and Morgan counts, as tokens."""

    tokens: PositiveInt = 4
    """R, tokens beside those of the graph."""
    hidden: PositiveInt = 384
    """Width of the layer between features and tokens."""
    dropout: Fraction = 0.3
    """Share of features and hidden layer left out in training: features outnumber molecules."""


class ScratchRecipe(Section):
    """A decoder of the Qwen3 architecture, built here and pretrained by `pretrain`."""

    vocab_size: PositiveInt
    """V, tokens of the byte-level BPE trained with it."""
    hidden: PositiveInt
    """D, width of the residual stream."""
    layers: PositiveInt
    """Decoder blocks."""
    heads: PositiveInt
    """Query heads."""
    kv_heads: PositiveInt
    """Key and value heads; fewer than `heads` shrinks the cache."""
    head_dim: PositiveInt
    """Width of one head."""
    intermediate: PositiveInt
    """Width inside the gated MLP."""

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> Self:
        if self.heads % self.kv_heads:
            raise ValueError(
                f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})"
            )
        return self


class AdapterRecipe(Section):
    """LoRA (Hu et al. 2021, arXiv:2106.09685): W + alpha/rank · B A."""

    rank: PositiveInt = 16
    """Columns of A and B: higher adapts more and costs memory."""
    alpha: PositiveInt = 32
    """Scale of the update; alpha/rank is what multiplies B A."""
    dropout: Fraction = 0.05
    """Share of the adapter's input dropped in training."""
    targets: Annotated[list[str], Field(min_length=1)] = [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    ]  # fmt: skip
    """Names of the linear layers that get an adapter; by default all seven of a block."""


class BackboneRecipe(Section):
    """The language model: one that exists (`path`) or one built here (`scratch`)."""

    path: str | None = None
    """Hub name or directory of a causal language model; null with `scratch`."""
    quantization: Literal["none", "nf4"] = "none"
    """`nf4` holds the frozen weights in 4 bits (QLoRA, arXiv:2305.14314)."""
    scratch: ScratchRecipe | None = None
    """Shape of a decoder to pretrain here; null with `path`."""
    adapter: AdapterRecipe | None = AdapterRecipe()
    """Null trains every weight in `finetune`: for bases too small to need sparing."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (self.scratch is None):
            got = "neither" if self.path is None else "both"
            raise ValueError(f"give either path or scratch, got {got}")
        if self.adapter is None and self.quantization != "none":
            raise ValueError("quantization nf4 freezes the weights: it needs an adapter")
        return self


class PromptRecipe(Section):
    """How graph and SMILES are put to the backbone."""

    format: Literal["chat", "plain"] = "chat"
    """`chat` uses the backbone's own template, `plain` the marks <|user|> and <|assistant|>."""
    max_tokens: PositiveInt = 512
    """Longest prompt in tokens; a longer one loses the end of its SMILES."""


class Stage(Section):
    """One training stage: how long, how fast, and how often it is looked at and saved."""

    steps: PositiveInt
    """Optimizer steps."""
    batch_tokens: PositiveInt | None = None
    """Tokens in a batch, padding included; keeps memory even when lengths vary."""
    batch_size: PositiveInt | None = None
    """Records in a batch; give this or `batch_tokens`."""
    lr: Annotated[float, Field(gt=0)]
    """Peak learning rate; falls to zero along a cosine."""
    warmup: Fraction = 0.05
    """Share of the steps during which the learning rate rises."""
    weight_decay: Weight = 0.01
    """AdamW's decoupled decay (arXiv:1711.05101)."""
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of the gradient."""
    accumulate: PositiveInt = 1
    """Batches that are added up for one step, where one large batch would not fit in memory."""
    eval_every: PositiveInt = 500
    """Steps between evaluations on dev."""
    save_every: PositiveInt = 500
    """Steps between checkpoints; an interrupted run loses at most this many."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """`bf16` for GPUs; a CPU without AVX-512 runs it several times slower than fp32."""

    @model_validator(mode="after")
    def _one_batch_measure(self) -> Self:
        if (self.batch_tokens is None) == (self.batch_size is None):
            got = "neither" if self.batch_size is None else "both"
            raise ValueError(f"give either batch_size or batch_tokens, got {got}")
        return self


class EncoderStage(Stage):
    """Pretraining of the encoder on text contrast and structural targets."""

    contrastive_weight: Weight = 1.0
    """Weight of telling a molecule's description from the others of the batch."""
    structure_weight: Weight = 1.0
    """Weight of predicting what RDKit computes from the structure."""
    sample: PositiveInt | None = None
    """Structures without text that are drawn from `data.structures`; null for all."""


class BackboneStage(Stage):
    """Pretraining of a scratch backbone as a plain language model."""

    mixture: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    """Share of each kind of text, by its name; shares are relative and need not add up to one."""


class PretrainRecipe(Section):
    """What is trained before the bridge."""

    encoder: EncoderStage
    backbone: BackboneStage | None = None
    """Only for a scratch backbone."""


class AlignRecipe(Stage):
    """Stage 1: the projector alone learns to land among the backbone's embeddings."""

    loss: Literal["mse", "cosine"] = "cosine"
    """Distance between projected graph and embedded description."""
    contrastive_weight: Weight = 0.0
    """Weight of a contrastive term beside it, since a plain distance may settle on the mean."""
    temperature: Annotated[float, Field(gt=0)] = 0.07
    """Sharpness of the contrastive term."""
    target: Literal["input_embeddings", "hidden_states"] = "input_embeddings"
    """What of the description is averaged: its token embeddings or the last hidden states."""
    min_gain: Fraction = 0.05
    """Gate: share of the mean-vector predictor's loss that must be saved before fine-tuning."""


class FinetuneRecipe(Stage):
    """Stage 2: bridge and adapter learn to write the caption."""

    projector_lr: Annotated[float, Field(gt=0)]
    """Peak learning rate of the bridge; an aligned projector wants less than the adapter."""
    augment: Fraction = 0.0
    """Probability that a molecule is shown with another SMILES than the canonical one."""
    hide_smiles: Fraction = 0.0
    """Probability of a prompt without SMILES, so that the bridge is not neglected for it."""
    word_dropout: Fraction = 0.0
    """Share of the description's tokens hidden from the backbone, so that it minds the molecule."""
    gradient_checkpointing: bool = False
    """Compute activations twice rather than keep them: slower, in a fraction of the memory."""


class DecodeRecipe(Section):
    """How captions are written in evaluations, and the default of the exported captioner."""

    max_new_tokens: PositiveInt = 256
    """Longest caption in tokens."""
    draws: Count = 0
    """Captions drawn beside the greedy one, to choose the best of."""
    no_repeat_ngram: Count = 0
    """No run of so many tokens occurs twice in a caption; 0 allows everything."""


class Recipe(Section):
    """One captioner and all its stages."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Letters, digits, dot, dash and underscore: it names the run's folder."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Data order, initial weights and dropout follow from it."""
    run_dir: Annotated[AnyPath, Field(default_factory=lambda data: Path("runs", data["name"]))]
    """Where every stage writes; `runs/NAME` unless given."""
    data: DataRecipe
    encoder: EncoderRecipe = EncoderRecipe()
    projector: ProjectorRecipe = ProjectorRecipe()
    profile: ProfileRecipe | None = None
    backbone: BackboneRecipe
    prompt: PromptRecipe = PromptRecipe()
    pretrain: PretrainRecipe
    align: AlignRecipe
    finetune: FinetuneRecipe
    decode: DecodeRecipe = DecodeRecipe()

    @model_validator(mode="after")
    def _parts_are_pretrained(self) -> Self:
        if self.backbone.scratch is not None and self.pretrain.backbone is None:
            raise ValueError("backbone.scratch needs pretrain.backbone: it knows no language yet")
        return self

    @property
    def prompt_tokens(self) -> int:
        """Vectors that stand for a molecule in the prompt: graph tokens and profile tokens."""
        return self.encoder.graph_tokens + (self.profile.tokens if self.profile else 0)
