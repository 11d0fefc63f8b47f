"""Options that more than one command takes: they are spelt and mean the same everywhere.

The global options stand before or after a command's name (`molcaption -q caption`, `molcaption
caption -q`), so they are added to every command's signature, from which Typer builds its options.
"""

import functools
import inspect
import os
import signal
import sys
import typing
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from molcaption import log
from molcaption.errors import UsageError

# Examples keep their lines, and help stays plain text: no boxes, no colours, quick to import.
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

# Headings under which help lists options, in this order.
INPUT, CAPTIONS, MORE_OUTPUT, SPEED = "Input", "Captions", "More output", "Speed"
_EVERY_COMMAND = "Every command"
_HEADINGS = ("Arguments", "Options", INPUT, CAPTIONS, MORE_OUTPUT, SPEED, _EVERY_COMMAND)

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change one value of the recipe; repeatable."),
]
RecipeFile = Annotated[
    str, typer.Argument(metavar="RECIPE", help="Recipe file, or the name of one that ships.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over what another command left there.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget an earlier run and start again.")]
SmilesColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Column of SMILES, if the usual names fail.", rich_help_panel=INPUT
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Column of ids, if the usual names fail.", rich_help_panel=INPUT
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=".parquet .jsonl .csv .tsv .sdf by suffix; - writes stdout.",
    ),
]
CaptionOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|DIR/",
        help=".parquet .jsonl .csv .tsv .sdf by suffix; - writes stdout; DIR/ gets a Parquet file "
        "for each input. A SMILES needs none.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Format of the input, if not by its suffix.", rich_help_panel=INPUT
    ),
]
Lexicon = Annotated[
    str | None, typer.Option(metavar="FILE", help="Concepts to add to those that ship.")
]
MaxNewTokens = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Longest caption in tokens; the model's own by default.",
        rich_help_panel=CAPTIONS,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Read this many records only.", rich_help_panel=INPUT),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line names columns; by default that of a table does, that of a "
        "SMILES file does not.",
        rich_help_panel=INPUT,
    ),
]


class Engine(StrEnum):
    """What runs a captioning job."""

    local = "local"
    ray = "ray"


class LogFormat(StrEnum):
    """Forms of what is said on stderr."""

    text = "text"
    json = "json"


def global_options(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings and errors only.")] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="More detail; -vv for most.")
    ] = 0,
    log_file: Annotated[
        Path | None, typer.Option(help="Append what is said to this file too.", metavar="FILE")
    ] = None,
    log_format: Annotated[
        LogFormat | None, typer.Option(help="Form of what is said: text (default) or json.")
    ] = None,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours or bars, as with NO_COLOR=1.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Apply the options that every command takes, before or after the command's name."""
    given = ctx.find_root().ensure_object(dict)
    given["quiet"] = quiet or given.get("quiet", False)
    given["verbose"] = verbose or given.get("verbose", 0)
    given["log_file"] = log_file or given.get("log_file")
    given["log_format"] = log_format or given.get("log_format", LogFormat.text)
    given["debug"] = debug or given.get("debug", False)
    if no_color:
        os.environ["NO_COLOR"] = "1"
    log.configure(**given)


def with_global_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes its own options and then the global ones."""
    shared = list(inspect.signature(global_options).parameters.values())
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.name != "ctx"
    ]
    passes_context = "ctx" in inspect.signature(command).parameters

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        global_options(**{parameter.name: values.pop(parameter.name) for parameter in shared[1:]},
                       ctx=values["ctx"])  # fmt: skip
        if not passes_context:
            del values["ctx"]
        try:
            command(**values)
            sys.stdout.flush()
        except BrokenPipeError as error:
            # whoever read stdout has gone; Python would complain once more when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(128 + signal.SIGPIPE) from error

    # Typer reads signature and annotations, which `wraps` has copied from the command alone
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [parameter.replace(kind=keyword) for parameter in [*own, *shared]]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    hints = typing.get_type_hints(command, include_extras=True)
    wrapper.__annotations__ = {
        **typing.get_type_hints(global_options, include_extras=True),
        **hints,
    }
    del wrapper.__wrapped__  # type: ignore[attr-defined]
    return wrapper


def refuse_others(ctx: typer.Context, fitting: Collection[str], reason: str) -> None:
    """Refuse options that would be ignored here: what a user asks for is done or refused.

    Args:
        fitting: parameters of the command that may be given; the global options always may.

    Raises:
        UsageError: another one was given.
    """
    allowed = {*fitting, *inspect.signature(global_options).parameters}
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(str(parameter.name))
        is_given = source is not None and source.name == "COMMANDLINE"
        if is_given and parameter.name not in allowed:
            raise UsageError(f"{parameter.opts[0]} {reason}")


class GroupedCommand(TyperCommand):
    """A command whose help lists its options under the headings that they name.

    Typer itself heeds them only where it draws boxes, and help is plain text here (see `CONTEXT`).
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write every heading that has an option; the global options name none."""
        shared = inspect.signature(global_options).parameters
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
        for parameter in self.get_params(ctx):
            heading = getattr(parameter, "rich_help_panel", None) or "Options"
            if parameter.param_type_name == "argument":
                heading = "Arguments"
            elif parameter.name == "help" or parameter.name in shared:
                heading = _EVERY_COMMAND
            if record := parameter.get_help_record(ctx):
                groups[heading].append(record)
        for heading, records in groups.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def new_group() -> typer.Typer:
    """A group of commands."""
    return typer.Typer(context_settings=CONTEXT, rich_markup_mode=None)


def command(group: typer.Typer, name: str) -> Callable[[Callable[..., None]], None]:
    """Register a function as a command of `group`, with the global options added."""

    def register(function: Callable[..., None]) -> None:
        group.command(name, cls=GroupedCommand)(with_global_options(function))

    return register
