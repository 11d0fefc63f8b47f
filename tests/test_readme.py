"""What the README and the recipes tell people to type works."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from molcaption.shipped import DEFAULT_MODEL, shipped_path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MARKED = re.compile(r"<!-- run -->\n```bash\n(.*?)```", re.DOTALL)
PAGES = [README, *(page.read_text("utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [block for page in PAGES for block in MARKED.findall(page)]
RUN = [line for block in BLOCKS for line in block.splitlines() if line]


@pytest.mark.parametrize("line", RUN)
def test_marked_commands_run(line: str, checkout: Path) -> None:
    command = re.sub(r"^pip install \S+ && ", "", line)  # what is tested is installed already
    assert command.startswith("molcaption ")
    if (
        command.startswith("molcaption caption")
        and shipped_path(f"{DEFAULT_MODEL}/manifest.json") is None
    ):
        pytest.skip("no captioner ships with this checkout")
    environment = {
        **os.environ,
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=checkout, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    output = re.search(r" -o (\S+)", command)
    if output:
        assert (checkout / output[1]).stat().st_size > 0


def test_the_two_commands_are_there() -> None:
    assert "pip install . && molcaption caption examples/drugs.sdf -o out.parquet" in RUN
    assert "<!-- test-command -->\n```bash\npip install '.[train,test]' && pytest\n```" in README


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
