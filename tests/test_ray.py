"""The Ray engine: the rows are those of a run on one machine, whatever dies.

Most tests run the pipeline's stations in this process, in Ray's place. Those that start Ray skip
where it is not installed.
"""

import contextlib
import gzip
import json
import os
import pickle
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molcaption.caption import caption
from molcaption.engine import ray as engine
from molcaption.engine.ray import Plan
from molcaption.errors import (
    BadDataError,
    CannotWriteError,
    LockedError,
    MissingError,
    UsageError,
)

ROOT = Path(__file__).parents[1]
SMILES = "CCO a\nC[C@H](N)C(=O)O b\nnonsense c\nOCC d\nF/C=C/F e\nc1ccccc1 f\nC g\n"


class InProcess:
    """What `_pipeline` gives, without Ray; the plan travels as it would."""

    def __init__(self, plan: Plan) -> None:
        self.plan = pickle.loads(pickle.dumps(plan))

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        actor = engine._Captioner(self.plan)
        for sent in engine._read(pa.table({"item": [0]}), self.plan):
            yield from actor(sent).to_pylist()


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> str:
    """In the place of a model and of Ray: what is tested is all between them."""
    runtime = runpy.run_path(str(ROOT / "benchmarks" / "stub_runtime.py"))["StubRuntime"]
    monkeypatch.setattr("molcaption.engine.captioning.load_runtime", lambda *_, **__: runtime())
    monkeypatch.setattr("molcaption.engine.job.model_hash", lambda _: "stub")
    monkeypatch.setattr(engine, "find_spec", lambda _: True)
    monkeypatch.setattr(engine, "connected", contextlib.nullcontext)
    monkeypatch.setattr(engine, "_pipeline", InProcess)
    return "stub"


