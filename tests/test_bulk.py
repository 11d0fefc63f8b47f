"""Bulk runs: whatever the workers do, the output is that of a run without them."""

import contextlib
import json
import os
import runpy
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from molcaption.caption import caption, survey
from molcaption.errors import BadDataError, CannotWriteError, LockedError, UsageError

ROOT = Path(__file__).parents[1]
HOSTILE = runpy.run_path(str(ROOT / "benchmarks" / "hostile_inputs.py"))
SMILES = "CCO a\nC[C@H](N)C(=O)O b\nnonsense c\nOCC d\nF/C=C/F e\nc1ccccc1 f\nC g\n"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> str:
    """In the place of a model: what is tested here is all the rest."""
    runtime = runpy.run_path(str(ROOT / "benchmarks" / "stub_runtime.py"))["StubRuntime"]
    monkeypatch.setattr("molcaption.engine.captioning.load_runtime", lambda *_, **__: runtime())
    monkeypatch.setattr("molcaption.engine.job.model_hash", lambda _: "stub")
    return "stub"


@pytest.fixture
def smiles(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text(SMILES)
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


@pytest.mark.parametrize("suffix", ["parquet", "sdf"])
def test_workers_change_nothing(stub: str, tmp_path: Path, suffix: str) -> None:
    """Structures that come twice, windows that meet them again, stereo, mol blocks, tags."""
    source = ROOT / "examples" / "drugs.sdf"
    smi = tmp_path / "in.smi"
    smi.write_text(SMILES)
    written = []
    for number, (workers, window) in enumerate([(0, 1024), (1, 3), (2, 1)]):
        out = tmp_path / f"{number}.{suffix}"
        for inputs in ([source], [smi, smi]):
            caption(inputs, out, model=stub, draws=2, workers=workers, window=window,
                    force=True)  # fmt: skip
            written.append(rows(out) if suffix == "parquet" else out.read_text())
    assert written[0::2] == [written[0]] * 3
    assert written[1::2] == [written[1]] * 3


def test_a_structure_is_captioned_once_across_windows(
    smiles: Path, stub: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    made = caption([smiles, smiles], out, model=stub, window=2, workers=1).made
    assert made == 5
    assert len({row["caption"] for row in rows(out) if row["id"] in "ad"}) == 1


def test_who_spins_or_crashes_is_a_reject(stub: str, tmp_path: Path) -> None:
    source, out = tmp_path / "in.smi", tmp_path / "out.parquet"
    records = HOSTILE["hostile_records"]()
    source.write_text(f"{records['spins']} spins\n{records['crashes']} crashes\nCCO fine\n")
    summary = caption([source], out, model=stub, workers=1, molecule_timeout=1.0)
    assert summary.rejected == 2
    errors = {row["id"]: row["error"] for row in rows(out)}
    slow, dead = "took longer than 1 s (--molecule-timeout)", "died twice (SIGSEGV)"
    assert errors["spins"] == slow
    assert errors["crashes"].endswith((slow, dead))  # it depends on the stack which comes first
    assert errors["fine"] is None
    assert survey([source], workers=1, molecule_timeout=1.0).rejected == 2


def lose(smiles: str, *_: Any, **__: Any) -> Any:
    """Stands in for a station at which ethanol never comes through."""
    from molcaption.workers import Lost

    return Lost("gone") if smiles == "CCO" else None


@pytest.mark.parametrize("station", ["look", "decide", "judge"])
def test_a_structure_lost_at_any_station_is_a_reject_wherever_it_occurs(
    smiles: Path, stub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, station: str
) -> None:
    from molcaption.engine import captioning
    from molcaption.engine import rows as rows_module

    module = rows_module if station == "judge" else captioning
    real: Callable[..., Any] = getattr(module, station)

    def lossy(item: Any, *args: Any, **options: Any) -> Any:
        text = item if isinstance(item, str) else item[0]
        if not isinstance(text, str):
            from rdkit import Chem

            text = Chem.MolToSmiles(text)
        return lose(text) or real(item, *args, **options)

    monkeypatch.setattr(module, station, lossy)
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=stub, window=2, workers=0)
    got = {row["id"]: row for row in rows(out)}
    assert {row["id"] for row in rows(out) if row["error"] == "gone"} == {"a", "d"}
    assert (got["a"]["smiles"], got["a"]["caption"]) == ("CCO", None)
    assert got["a"]["validity_status"] == "mol_error"
    assert got["b"]["error"] is None


def test_no_limit_without_a_worker(smiles: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--workers"):
        caption([smiles], tmp_path / "out.jsonl", workers=0, molecule_timeout=1.0)


def test_the_summary_tells_how_long_the_decoder_waited(
    smiles: Path, stub: str, tmp_path: Path
) -> None:
    caption([smiles], tmp_path / "a.jsonl", model=stub, cache=tmp_path / "cache", workers=1)
    caption([smiles], tmp_path / "b.jsonl", model=stub, cache=tmp_path / "cache", workers=1)
    told = [json.loads((tmp_path / f"{n}.jsonl.summary.json").read_text())["idle"] for n in "ab"]
    assert 0 <= told[0] < 1
    assert told[1] is None


@pytest.mark.parametrize("content", [b"precious", b"{}", b'{"records": 6}', b"[" * 100_000])
def test_a_foreign_summary_is_not_written_over(
    smiles: Path, stub: str, tmp_path: Path, content: bytes
) -> None:
    out, summary = tmp_path / "out.jsonl", tmp_path / "out.jsonl.summary.json"
    summary.write_bytes(content)
    with pytest.raises(CannotWriteError, match="in the way"):
        caption([smiles], out, model=stub, workers=0)
    assert summary.read_bytes() == content
    assert not out.exists()
    caption([smiles], out, model=stub, workers=0, force=True)
    assert json.loads(summary.read_text())["records"] == 7
    out.unlink()
    caption([smiles], out, model=stub, workers=0)  # ours may be


def test_a_foreign_store_is_in_the_way(smiles: Path, stub: str, tmp_path: Path) -> None:
    out, store = tmp_path / "out.parquet", tmp_path / "out.parquet.captions"
    caption([smiles], out, model=stub, workers=0)
    database = sqlite3.connect(store)
    database.execute("CREATE TABLE captions (precious)")
    database.close()
    before = store.read_bytes()
    assert caption([smiles], out, model=stub, workers=0).records == 0  # nothing to do
    out.unlink()
    with pytest.raises(CannotWriteError, match="in the way"):
        caption([smiles], out, model=stub, workers=0)
    assert store.read_bytes() == before


def test_a_folder_gets_an_output_for_each_input(
    smiles: Path, stub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, folder = tmp_path / "other one.csv", tmp_path / "new" / "out"
    other.write_text("id,smiles\nx,CCO\n")
    summary = caption([smiles, other], f"{folder}/", model=stub, workers=1)
    assert (summary.records, summary.rejected) == (8, 1)
    assert sorted(path.name for path in folder.iterdir()) == [
        "in.parquet", "in.parquet.summary.json",
        "other one.parquet", "other one.parquet.summary.json",
    ]  # fmt: skip
    caption([smiles], tmp_path / "alone.parquet", model=stub, workers=0)
    assert rows(folder / "in.parquet") == rows(tmp_path / "alone.parquet")
    assert rows(folder / "other one.parquet")[0]["record"] == 0
    with monkeypatch.context() as patch:
        patch.setattr(
            "molcaption.engine.captioning.load_runtime", lambda *_, **__: pytest.fail("loaded")
        )
        assert caption([smiles, other], folder, model=stub).records == 0
    (folder / "in.parquet").unlink()
    assert caption([smiles, other], folder, model=stub, workers=0).records == 7


def test_one_bad_input_does_not_stop_the_others(smiles: Path, stub: str, tmp_path: Path) -> None:
    bad, folder = tmp_path / "bad.parquet", tmp_path / "out"
    bad.write_bytes(b"PAR1 no")
    with pytest.raises(BadDataError, match="1 of 2 inputs failed"):
        caption([bad, smiles], f"{folder}/", model=stub, workers=0)
    assert len(rows(folder / "in.parquet")) == 7


def test_an_output_of_another_run_does_not_stop_the_others(
    smiles: Path, stub: str, tmp_path: Path
) -> None:
    from molcaption.data.lock import locked

    other, folder = tmp_path / "other.smi", tmp_path / "out"
    other.write_text("C")
    folder.mkdir()
    with locked(folder / "in.parquet"), pytest.raises(LockedError, match="1 of 2"):
        caption([smiles, other], folder, model=stub, workers=0)
    assert len(rows(folder / "other.parquet")) == 1


def test_names_that_would_clash_are_refused(smiles: Path, tmp_path: Path) -> None:
    other = tmp_path / "in.csv"
    other.write_text("id,smiles\nx,CCO\n")
    with pytest.raises(UsageError, match=r"in\.smi and .*in\.csv"):
        caption([smiles, other], f"{tmp_path / 'out'}/", workers=0)
    with pytest.raises(UsageError, match="standard input"):
        caption(["-"], f"{tmp_path / 'out'}/", format="smi", workers=0)
    assert not (tmp_path / "out").exists()


SCRIPT = """
import signal
import sys
# A shell without job control hands an ignored SIGINT on to what it starts in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {benchmarks!r})
from stub_runtime import use_stub
from molcaption.cli import main
if __name__ == "__main__":
    use_stub()
    sys.exit(main())
"""


def committed(store: Path) -> int:
    """Captions that a kill would not take back: a file grows before its transaction ends."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM captions").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet, or being written
        return 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
def test_a_signal_ends_everything_and_the_same_command_goes_on(
    stub: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    source, out, script = tmp_path / "in.smi", tmp_path / "out.parquet", tmp_path / "script.py"
    source.write_text("".join(f"{'C' * (1 + i % 40)}{'O' * (i // 40)} {i}\n" for i in range(240)))
    script.write_text(SCRIPT.format(benchmarks=str(ROOT / "benchmarks")))
    command = [sys.executable, str(script), "caption", str(source), "-o", str(out)]
    command += ["--model", stub, "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as run:
        while not committed(tmp_path / "out.parquet.captions"):
            assert run.poll() is None, run.stderr and run.stderr.read()
            time.sleep(0.02)
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    assert run.returncode == code
    assert "Traceback" not in said
    assert not out.exists()
    again = caption([source], out, model=stub, workers=0)
    assert again.made < 240
    caption([source], tmp_path / "whole.parquet", model=stub, workers=0)
    assert rows(out) == rows(tmp_path / "whole.parquet")
