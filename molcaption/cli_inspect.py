"""The commands that look at things without changing them."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from molcaption.cli_options import Overrides, RecipeFile, command, new_group

_log = logging.getLogger(__name__)
group = new_group()
recipes = new_group()
lexicon = new_group()
group.add_typer(recipes, name="recipe", help="Check or show a recipe.")
group.add_typer(lexicon, name="lexicon", help="Look after the lexicon of chemical concepts.")


@command(group, "doctor")
def _doctor(
    json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Look at this installation: packages, devices, data and what is missing.

    \b
    Examples:
      molcaption doctor
      molcaption doctor --json > environment.json
    """
    from molcaption.doctor import doctor

    doctor(as_json=json)


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
        Path | None, typer.Argument(help="Lexicon to check; the one that ships by default.")
    ] = None,
) -> None:
    """Compile every pattern of a lexicon and check its entries.

    \b
    Examples:
      molcaption lexicon check
      molcaption lexicon check my-groups.yaml
    """
    from molcaption.claims import load_lexicon

    _log.info("fine, %d concepts", len(load_lexicon(file).concepts))