@pytest.fixture
def smiles(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text(SMILES)
    return path


def on_ray(inputs: list[Path], folder: Path, **options: Any) -> Any:
    return caption(inputs, f"{folder}/", engine="ray", workers=0, **{"window": 3, **options})


def alone(inputs: list[Path], output: Path, **options: Any) -> pa.Table:
    caption(inputs, output, workers=0, **{"window": 3, **options})
    return pq.read_table(output)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_parts_hold_the_table_of_a_run_on_one_machine(
    stub: str, smiles: Path, tmp_path: Path
) -> None:
    inputs = [smiles, ROOT / "examples" / "drugs.sdf", smiles]
    for number, options in enumerate([{}, {"draws": 2, "limit": 17}, {"shard": "2/3"}]):
        folder, out = tmp_path / f"parts{number}", tmp_path / f"{number}.parquet"
        summary = on_ray(inputs, folder, model=stub, **options)
        expected = alone(inputs, out, model=stub, **options)
        assert pq.read_table(folder).equals(expected)
        assert len(parts(folder)) == -(-len(expected) // 3)
        told = [json.loads(Path(f"{name}.summary.json").read_text()) for name in (folder, out)]
        same = ["records", "rejected", "refuted", "rejects", "model", "lexicon", "inputs"]
        assert [told[0][name] for name in same] == [told[1][name] for name in same]
        assert summary.records == len(expected)


OWN_COLUMNS = {
    "filled late": [{"x": None}] * 4 + [{"x": 1.5}],
    "only sometimes there": [{"x": 1}, {}, {}, {"y": "a"}, {"y": None}],
    "wider later": [{"x": 1}, {"x": 2}, {"x": None}, {"x": 2.5}],
    "of all kinds": [{"x": 1}, {"x": [1]}, {"x": "a"}, {"x": {"b": 2}}, {"x": True}],
    "always empty": [{"x": None}] * 5,
}


@pytest.mark.parametrize("kind", OWN_COLUMNS)
def test_the_parts_have_one_schema(stub: str, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "in.jsonl"
    lines = [json.dumps({"smiles": "C", **own}) for own in OWN_COLUMNS[kind]]
    source.write_text("\n".join(lines))
    folder = tmp_path / "parts"
    on_ray([source], folder, model=stub, window=2)
    expected = alone([source], tmp_path / "alone.parquet", model=stub, window=2)
    assert pq.read_table(folder).equals(expected)
    schemas = [pq.read_schema(folder / name) for name in parts(folder)]
    assert all(schema.equals(expected.schema) for schema in schemas)


def test_a_chosen_column_may_be_missing_in_a_later_part(stub: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"smiles": "C", "x": "a"}\n{"smiles": "N"}\n{"smiles": "O", "y": 1}\n')
    options: dict[str, Any] = {"model": stub, "window": 1, "columns": "record:n,x,caption"}
    on_ray([source], tmp_path / "parts", **options)
    expected = alone([source], tmp_path / "alone.parquet", **options)
    assert pq.read_table(tmp_path / "parts").equals(expected)
    with pytest.raises(UsageError, match="no column 'y'"):
        on_ray([source], tmp_path / "others", **{**options, "columns": "y"})


def test_only_what_is_missing_is_made(
    stub: str, smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parts"
    on_ray([smiles], folder, model=stub)
    before = {name: (folder / name).stat().st_mtime_ns for name in parts(folder)}
    expected = pq.read_table(folder)
    (folder / "part-000001.parquet").unlink()
    (folder / ".part-000001.parquet.77-abc.tmp").write_bytes(b"half of it")
    summary = on_ray([smiles], folder, model=stub)
    assert (summary.records, summary.made) == (7, 3)
    after = {name: (folder / name).stat().st_mtime_ns for name in parts(folder)}
    assert [name for name in before if before[name] != after[name]] == ["part-000001.parquet"]
    assert pq.read_table(folder).equals(expected)
    monkeypatch.setattr("molcaption.engine.ray._pipeline", lambda _: pytest.fail("started"))
    assert on_ray([smiles], folder, model=stub).records == 0


def test_a_window_that_comes_twice_is_one_part(
    stub: str, smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray has it captioned again if it does not hear of the end of the first time."""
    seen: list[list[int]] = []

    class Twice(InProcess):
        def iter_rows(self) -> Iterator[dict[str, Any]]:
            for sent in engine._read(pa.table({"item": [0]}), self.plan):
                told = [engine._Captioner(self.plan)(sent).to_pylist()[0] for _ in range(2)]
                seen.append([one["made"] for one in told])
                yield told[1]

    monkeypatch.setattr(engine, "_pipeline", Twice)
    on_ray([smiles], tmp_path / "parts", model=stub)
    assert seen == [[2, 0], [3, 0], [1, 0]]
    expected = alone([smiles], tmp_path / "alone.parquet", model=stub)
    assert pq.read_table(tmp_path / "parts").equals(expected)


def test_captions_of_an_interrupted_part_are_kept(
    stub: str, smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parts"
    with monkeypatch.context() as patch:
        patch.setattr("molcaption.engine.parts.open_writer", _full)
        with pytest.raises(CannotWriteError, match="no space"):
            on_ray([smiles], folder, model=stub)
    assert parts(folder) == ["part-000000.parquet.captions"]
    assert on_ray([smiles], folder, model=stub).made == 4  # of 6 structures in the 3 windows
    assert parts(folder) == [f"part-{number:06}.parquet" for number in range(3)]


def _full(*_: Any, **__: Any) -> Any:
    raise CannotWriteError("part: no space left")


def test_nothing_is_mixed(stub: str, smiles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    on_ray([smiles], folder, model=stub)
    before = pq.read_table(folder)
    with pytest.raises(CannotWriteError, match="another command"):
        on_ray([smiles], folder, model=stub, limit=2)
    assert pq.read_table(folder).equals(before)
    on_ray([smiles], folder, model=stub, limit=2, force=True)
    assert pq.read_table(folder).column("record").to_pylist() == [0, 1]
    assert on_ray([smiles], folder, model=stub, limit=2, force=True).made == 2


def test_a_folder_that_cannot_be_made(stub: str, smiles: Path, tmp_path: Path) -> None:
    for engine_name in ("local", "ray"):
        with pytest.raises(CannotWriteError, match="cannot make this folder"):
            caption([smiles], f"{smiles}/", model=stub, engine=engine_name)


def test_a_folder_of_other_things_is_left_alone(stub: str, smiles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("notes.txt", "part-000000.parquet"):
        (folder / name).write_text("precious")
        with pytest.raises(CannotWriteError, match="in the way"):
            on_ray([smiles], folder, model=stub, force=True)
        assert (folder / name).read_text() == "precious"
        (folder / name).unlink()


def test_a_damaged_input_leaves_what_came_before_it(stub: str, tmp_path: Path) -> None:
    source, folder = tmp_path / "in.smi.gz", tmp_path / "parts"
    lines = "".join(f"{'C' * (1 + n % 40)} {n}\n" for n in range(1000)).encode()
    whole = gzip.compress(lines, mtime=0)
    source.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadDataError, match="truncated or damaged gzip after"):
        on_ray([source], folder, model=stub, window=50)
    assert "part-000000.parquet" in parts(folder)


def test_machines_of_a_cluster_must_agree(
    stub: str, smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = [({"context": "theirs"}, "is another one here"), ({"cwd": "/nowhere"}, "/nowhere")]
    for change, complaint in theirs:
        monkeypatch.setattr(
            engine, "_pipeline", lambda plan, change=change: InProcess(replace(plan, **change))
        )
        with pytest.raises(MissingError, match=complaint):
            on_ray([smiles], tmp_path / "parts", model=stub)
        assert parts(tmp_path / "parts") == []


def test_limits_locks_and_empty_shares(stub: str, smiles: Path, tmp_path: Path) -> None:
    from molcaption.data.lock import locked

    folder = tmp_path / "parts"
    with pytest.raises(BadDataError, match="1 of 7 records rejected"):
        on_ray([smiles], folder, model=stub, max_rejects="0")
    with locked(folder), pytest.raises(LockedError):
        on_ray([smiles], folder, model=stub)
    on_ray([smiles], tmp_path / "none", model=stub, shard="9/9")
    assert len(pq.read_table(tmp_path / "none")) == 0


def test_what_a_cluster_cannot_do_is_refused(
    stub: str, smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for output in (tmp_path / "out.parquet", "-"):
        with pytest.raises(UsageError, match="give -o captions/"):
            caption([smiles], output, model=stub, engine="ray")
    with pytest.raises(UsageError, match="standard input"):
        caption(["-"], f"{tmp_path}/out/", model=stub, engine="ray", format="smi")
    with pytest.raises(UsageError, match="--cache"):
        on_ray([smiles], tmp_path / "out", model=stub, cache=tmp_path / "cache")
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "ray" else name)
    with pytest.raises(MissingError, match=r"ray is not installed.*'molcaption\[ray\]'"):
        on_ray([smiles], tmp_path / "out", model=stub)
    assert not (tmp_path / "out").exists()


with_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("RAY_ADDRESS", None)
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@with_ray
def test_a_killed_actor_loses_and_doubles_nothing(tmp_path: Path) -> None:
    library = tmp_path / "library.smi"
    library.write_text("".join(f"{'C' * (1 + i)}O {i}\n" for i in range(40)))
    done = run(ROOT / "benchmarks" / "ray_kill.py", library, "--part", 4, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["equal"]
    assert told["each_record_once"]
    assert len(told["killed"]) == 1


@with_ray
def test_a_command_on_ray(tmp_path: Path) -> None:
    """Relative paths, a spinning molecule, nothing on stdout; our line is the last on stderr."""
    records = runpy.run_path(str(ROOT / "benchmarks" / "hostile_inputs.py"))["hostile_records"]()
    (tmp_path / "in.smi").write_text(f"CCO a\n{records['spins']} b\nC c\n")
    command = ["-m", "molcaption", "caption", "in.smi", "--molecule-timeout", "1"]
    done = run(*command, "-o", "out/", "--engine", "ray", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "3 records, 1 rejected, 2 captions written" in done.stderr.splitlines()[-1]
    assert run(*command, "-o", "out.parquet", cwd=tmp_path).returncode == 0
    assert pq.read_table(tmp_path / "out").equals(pq.read_table(tmp_path / "out.parquet"))
