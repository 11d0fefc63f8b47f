"""The commands that make a captioner, in the order in which they are run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from molcaption.cli_options import (
    Force,
    Fresh,
    MaxNewTokens,
    Overrides,
    RecipeFile,
    command,
    new_group,
    refuse_others,
)
from molcaption.errors import UsageError

group = new_group()
_FOR_VERIFY = {"model_dir", "bundle", "molecules", "verify", "parity_limit", "max_new_tokens"}


class Weights(StrEnum):
    """Number formats of exported weights."""

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"
    int4 = "int4"
    fast = "fast"


class Target(StrEnum):
    """What bundles run on."""

    cpu = "cpu"
    cuda = "cuda"


class PretrainPart(StrEnum):
    """What `pretrain` can train."""

    backbone = "backbone"
    encoder = "encoder"


@command(group, "pretrain")
def _pretrain(
    recipe: RecipeFile,
    set: Overrides = None,
    only: Annotated[PretrainPart | None, typer.Option(help="Train this part alone.")] = None,
    fresh: Fresh = False,
) -> None:
    """Train what stands before the bridge: a scratch backbone and the encoder.

    \b
    Examples:
      molcaption pretrain recipes/mini.yaml
      molcaption pretrain recipes/qwen3.yaml --only encoder --set data.root=/data/chebi
    """
    from molcaption.pretrain import pretrain
    from molcaption.recipe import load_recipe

    pretrain(load_recipe(recipe, set or ()), only=only.value if only else None, fresh=fresh)


@command(group, "align")
def _align(recipe: RecipeFile, set: Overrides = None, fresh: Fresh = False) -> None:
    """Stage 1: train the projector alone, report how well it lands, and give a verdict.

    \b
    Examples:
      molcaption align recipes/qwen3.yaml
      molcaption align recipes/mini.yaml --set align.loss=mse --set run_dir=runs/mini-mse
    """
    from molcaption.align import align
    from molcaption.recipe import load_recipe

    align(load_recipe(recipe, set or ()), fresh=fresh)


@command(group, "finetune")
def _finetune(
    recipe: RecipeFile,
    set: Overrides = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although the projector is not aligned.")
    ] = False,
    fresh: Fresh = False,
) -> None:
    """Stage 2: train projector and LoRA adapter to write the captions.

    \b
    Examples:
      molcaption finetune recipes/qwen3.yaml
      molcaption finetune recipes/mini.yaml --set finetune.lr=1e-4
    """
    from molcaption.finetune import finetune
    from molcaption.recipe import load_recipe

    finetune(load_recipe(recipe, set or ()), force=force, fresh=fresh)


@command(group, "merge")
def _merge(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of a run.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="New folder.")],
    force: Force = False,
) -> None:
    """Merge the adapter into its backbone: one self-contained model directory.

    \b
    Examples:
      molcaption merge runs/qwen3 -o models/qwen3
    """
    from molcaption.merge import merge

    merge(run_dir, output, force=force)


@command(group, "export")
def _export(
    ctx: typer.Context,
    model_dir: Annotated[Path, typer.Argument(metavar="MODEL_DIR", help="A merged model.")],
    bundle: Annotated[
        Path | None, typer.Argument(metavar="BUNDLE", help="With --verify: made of MODEL_DIR.")
    ] = None,
    molecules: Annotated[
        str | None, typer.Argument(metavar="INPUT", help="With --verify: what to measure on.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="New folder.")
    ] = None,
    weights: Annotated[
        Weights,
        typer.Option(help="Number format of the bundle; fast multiplies 8-bit integers."),
    ] = Weights.int8,
    target: Annotated[Target, typer.Option(help="What the bundle runs on.")] = Target.cpu,
    verify: Annotated[
        bool, typer.Option("--verify", help="Export nothing; measure BUNDLE against MODEL_DIR.")
    ] = False,
    parity_input: Annotated[
        str | None, typer.Option(metavar="FILE", help="Molecules to measure on; built in if none.")
    ] = None,
    parity_limit: Annotated[int, typer.Option(min=1, help="How many molecules.")] = 500,
    max_new_tokens: MaxNewTokens = None,
    force: Force = False,
) -> None:
    """Write an ONNX bundle that captions without torch, with its measured parity.

    \b
    Examples:
      molcaption export models/qwen3 -o exports/qwen3-int8
      molcaption export models/qwen3 -o exports/qwen3 --parity-input dev.tsv --weights int4
      molcaption export --verify models/qwen3 exports/qwen3 dev.tsv
    """
    from molcaption import export

    if verify:
        takes = "export --verify takes MODEL_DIR BUNDLE INPUT"
        refuse_others(ctx, _FOR_VERIFY, f"is for an export; {takes}")
        if bundle is None or molecules is None:
            raise UsageError(takes)
        export.verify(
            model_dir, bundle, molecules, limit=parity_limit, max_new_tokens=max_new_tokens
        )
        return
    if output is None or bundle is not None:
        raise UsageError(
            "export takes MODEL_DIR and --output DIR; or --verify MODEL_DIR BUNDLE INPUT"
        )
    export.export(
        model_dir, output, weights=weights.value, target=target.value, parity_input=parity_input,
        parity_limit=parity_limit, max_new_tokens=max_new_tokens, force=force,
    )  # fmt: skip
