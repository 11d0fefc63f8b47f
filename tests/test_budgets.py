"""Files and functions stay small, documented and typed: a budget holds only if a test counts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "molcaption"
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE, MAX_BODY = 300, 50
MIN_DOCUMENTED = 0.9

# Longer for a reason: path or path::function -> the reason.
EXCEPTIONS: dict[str, str] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text("utf-8")))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def public(file: Path) -> Iterator[tuple[str, bool]]:
    """(name, has a docstring) of the module and of its public classes, functions and methods."""
    tree = ast.parse(file.read_text("utf-8"))
    yield name_of(file), ast.get_docstring(tree) is not None
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield f"{name_of(file)}::{node.name}", ast.get_docstring(node) is not None
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    where = f"{name_of(file)}::{node.name}.{method.name}"
                    yield where, ast.get_docstring(method) is not None


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_sizes(file: Path) -> None:
    long = {}
    if name_of(file) not in EXCEPTIONS:
        long[name_of(file)] = len(file.read_text("utf-8").splitlines())
    assert all(lines <= MAX_FILE for lines in long.values()), long
    bodies = {
        f"{name_of(file)}::{node.name}": body_lines(node)
        for node in nodes(file)
        if isinstance(node, Function)
    }
    over = {k: n for k, n in bodies.items() if n > MAX_BODY and k not in EXCEPTIONS}
    assert not over


def test_exceptions_are_still_needed() -> None:
    for where in EXCEPTIONS:
        file, _, function = where.partition("::")
        sizes = [
            body_lines(node)
            for node in nodes(PACKAGE / file)
            if isinstance(node, Function) and node.name == function
        ]
        if not function:
            assert len((PACKAGE / file).read_text("utf-8").splitlines()) > MAX_FILE, where
        else:
            assert max(sizes) > MAX_BODY, where


def test_public_names_are_documented() -> None:
    documented = [entry for file in FILES for entry in public(file)]
    bare = [name for name, has_docstring in documented if not has_docstring]
    assert 1 - len(bare) / len(documented) >= MIN_DOCUMENTED, bare


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_everything_is_typed(file: Path) -> None:
    untyped = []
    for node in nodes(file):
        if not isinstance(node, Function):
            continue
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
        bare = [a.arg for a in every if a.annotation is None and a.arg not in ("self", "cls")]
        untyped += [f"{node.name}({argument})" for argument in bare]
        if node.returns is None:
            untyped.append(f"{node.name} ->")
    assert not untyped
