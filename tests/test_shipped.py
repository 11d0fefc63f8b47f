"""Where a captioner is found: in a folder, in the hub's cache, or nowhere, in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest

from molcaption import Captioner
from molcaption.errors import MissingError
from molcaption.shipped import is_hub_name, model_path

SAY = """from molcaption import Captioner
print(Captioner.from_pretrained("org/tiny", threads=1).caption("CCO"))"""


def offline(cache: Path, *code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *code], cwd=cache, capture_output=True, text=True, check=False,
        timeout=300,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache),
             "PYTHONPATH": f"{Path(__file__).parents[1]}:{os.environ.get('PYTHONPATH', '')}"},
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["tiny_bundle", "tiny_model"])
def test_from_the_cache_of_the_hub(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    directory: Path = request.getfixturevalue(kind)
    repository = tmp_path / "models--org--tiny"
    shutil.copytree(directory, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    done = offline(tmp_path, "-c", SAY)
    assert done.returncode == 0, done.stderr
    # One thread on both sides: under torch the last digits of a confidence depend on their number.
    here = Captioner.from_pretrained(directory, threads=1)
    assert done.stdout.strip() == str(here.caption("CCO"))


def test_offline_and_not_in_the_cache(tmp_path: Path) -> None:
    done = offline(tmp_path, "-m", "molcaption", "caption", "CCO", "-m", "org/tiny", "-q")
    assert done.returncode == 69 and not done.stdout
    assert done.stderr == (
        "error: model org/tiny: no such folder, and not to be had from the Hugging Face hub: "
        "HF_HUB_OFFLINE is set and it is not in the hub's cache; give a folder made by "
        "`molcaption merge` or `molcaption export`\n"
    )


def test_only_what_a_captioner_needs_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def fetch(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.chdir(tmp_path)
    assert model_path("org/tiny") == tmp_path
    ((name, patterns),) = asked
    assert name == "org/tiny" and not {"*.bin", "*.pt", "*"} & set(patterns)


def test_no_network_for_a_mistyped_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for path in ("models/qwem", "./org/name", "/org/name", "org/name/more", "org", "../name"):
        assert not is_hub_name(path)
        with pytest.raises(MissingError, match="is no directory"):
            Captioner.from_pretrained(path)
