"""The documents that follow from the code, and the tour: run as it is written."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from molcaption import __version__
from molcaption.shipped import DEFAULT_MODEL, shipped_path

ROOT = Path(__file__).parents[1]
TOUR = (ROOT / "docs" / "tour.md").read_text("utf-8")
BLOCKS = re.findall(r"```(bash|python|text)\n(.*?)```", TOUR, re.DOTALL)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_tour_runs_word_for_word(checkout: Path) -> None:
    if shipped_path(f"{DEFAULT_MODEL}/manifest.json") is None:
        pytest.skip("no captioner ships with this checkout")
    environment = {**os.environ, "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
                   "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}  # fmt: skip
    said = ""
    assert {kind for kind, _ in BLOCKS} == {"bash", "python", "text"}
    for kind, block in BLOCKS:
        if kind == "text":  # what the command before it prints
            assert block.strip() in said.splitlines()
            continue
        if block.startswith("pip install "):  # what is tested is installed already
            continue
        program = ["bash", "-euo", "pipefail"] if kind == "bash" else [sys.executable]
        done = subprocess.run(
            [*program, "-c", block], cwd=checkout, env=environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, block + done.stderr
        said = done.stdout
    assert "<svg" in (checkout / "drugs.html").read_text("utf-8")


def test_the_page_of_options_is_that_of_the_commands() -> None:
    path = ROOT / "docs" / "make_options.py"
    spec = importlib.util.spec_from_file_location("make_options", path)
    assert spec is not None and spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert (ROOT / "docs" / "options.md").read_text("utf-8") == maker.page(), (
        "python docs/make_options.py > docs/options.md"
    )


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_links_of_documents_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_every_test_that_the_checklist_names_is_there() -> None:
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs" / "checklist.md").read_text("utf-8"),
                      re.MULTILINE)  # fmt: skip
    assert [int(number) for number, _ in rows] == list(range(1, 51))
    for number, row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named or "**gap**" in row, f"row {number} names neither a test nor a gap"
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_version_and_licence_are_said_once() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version: {__version__}\n" in citation and "license: Apache-2.0\n" in citation
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    words = {
        "COMP_WORDS": "molcaption cap",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "molcaption cap",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [sys.executable, "-m", "molcaption"], cwd=ROOT, text=True, capture_output=True,
        env={**os.environ, **words, "_MOLCAPTION_COMPLETE": f"complete_{shell}"},
        timeout=120, check=True,
    )  # fmt: skip
    assert "caption" in done.stdout and "export" not in done.stdout
