"""Writes docs/options.md, the table of every command's options, from the commands themselves.

python docs/make_options.py > docs/options.md
"""

import sys
from collections.abc import Iterator
from typing import Any

import typer

from molcaption.cli import app
from molcaption.cli_options import global_options

_HEAD = """\
# Commands and options

Made by `python docs/make_options.py > docs/options.md`; a test compares it with the commands.
"""


def page() -> str:
    """The page as text."""
    tree: Any = typer.main.get_command(app)
    shared = set(global_options.__annotations__)
    parts = [_HEAD, "## Options of every command\n", *_table(tree, lambda name: name in shared)]
    for path, command in _commands(tree, "molcaption"):
        parts += [f"\n## {path}\n", *_about(command), *_table(command, lambda n: n not in shared)]
    return "\n".join(parts) + "\n"


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _about(command: Any) -> list[str]:
    """What it does and its examples, as its help says."""
    said, _, examples = command.help.partition("\b\nExamples:\n")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    return [" ".join(said.split()), "", "```bash", *lines, "```", ""]


def _table(command: Any, chosen: Any) -> list[str]:
    rows = [_row(p) for p in command.params if chosen(p.name) and not getattr(p, "hidden", False)]
    return ["| | | default |", "|---|---|---|", *rows] if rows else []


def _row(parameter: Any) -> str:
    names = [f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts)]
    if parameter.param_type_name == "argument":
        names = [f"`{parameter.metavar or parameter.name.upper()}`"]
    elif value := parameter.metavar or "|".join(_choices(parameter)):
        names[-1] = names[-1][:-1] + f" {value}`"
    cells = (", ".join(names), parameter.help or "", _default(parameter))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _choices(parameter: Any) -> list[str]:
    return [str(choice.value) for choice in parameter.type_descriptor.choices or ()]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value is None or value is False or value == "":
        return ""
    if value is True:
        return f"`{parameter.opts[0]}`"
    return f"`{getattr(value, 'value', value)}`"


if __name__ == "__main__":
    sys.stdout.write(page())
