"""Reads recipes strictly, and shows every mistake in one at once.

PyYAML follows YAML 1.1: it reads `1e-4` as text and `no` as false, and of two equal keys it keeps
the last without a word. Recipes are read by the rules of YAML 1.2's core schema
(https://yaml.org/spec/1.2.2/#103-core-schema), and a repeated key is an error. Mistakes carry
their line and, where a key looks misspelt, the key that was probably meant.
"""

import difflib
import hashlib
import json
import re
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import BaseModel, ValidationError

from molcaption import __version__
from molcaption.data.atomic import atomic_write
from molcaption.errors import BadRecipeError, NoInputError
from molcaption.recipe_schema import Recipe
from molcaption.shipped import shipped_path

__all__ = ["Recipe", "dump_recipe", "keep_recipe", "load_recipe", "provenance", "recipe_hash"]

RECIPE = "recipe.yaml"

Location = tuple[str | int, ...]

# The core schema of YAML 1.2: tag, pattern, characters that a match may begin with.
_SCALARS = [
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
     list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
]  # fmt: skip


# The stubs take PyYAML's resolvers, which belong to the class, for an instance's: hence [misc].
class _StrictLoader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}  # type: ignore[misc]

    def construct_yaml_int(self, node: Any) -> int:
        """Decimal, also with leading zeros, which YAML 1.1 reads as octal."""
        return int(self.construct_scalar(node))


class _StrictDumper(yaml.SafeDumper):
    """Quotes exactly what `_StrictLoader` would otherwise not read back as text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}  # type: ignore[misc]


for _tag, _pattern, _first in _SCALARS:
    for _class in (_StrictLoader, _StrictDumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.construct_yaml_int)


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file, or by bare name one that ships (`mini`, `qwen3`).

    `overrides` are `dotted.path=value` texts, values in YAML, applied in order before the recipe
    is checked: `["finetune.lr=1e-4", "data.styles=[chebi20]"]`.

    Raises:
        NoInputError: there is no such file.
        BadRecipeError: one line for every mistake, all at once.
    """
    file = _find(path)
    tree, places, mistakes = _read(file)
    for override in overrides:
        mistakes += _apply(tree, override, places)
    try:
        recipe = Recipe.model_validate(tree)
    except ValidationError as error:
        mistakes += _explain(error, places)
    if mistakes:
        plural = "s" if len(mistakes) > 1 else ""
        listed = "".join(f"\n  {mistake}" for mistake in mistakes)
        raise BadRecipeError(f"{file}: {len(mistakes)} mistake{plural} in the recipe:{listed}")
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """The recipe with every default written out, as YAML that loads back to an equal recipe."""
    values = recipe.model_dump(mode="json")
    return yaml.dump(values, Dumper=_StrictDumper, sort_keys=False, allow_unicode=True, width=100)


def keep_recipe(recipe: Recipe, directory: Path) -> None:
    """Leave the recipe, resolved, beside what a stage has made of it: it can be run again."""
    with atomic_write(directory / RECIPE, "w") as file:
        file.write(dump_recipe(recipe))


def recipe_hash(recipe: Recipe, *sections: str) -> str:
    """sha256 in hex over the resolved recipe, or over some of its `sections` (top-level keys).

    `run_dir` never counts: where a run lies changes nothing about what it makes.
    """
    chosen = set(sections) or set(Recipe.model_fields)
    values = recipe.model_dump(mode="json", include=chosen - {"run_dir"})
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def backbone_path(recipe: Recipe) -> str:
    """Where the backbone of this recipe's stages is: what it names, or what `pretrain` writes."""
    return recipe.backbone.path or str(recipe.run_dir / "backbone")


def provenance(recipe: Recipe) -> dict[str, str]:
    """What every output of a recipe says about its origin."""
    return {
        "version": __version__,
        "recipe_name": recipe.name,
        "recipe_hash": recipe_hash(recipe),
    }


def _find(path: str | Path) -> Path:
    file = Path(path)
    if file.is_file():
        return file
    if file.name == str(path) and not file.suffix:
        shipped = shipped_path(f"recipes/{path}.yaml")
        if shipped is not None:
            return shipped
    what = "is a directory" if file.is_dir() else "does not exist"
    raise NoInputError(f"{path}: {what}; give a recipe file such as recipes/qwen3.yaml")


