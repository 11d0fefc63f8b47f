"""The command line as a shell sees it: help, exit codes, one line per error, clean streams."""

import errno
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from molcaption import __version__, cli_run, doctor
from molcaption.cli import app
from molcaption.errors import CannotWriteError, LockedError, MissingError, MolcaptionError

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("clean_logging")
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
TREE: Any = typer.main.get_command(app)
GLOBAL_OPTIONS = {"--quiet", "--verbose", "--log-file", "--log-format", "--no-color", "--debug"}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group with the words that reach it."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = dict(commands(TREE))


def examples() -> list[str]:
    """Every `molcaption …` on a help page."""
    lines = [line.strip() for command in ALL.values() for line in (command.help or "").splitlines()]
    return [line for line in lines if line.startswith(("molcaption", "cat"))]


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own, with stdin closed."""
    return subprocess.run(
        [sys.executable, "-m", "molcaption", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def one_error_line(stderr: str) -> str:
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_everywhere(
    path: tuple[str, ...], flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli_run.run(app, [*path, flag]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: molcaption")
    assert not err
    assert "\x1b" not in out
    if not hasattr(ALL[path], "commands") or not path:
        assert out.index("Examples:") < out.index("Options:")


@pytest.mark.parametrize("path", [p for p, c in ALL.items() if not hasattr(c, "commands")])
def test_global_options_are_the_same_everywhere(path: tuple[str, ...]) -> None:
    def shared(command: Any) -> dict[str, tuple[Any, ...]]:
        every = {option: p for p in command.params for option in p.opts}
        return {o: (tuple(every[o].opts), every[o].help) for o in GLOBAL_OPTIONS}

    assert shared(ALL[path]) == shared(TREE)


def test_options_stand_under_headings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_run.run(app, ["caption", "-h"]) == 0
    out = capsys.readouterr().out
    sections = {part.split(":\n")[0]: part for part in out.split("\n\n") if ":\n" in part}
    assert list(sections)[-7:] == ["Arguments", "Options", "Input", "Captions", "More output",
                                   "Speed", "Every command"]  # fmt: skip
    assert "--id-column" in sections["Input"] and "--output" in sections["Options"]
    assert "--quiet" in sections["Every command"] and "--help" in sections["Every command"]
    for parameter in ALL[("caption",)].params:  # none is lost between the headings
        assert parameter.param_type_name == "argument" or f"{parameter.opts[0]} " in out


def parse(command: Any, name: str, arguments: list[str], parent: Any = None) -> None:
    context = command.make_context(name, arguments, parent=parent)
    if hasattr(command, "commands"):
        name, child, rest = command.resolve_command(context, context._protected_args + context.args)
        parse(child, name, rest, context)


@pytest.mark.parametrize("line", examples())
def test_examples_parse(line: str) -> None:
    command = line.rpartition("| ")[2].partition(" > ")[0]
    parse(TREE, "molcaption", shlex.split(command)[1:])


def documented() -> list[str]:
    """Every command line that documents, recipes and the Dockerfile show, and samples for cron."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    files = [ROOT / "Dockerfile", *sorted((ROOT / "recipes").glob("*.yaml"))]
    blocks = [block for page in pages for block in BLOCK.findall(page.read_text("utf-8"))]
    shown = "\n".join([*blocks, *(file.read_text("utf-8") for file in files)])
    return re.findall(r"\bmolcaption ((?!import\b)[a-z][^|>&\n]*)", shown.replace("\\\n", " "))


@pytest.mark.parametrize("line", dict.fromkeys(documented()))
def test_documented_commands_parse(line: str) -> None:
    parse(TREE, "molcaption", shlex.split(line, comments=True))


def test_samples_for_cron_hold_no_bare_percent_sign() -> None:
    """Cron ends a command at one, and gives it the rest as its input (crontab(5))."""
    cron = re.findall(r"```cron\n(.*?)```", (ROOT / "docs" / "bulk.md").read_text("utf-8"), re.S)
    assert cron and not any(re.search(r"(?<!\\)%", sample) for sample in cron)


def test_no_arguments_shows_short_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_run.run(app, []) == 0
    out, err = capsys.readouterr()
    assert out.count("\n  molcaption ") == 2
    assert len(out.splitlines()) < 10
    assert not err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_run.run(app, ["--version"]) == 0
    assert capsys.readouterr().out == f"molcaption {__version__}\n"


