"""Imports go one way, and light modules stay light (DESIGN: cli -> verbs -> … -> errors, log)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "molcaption"
VERBS = {"pretrain", "align", "finetune", "merge", "export", "caption", "score", "baseline",
         "doctor", "check", "lexicon", "show", "reporting"}  # fmt: skip
LAYERS = [
    {"errors", "log", "processes", "shipped", "worker_process", "workers"},
    {"chem", "claims"},
    {"data"},
    {"nn"},
    {"engine", "metrics", "report"},
    {"recipe_schema", "recipe", "api"},
    VERBS,
    {"cli_options", "cli_run", "cli_train", "cli_score", "cli_inspect", "cli", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ["torch", "transformers", "peft", "accelerate", "torch_geometric", "bitsandbytes"]


@cache
def nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text("utf-8"))))


def imported(file: Path) -> Iterator[str]:
    """Full names of every module imported anywhere in a file, inside functions too."""
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str) -> str | None:
    """`chem` of `molcaption.chem.graph`; None for other packages and for the root alone."""
    pieces = name.split(".")
    return pieces[1] if pieces[0] == "molcaption" and len(pieces) > 1 else None


def owner(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_down(file: Path) -> None:
    here = owner(file)
    if here == "__init__":  # names the API for type checkers, and imports it when it is asked for
        assert {part(name) for name in imported(file)} <= {"api", None}
        return
    assert here in RANK, f"{here} has no layer: give it one in LAYERS"
    targets = {part(name) for name in imported(file)} - {None, "__version__", here}
    for target in targets:
        assert RANK[target] <= RANK[here], f"{file}: {here} must not import {target}"
    assert here not in VERBS or not targets & VERBS, f"{file}: a verb imports a verb"


def users_of(package: str) -> set[str]:
    return {
        str(file.relative_to(PACKAGE))
        for file in FILES
        if any(name.split(".")[0] == package for name in imported(file))
    }


def test_only_one_module_knows_peft_and_bitsandbytes() -> None:
    assert users_of("peft") | users_of("bitsandbytes") <= {"nn/backbone.py"}


def test_only_the_writing_of_files_renames_them() -> None:
    renames = {
        str(file.relative_to(PACKAGE))
        for file in FILES
        for node in nodes(file)
        if isinstance(node, ast.Attribute)
        and (
            node.attr == "rename" or (node.attr == "replace" and ast.unparse(node) == "os.replace")
        )
    }
    assert renames <= {"data/atomic.py", "data/folders.py"}


def test_only_one_module_parses_smiles() -> None:
    parsers = {
        str(file.relative_to(PACKAGE))
        for file in FILES
        if "MolFromSmiles" in file.read_text("utf-8")
    }
    assert parsers <= {"chem/molecule.py"}


def test_no_drawer_for_odds_and_ends() -> None:
    names = {file.stem for file in FILES}
    assert not names & {"utils", "util", "helpers", "common", "misc"}


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PACKAGE.parent, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return {name.split(".")[0] for name in done.stdout.split()}


LIGHT_PARTS = {"errors", "log", "shipped", "recipe", "recipe_schema", "chem", "claims", "metrics",
               "caption", "score", "baseline", "doctor", "check", "lexicon", "report", "show",
               "reporting", "api"}  # fmt: skip
LIGHT_FOLDERS = ("data/readers", "data/writers", "data/prompt.py", "engine/runtimes/onnx.py")


def light() -> list[str]:
    """Names of the modules that captioning and scoring on a laptop go through."""
    files = [
        file
        for file in FILES
        if owner(file) in LIGHT_PARTS or str(file.relative_to(PACKAGE)).startswith(LIGHT_FOLDERS)
    ]
    modules = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    return [module.removesuffix(".__init__") for module in modules]


def test_light_modules_import_nothing_heavy() -> None:
    loaded = loaded_by("\n".join(f"import {name}" for name in light()))
    assert "rdkit" in loaded  # the look at sys.modules works
    assert not loaded & set(HEAVY)


def test_the_package_imports_nothing_until_it_is_used() -> None:
    assert not loaded_by("import molcaption") & {*HEAVY, "rdkit", "numpy", "typer", "pyarrow"}
    assert "rdkit" in loaded_by("from molcaption import Captioner")


def test_the_command_line_imports_almost_nothing() -> None:
    loaded = loaded_by("import molcaption.cli")
    assert "typer" in loaded
    assert not loaded & {*HEAVY, "rdkit", "numpy", "pyarrow", "onnxruntime", "pydantic", "rich"}