def _read(file: Path) -> tuple[dict[Any, Any], dict[Location, str], list[str]]:
    """The file's values, where every key stands, and repeated keys as mistakes."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRecipeError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise NoInputError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        loader = _StrictLoader(text)
        root = loader.get_single_node()
        tree = {} if root is None else loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadRecipeError(f"{file}: {_yaml_problem(error)}") from error
    if not isinstance(tree, dict):
        raise BadRecipeError(f"{file}: expected `key: value` lines, got {_show(tree)}")
    places: dict[Location, str] = {}
    mistakes = list(_walk(root, (), places, set())) if root is not None else []
    return tree, places, mistakes


def _yaml_problem(error: Exception) -> str:
    """PyYAML's several lines as one, with the line number first."""
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{where}not YAML: {problem}"


def _walk(
    node: yaml.Node, at: Location, places: dict[Location, str], seen: set[int]
) -> Iterator[str]:
    """Note every key's place; yield a mistake per repeated key. `seen` stops anchors' loops."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[(*at, index)] = f"line {item.start_mark.line + 1}"
            yield from _walk(item, (*at, index), places, seen)
    elif isinstance(node, yaml.MappingNode):
        here: dict[str, str] = {}
        for key, value in node.value:
            inner, line = (*at, key.value), f"line {key.start_mark.line + 1}"
            if key.value in here:
                yield f"{line}: {_dotted(inner)}: given twice, first in {here[key.value]}"
            here.setdefault(key.value, line)
            places[inner] = line
            yield from _walk(value, inner, places, seen)


def _apply(tree: dict[Any, Any], override: str, places: dict[Location, str]) -> list[str]:
    """Set one value in `tree` and note its place; what is wrong with the text, if anything."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        return [f"--set {override}: expected path=value, such as finetune.lr=1e-4"]
    try:
        value = yaml.load(text, _StrictLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return [f"--set {override}: {_yaml_problem(error)}"]
    section: Any = tree
    for depth, key in enumerate(keys[:-1], start=1):
        if section.get(key) is None:
            section[key] = {}
        section = section[key]
        if not isinstance(section, dict):
            return [f"--set {override}: {'.'.join(keys[:depth])} holds no further keys"]
    section[keys[-1]] = value
    places[tuple(keys)] = f"--set {override}"
    return []


def _explain(error: ValidationError, places: dict[Location, str]) -> Iterator[str]:
    """One line per mistake: its place, dotted key, what is wrong, what was probably meant."""
    for item in error.errors(include_url=False, include_context=False):
        at = item["loc"]
        if item["type"] == "default_factory_not_called":
            continue  # run_dir waits for a valid name, whose own mistake is listed
        place = next((places[at[:n]] for n in range(len(at), 0, -1) if at[:n] in places), None)
        parts = [place, _dotted(at), _describe(item["type"], item["msg"], at, item["input"])]
        yield ": ".join(part for part in parts if part)


def _describe(kind: str, message: str, at: Location, got: Any) -> str:
    if kind == "extra_forbidden":
        return _unknown_key(at)
    if kind == "missing":
        return "required, but not given"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind in ("model_type", "model_attributes_type"):
        message = "expected keys of its own"
    wanted = message.replace("Input should be", "expected").replace("a valid integer", "an integer")
    wanted = wanted.replace("valid ", "")
    return f"{wanted}, got {_show(got)}"


def _unknown_key(at: Location) -> str:
    """Point to the nearest key of the same section, else to the section that has the key."""
    section, wrong = at[:-1], str(at[-1])
    fields = [*_fields(Recipe)]
    siblings = [str(place[-1]) for place in fields if place[:-1] == section]
    close = difflib.get_close_matches(wrong, siblings, n=1)
    elsewhere = [_dotted(place) for place in fields if place[-1] == wrong]
    if close:
        return f"unknown key; did you mean {_dotted((*section, close[0]))}?"
    if elsewhere:
        return f"unknown key; did you mean {' or '.join(elsewhere)}?"
    return f"unknown key; known here: {', '.join(siblings)}"


def _fields(model: type[BaseModel], at: Location = ()) -> Iterator[Location]:
    """The place of every key a recipe may have."""
    for name, field in model.model_fields.items():
        yield (*at, name)
        annotation = field.annotation
        for part in (annotation, *typing.get_args(annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _fields(part, (*at, name))


def _dotted(at: Location) -> str:
    return ".".join(str(part) for part in at)


def _show(value: Any) -> str:
    """A value short enough for one line."""
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 60 else f"{text[:57]}..."