def test_help_is_quick() -> None:
    def seconds() -> float:
        """CPU time of the process, which other work on the machine does not lengthen."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert shell("-h").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ("captoin x", 2, "Did you mean 'caption'? See `molcaption --help`."),
        (
            "caption --max-reject 2 x",
            2,
            "Did you mean --max-rejects? See `molcaption caption --help`.",
        ),
        ("caption", 2, "Missing argument 'INPUT...'"),
        ("merge runs/x", 2, "Missing option '--output' / '-o'"),
        ("recipe", 2, "Missing command"),
        ("export m -o x --weights int3", 2, "'int3' is not one of"),
        ("caption x -o y --limit 0", 2, "should be greater than or equal to 1"),
        ("recipe show no-such-recipe", 66, "no-such-recipe: does not exist"),
        ("finetune no-such-recipe", 66, "no-such-recipe: does not exist"),
        ("recipe check pyproject.toml", 78, "pyproject.toml: line"),
        ("recipe show qwen3 --log-file /nowhere/x.log", 73, "/nowhere/x.log: cannot write the log"),
    ],
)
def test_errors_are_one_line(
    arguments: str, code: int, expected: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(ROOT)
    assert cli_run.run(app, arguments.split()) == code
    out, err = capsys.readouterr()
    assert not out
    assert expected in one_error_line(err)


def raising(error: BaseException) -> typer.Typer:
    small = typer.Typer(rich_markup_mode=None)

    @small.command()
    def command(debug: bool = False) -> None:
        raise error

    return small


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (LockedError("out: held"), 75, "error: out: held\n"),
        (MissingError("no model"), 69, "error: no model\n"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 69,
         "error: torch is not installed; this needs pip install 'molcaption[train]'\n"),
        (OSError(errno.ENOSPC, "No space left on device", "o.parquet"), 73,
         "error: o.parquet: No space left on device\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (SystemExit(143), 143, ""),
        (ValueError("two\nlines"), 1,
         "error: ValueError: two lines; this is a bug: --debug shows the traceback to report with "
         "it\n"),
    ],
)  # fmt: skip
def test_every_end_has_its_code(
    error: BaseException, code: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli_run.run(raising(error), []) == code
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("error", [ValueError("x"), CannotWriteError("x")])
def test_debug_shows_the_traceback(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    cli_run.run(raising(error), ["--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_exit_codes_are_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    for kind in MolcaptionError.__subclasses__():
        assert f"| {kind.exit_code} |" in readme


def test_sigterm_unwinds_and_exits_143(tmp_path: Path) -> None:
    script = f"""
import sys, time, typer
from pathlib import Path
from molcaption.cli_run import run
app = typer.Typer()
@app.command()
def wait() -> None:
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        Path({str(tmp_path / "cleaned")!r}).touch()
sys.exit(run(app, []))
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert err == "error: terminated\n"
    assert (tmp_path / "cleaned").exists()


def test_reader_that_leaves_early_is_no_error() -> None:
    show = f"{shlex.quote(sys.executable)} -m molcaption recipe show qwen3"
    done = subprocess.run(
        ["bash", "-c", f"{show} | sleep 0; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() in ("0", "141")  # which one is a race
    assert not done.stderr


@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}]
)
def test_no_escape_sequences(environment: dict[str, str]) -> None:
    for arguments in (["-h"], ["nothing"], ["recipe", "check", "qwen3"]):
        done = shell(*arguments, **environment)
        assert done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_stdout_is_data_only() -> None:
    done = shell("recipe", "show", "qwen3", "-v", HOME="")
    assert done.returncode == 0
    assert done.stdout.startswith("name: qwen3\n")
    done = shell("recipe", "check", "qwen3", "--set", "data.root=/nowhere")
    assert not done.stdout
    assert "fine, hash" in done.stderr
    assert "data not found from here: /nowhere/" in done.stderr


def test_global_options_before_and_after_the_verb() -> None:
    for arguments in (["-q", "recipe", "check", "qwen3"], ["recipe", "check", "qwen3", "-q"]):
        assert "fine" not in shell(*arguments).stderr
    done = shell("--log-format", "json", "recipe", "check", "qwen3", "-v")
    assert json.loads(done.stderr.splitlines()[-1])["level"] == "info"


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[bool], None]:
    def ship(present: bool) -> None:
        monkeypatch.setattr(
            doctor, "shipped_path", lambda name: tmp_path / name if present else None
        )

    return ship


def test_doctor_fails_without_what_is_needed(
    shipped: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    shipped(True)
    assert cli_run.run(app, ["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"]
    found = {finding["name"]: finding for finding in report["findings"]}
    assert found["pyarrow"]["found"] == version("pyarrow")
    assert "CPUExecutionProvider" in found["onnxruntime providers"]["found"]
    assert found["NF4"]["ok"]
    assert int(found["batch size"]["found"].partition(":")[0]) > 0
    shipped(False)
    assert cli_run.run(app, ["doctor"]) == 69
    out, err = capsys.readouterr()
    assert "FAILED  default model" in out
    assert one_error_line(err) == "error: needed, but not in order: default model"


def test_doctor_tells_what_of_4_bits_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(device: str) -> float:
        raise RuntimeError(f"no kernel image\nfor {device}")

    monkeypatch.setattr("molcaption.nn.backbone.nf4_error", broken)
    finding = next(f for f in doctor.examine(Path.cwd()) if f.name == "NF4")
    assert (finding.ok, finding.needed) == (False, False)
    assert finding.found.startswith("RuntimeError: no kernel image for c")


@pytest.mark.parametrize(
    ("gibibytes", "rows"), [(0.5, 0), (1.0, 0), (2, 8), (8, 64), (24, 128), (80, 256)]
)
def test_doctor_recommends_a_batch_that_fits(gibibytes: float, rows: int) -> None:
    assert doctor.batch_size_for(int(gibibytes * 2**30)) == rows


def test_doctor_tells_of_two_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0")
    clash = next(f for f in doctor.examine(Path.cwd()) if f.name == "runtime clash")
    assert clash.ok is False
    assert "pip uninstall onnxruntime onnxruntime-gpu" in clash.advice


def test_doctor_sees_an_output_folder_that_cannot_be_written() -> None:
    finding = next(f for f in doctor.examine(Path("/proc")) if f.name == "output folder")
    assert finding.ok is False
