"""Every script behind a number of docs/bulk.md runs, and tells the truth, on small input."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.smi"
    path.write_text("".join(f"{'C' * (1 + i)}O {i}\n" for i in range(40)))
    return path


def run(script: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def report(script: str, *arguments: object, cwd: Path) -> Any:
    done = run(script, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bulk_memory(tmp_path: Path) -> None:
    told = report("bulk_memory.py", "--records", 20, 40, cwd=tmp_path)
    assert [one["records"] for one in told["runs"]] == [20, 40]
    assert all(0 < one["main_peak_mb"] <= one["all_peak_mb"] for one in told["runs"])


def test_preparation_speed(library: Path, tmp_path: Path) -> None:
    captions = ROOT / "examples" / "references.tsv"
    told = report("preparation_speed.py", library, "--captions", captions, "--limit", 5,
                  cwd=tmp_path)  # fmt: skip
    assert told["records"] == 5
    speeds = told["records_per_second_and_core"]
    assert speeds["parse, graph, claims"] > speeds["all but features"] > speeds["all"] > 0


def test_worker_counts(library: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (told,) = report("worker_counts.py", library, "--model", tiny_bundle, "--limit", 8,
                     "--workers", 1, "--threads", 1, cwd=tmp_path)  # fmt: skip
    assert told["rate"] > 0
    assert 0 <= told["idle"] < 1


def test_nightly_rerun(library: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    told = report("nightly_rerun.py", library, "--model", tiny_bundle, "--first", 8, "--new", 3,
                  cwd=tmp_path)  # fmt: skip
    assert (told["first"]["made"], told["second"]["made"]) == (8, 3)
    assert told["second"]["records"] == 11


def test_kill_resume(library: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    done = run("kill_resume.py", library, "--model", tiny_bundle, "--limit", 30, "--kills", 1,
               cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("1 of 1 equal\n")


def test_fuzz_inputs(tmp_path: Path) -> None:
    told = report("fuzz_inputs.py", "-n", 12, "--seed", 1, "--no-hostile", cwd=tmp_path)
    assert (told["files"], told["failed"]) == (12, [])
