"""The commands that look at things without changing them."""

import json
import logging
import sys
from typing import Annotated

import typer

from molcaption.cli_options import Limit, Overrides, RecipeFile, command, new_group

_log = logging.getLogger(__name__)
group = new_group()
recipes = new_group()
lexicon = new_group()
group.add_typer(recipes, name="recipe", help="Check or show a recipe.")
group.add_typer(lexicon, name="lexicon", help="Look after the lexicon of chemical concepts.")


@command(group, "doctor")
def _doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Look at this installation: packages, devices, data and what is missing.

    \b
    Examples:
      molcaption doctor
      molcaption doctor --json > environment.json
    """
    from molcaption.doctor import doctor

    doctor(as_json=as_json)


@command(group, "report")
def _report(
    input: Annotated[
        str, typer.Argument(help="What caption or check wrote, or the folder of a training run.")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = None,
    molecules: Annotated[
        int, typer.Option(min=0, help="Records that the page shows; its numbers are of all.")
    ] = 1000,
) -> None:
    """Draw a page about captions (one HTML file), or the pictures of a training run (SVG).

    \b
    Examples:
      molcaption report captions.parquet -o report.html
      molcaption report runs/mini
    """
    from molcaption.reporting import report

    report(input, output, molecules=molecules)


@command(recipes, "check")
def _recipe_check(
    files: Annotated[list[str], typer.Argument(metavar="RECIPE...", help="Recipe files.")],
    set: Overrides = None,
) -> None:
    """Check recipes; every mistake in one is shown at once.

    \b
    Examples:
      molcaption recipe check recipes/qwen3.yaml
      molcaption recipe check recipes/mini.yaml --set finetune.lr=1e-4
    """
    from molcaption.recipe import load_recipe, recipe_hash

    for file in files:
        recipe = load_recipe(file, set or ())
        absent = [str(path) for path in recipe.data.files() if not path.exists()]
        if absent:
            _log.warning("%s: data not found from here: %s", file, ", ".join(absent))
        _log.info("%s: fine, hash %s", file, recipe_hash(recipe)[:12])


@command(recipes, "show")
def _recipe_show(recipe: RecipeFile, set: Overrides = None) -> None:
    """Write a recipe with every default filled in.

    \b
    Examples:
      molcaption recipe show recipes/qwen3.yaml
      molcaption recipe show qwen3 --set backbone.path=models/qwen3-0.6b > mine.yaml
    """
    from molcaption.recipe import dump_recipe, load_recipe

    sys.stdout.write(dump_recipe(load_recipe(recipe, set or ())))


@command(lexicon, "check")
def _lexicon_check(
    file: Annotated[
        str | None, typer.Argument(help="Lexicon laid over the one that ships; that alone if none.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option(metavar="FILE", help="Molecules to measure base rates on.")
    ] = None,
    limit: Limit = None,
) -> None:
    """Hold every entry of a lexicon to its own examples; with a sample, write base rates as JSON.

    \b
    Examples:
      molcaption lexicon check
      molcaption lexicon check my-groups.yaml --sample library.smi > rates.json
    """
    from molcaption.lexicon import SAMPLE_LIMIT, check

    report = check(file, sample=sample, limit=limit or SAMPLE_LIMIT)
    if sample is not None:
        sys.stdout.write(json.dumps({"n": report.n_sample, "rates": report.rates}, indent=2) + "\n")
