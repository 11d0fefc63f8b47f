"""The verb `caption`: a row for every record, in order, whole or not at all."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from molcaption import cli_run
from molcaption.caption import caption, survey
from molcaption.cli import app
from molcaption.data.lock import locked
from molcaption.data.writers import OUTPUT_COLUMNS
from molcaption.engine.rows import begin_rows
from molcaption.errors import (
    BadDataError,
    CannotWriteError,
    LockedError,
    MissingError,
    MolcaptionError,
    NoInputError,
    UsageError,
)

SMILES = "CCO ethanol\nnonsense bad\nc1ccccc1 benzene\n[He] helium\nC1CC open\nCC(=O)O acid\n"


@pytest.fixture
def smiles(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text(SMILES)
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_one_row_per_record_in_order(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    # a small window, so that several are written
    summary = caption([smiles], out, model=tiny_bundle, window=2)
    assert (summary.records, summary.rejected) == (6, 2)
    got = rows(out)
    assert [row["record"] for row in got] == list(range(6))
    assert [row["id"] for row in got] == ["ethanol", "bad", "benzene", "helium", "open", "acid"]
    assert list(got[0]) == list(OUTPUT_COLUMNS)
    for row in got:
        rejected = row["id"] in ("bad", "open")
        assert (row["error"] is not None) == rejected
        assert (row["caption"] is None) == rejected
        assert (row["validity_status"] == "mol_error") == rejected
    assert got[1]["smiles"] == "nonsense"
    assert "ring" in got[4]["error"]
    assert got[0]["inchikey"] == "LFQSCWFLJHTTHZ-UHFFFAOYSA-N"
    assert all(0 < row["confidence"] <= 1 for row in got if row["error"] is None)


def test_window_and_batch_size_change_nothing(
    smiles: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    caption([smiles], tmp_path / "a.jsonl", model=tiny_bundle, window=1, batch_size=1)
    caption([smiles], tmp_path / "b.jsonl", model=tiny_bundle, batch_size=3)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_table_columns_pass_through_beside_ours(tiny_bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text("ID,SMILES,logP,caption\nx,CCO,0.1,old\ny,C,0.2,older\n")
    caption([table], tmp_path / "out.parquet", model=tiny_bundle)
    got = rows(tmp_path / "out.parquet")
    assert [str(row["logP"]) for row in got] == ["0.1", "0.2"]
    assert [row["input_caption"] for row in got] == ["old", "older"]
    assert got[0]["caption"] != "old"


def test_a_header_where_there_usually_is_one_or_none(tiny_bundle: Path, tmp_path: Path) -> None:
    table, plain = tmp_path / "in.csv", tmp_path / "in.smi"
    table.write_text("CCO,x,0.1\nC,y,0.2\n")
    plain.write_text("smiles name\nCCO x\nC y\n")
    for given, option in ((table, "--no-header"), (plain, "--header")):
        out = given.with_suffix(".parquet")
        arguments = ["caption", str(given), "-o", str(out), "-m", str(tiny_bundle), option]
        assert cli_run.run(app, arguments) == 0
        assert [(row["smiles"], row["id"]) for row in rows(out)] == [("CCO", "x"), ("C", "y")]
        out.unlink()
    assert survey([plain], has_header=True).records == 2 and survey([plain]).records == 3


def test_submission_columns(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    caption([smiles], out, model=tiny_bundle, columns="id:ID,caption:description")
    assert out.read_text().splitlines()[0] == "ID,description"


def test_metadata_names_model_and_options(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=tiny_bundle, max_new_tokens=5)
    metadata = {k.decode(): v.decode() for k, v in pq.read_schema(out).metadata.items()}
    assert metadata["molcaption.model"] == "tiny"
    assert len(metadata["molcaption.model_hash"]) == 64
    assert json.loads(metadata["molcaption.decode"]) == {
        "method": "greedy", "draws": 0, "beams": 1, "length_penalty": 1.0, "mend": True,
        "max_new_tokens": 5,
    }  # fmt: skip


def test_same_command_twice_does_nothing(
    smiles: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=tiny_bundle)
    before = out.stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(
            "molcaption.engine.captioning.load_runtime", lambda *_, **__: pytest.fail("loaded")
        )
        assert caption([smiles], out, model=tiny_bundle).records == 0
    assert out.stat().st_mtime_ns == before
    smiles.write_text(SMILES + "O water\n")
    with pytest.raises(CannotWriteError, match="--force"):
        caption([smiles], out, model=tiny_bundle)
    caption([smiles], out, model=tiny_bundle, force=True)
    assert len(rows(out)) == 7


def test_existing_text_output_is_never_overwritten(
    smiles: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("precious")
    with pytest.raises(CannotWriteError, match="--force"):
        caption([smiles], out, model=tiny_bundle)
    assert out.read_text() == "precious"


def test_output_that_is_an_input(tiny_bundle: Path, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text("ID,SMILES\nx,CCO\n")
    with pytest.raises(CannotWriteError, match="also an input"):
        caption([table], table, model=tiny_bundle, force=True)
    assert table.read_text() == "ID,SMILES\nx,CCO\n"


@pytest.mark.parametrize(
    ("allowed", "fine"), [("2", True), ("1", False), ("34%", True), ("33%", False)]
)
def test_max_rejects(
    smiles: Path, tiny_bundle: Path, tmp_path: Path, allowed: str, fine: bool
) -> None:
    out = tmp_path / "out.jsonl"
    if fine:
        caption([smiles], out, model=tiny_bundle, max_rejects=allowed)
    else:
        with pytest.raises(BadDataError, match="2 of 6 records rejected"):
            caption([smiles], out, model=tiny_bundle, max_rejects=allowed)
    assert len(out.read_text().splitlines()) == 6  # written either way


@pytest.mark.parametrize("wrong", ["few", "-1", "nan%", "1.5", "%"])
def test_max_rejects_must_be_a_number(smiles: Path, tmp_path: Path, wrong: str) -> None:
    with pytest.raises(UsageError, match="--max-rejects"):
        caption([smiles], tmp_path / "out.jsonl", max_rejects=wrong)


@pytest.mark.parametrize(
    ("name", "content", "options", "error"),
    [
        ("absent.smi", None, {}, NoInputError),
        ("empty.smi", b"", {}, NoInputError),
        ("in.xyz", b"CCO", {}, UsageError),
        ("in.csv", b"a,b\n1,2\n", {"smiles_column": "c"}, UsageError),
        ("in.parquet", b"PAR1 no", {}, BadDataError),
        ("in.smi.gz", gzip.compress(b"CCO\n" * 9999)[:-20], {}, BadDataError),
        ("in.smi", b"CCO", {"columns": "captoin"}, UsageError),
        ("in.smi", b"CCO", {"max_new_tokens": 10_000}, UsageError),
    ],
)
def test_bad_input_leaves_no_output(
    tiny_bundle: Path,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    options: dict[str, Any],
    error: type[MolcaptionError],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error) as caught:
        caption([path], tmp_path / "out.jsonl", model=tiny_bundle, **options)
    assert "\n" not in str(caught.value)
    # What was captioned before the damage is no output: the mended file goes on with it.
    after = [path for path in sorted(tmp_path.iterdir()) if path.name != "out.jsonl.captions"]
    assert after == before


def test_bad_model(smiles: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="molcaption export"):
        caption([smiles], tmp_path / "out.jsonl", model=tmp_path / "absent")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_run_goes_on_where_it_was(
    smiles: Path,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[BaseException],
) -> None:
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    caption([smiles], whole, model=tiny_bundle, window=2)

    def interrupted(records: list[Any], *args: Any) -> Callable[[], list[dict[str, Any]]]:
        if any(record.id == "benzene" for record in records):
            raise failure
        return begin_rows(records, *args)

    with monkeypatch.context() as patch:
        patch.setattr("molcaption.engine.bulk.begin_rows", interrupted)
        with pytest.raises(failure):
            # Without workers captions are kept in their order, and the last one is not made yet.
            caption([smiles], out, model=tiny_bundle, window=2, batch_size=1, workers=0)
    assert not out.exists()
    assert (tmp_path / "out.parquet.captions").exists()
    assert caption([smiles], out, model=tiny_bundle, window=2).made == 1
    assert rows(out) == rows(whole)
    assert not (tmp_path / "out.parquet.captions").exists()


def test_captions_of_other_options_are_not_gone_on_with(
    smiles: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    caption([smiles], whole, model=tiny_bundle, max_new_tokens=3)
    with monkeypatch.context() as patch:
        patch.setattr("molcaption.caption.Tally.add", lambda *_: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception):
            caption([smiles], out, model=tiny_bundle)
    caption([smiles], out, model=tiny_bundle, max_new_tokens=3)
    assert out.read_bytes() == whole.read_bytes()


def test_a_cache_serves_later_runs(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert caption([smiles], first, model=tiny_bundle, cache=tmp_path / "cache").made == 4
    smiles.write_text(SMILES + "O water\nOCC ethanol again\n")
    assert caption([smiles], second, model=tiny_bundle, cache=tmp_path / "cache").made == 1
    assert second.read_text().startswith(first.read_text())
    caption([smiles], tmp_path / "alone.jsonl", model=tiny_bundle)
    assert second.read_text() == (tmp_path / "alone.jsonl").read_text()


def test_a_structure_that_occurs_twice_is_captioned_once(tiny_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.smi"
    path.write_text("CCO a\nOCC b\nC c\nC(O)C d\n")
    assert caption([path], tmp_path / "out.parquet", model=tiny_bundle, window=3).made == 2
    made = [row["caption"] for row in rows(tmp_path / "out.parquet")]
    assert made[0] == made[1] == made[3]


def test_shards_are_the_whole(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    caption([smiles], tmp_path / "whole.parquet", model=tiny_bundle)
    parts = []
    for i in (1, 2, 3, 4):
        out = tmp_path / f"{i}.parquet"
        caption([smiles], out, model=tiny_bundle, shard=f"{i}/4")
        told = json.loads((tmp_path / f"{i}.parquet.summary.json").read_text())
        assert told["shard"] == f"{i}/4"
        parts += rows(out)
    assert sorted(parts, key=lambda row: row["record"]) == rows(tmp_path / "whole.parquet")
    for wrong in ("0/4", "5/4", "1", "a/b", "1/0", "-1/2"):
        with pytest.raises(UsageError, match="--shard"):
            caption([smiles], tmp_path / "x.parquet", model=tiny_bundle, shard=wrong)


def test_a_dry_run_counts_and_writes_nothing(
    smiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "molcaption.engine.captioning.load_runtime", lambda *_, **__: pytest.fail("loaded")
    )
    before = sorted(tmp_path.iterdir())
    told = survey([smiles])
    assert (told.records, told.rejected, sum(told.rejects.values())) == (6, 2, 2)
    assert sorted(tmp_path.iterdir()) == before


def test_summary_for_programs(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=tiny_bundle)
    told = json.loads((tmp_path / "out.parquet.summary.json").read_text())
    assert (told["records"], told["rejected"], told["made"]) == (6, 2, 4)
    assert sum(told["rejects"].values()) == 2
    assert told["refuted"] == sum(row["validity_status"] == "contradicted" for row in rows(out))
    assert told["rate"] > 0
    assert told["peak_mb"] > 0
    assert told["shard"] is None
    assert len(told["model"]) == 64


def test_a_second_run_at_the_same_time_is_refused(
    smiles: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    with locked(out), pytest.raises(LockedError, match="another run"):
        caption([smiles], out, model=tiny_bundle)
    caption([smiles], out, model=tiny_bundle)


def test_merged_model_directory_is_a_model(
    smiles: Path, tiny_model: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    caption([smiles], tmp_path / "torch.jsonl", model=tiny_model, columns="id,caption")
    caption([smiles], tmp_path / "onnx.jsonl", model=tiny_bundle, columns="id,caption")
    assert (tmp_path / "torch.jsonl").read_text() == (tmp_path / "onnx.jsonl").read_text()


def test_draws_change_captions_and_say_so(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    for name, draws in (("greedy", 0), ("best", 4), ("again", 4)):
        caption([smiles], tmp_path / f"{name}.parquet", model=tiny_bundle, draws=draws)
    made = {n: pq.read_table(tmp_path / f"{n}.parquet") for n in ("greedy", "best", "again")}
    assert made["best"]["caption"] == made["again"]["caption"]
    assert made["best"]["caption"] != made["greedy"]["caption"]
    decode = json.loads(made["best"].schema.metadata[b"molcaption.decode"])
    assert (decode["method"], decode["draws"]) == ("best of candidates", 4)


def test_beams_change_captions_and_say_so(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    for name, given in (
        ("greedy", {}), ("beams", {"beams": 4}), ("long", {"beams": 4, "length_penalty": 3.0})
    ):  # fmt: skip
        caption([smiles], tmp_path / f"{name}.parquet", model=tiny_bundle, mend=False, **given)
    made = {n: pq.read_table(tmp_path / f"{n}.parquet") for n in ("greedy", "beams", "long")}
    assert made["beams"]["caption"] != made["greedy"]["caption"]
    assert made["long"]["caption"] != made["beams"]["caption"]
    decode = json.loads(made["long"].schema.metadata[b"molcaption.decode"])
    told = (decode["method"], decode["beams"], decode["length_penalty"])
    assert told == ("beam search", 4, 3.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"length_penalty": 2.0}, "say how many with --beams"),
        ({"beams": 0}, "--beams 0: expected 1 or more"),
        ({"beams": 4, "length_penalty": math.nan}, "--length-penalty nan: expected -10 to 10"),
        ({"beams": 4, "length_penalty": 1e300}, "expected -10 to 10"),
    ],
)
def test_beams_that_cannot_be(
    smiles: Path, tiny_bundle: Path, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        caption([smiles], tmp_path / "out.parquet", model=tiny_bundle, **given)
    assert [path.name for path in tmp_path.iterdir()] == [smiles.name]


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory; its index is kept in this test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "known.tsv"
    texts = {
        "CCO": "The molecule is a primary alcohol.",
        "CC(=O)O": "The molecule is a monocarboxylic acid.",
    }
    lines = ["smiles\tdescription", *(f"{s}\t{text}" for s, text in texts.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_captions_of_known_molecules_come_from_the_memory_and_say_so(
    smiles: Path, known: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=tiny_bundle, memory=known, window=2)
    got = {row["id"]: row for row in rows(out)}
    assert got["ethanol"]["caption"] == "The molecule is a primary alcohol."
    assert got["acid"]["caption"] == "The molecule is a monocarboxylic acid."
    assert got["acid"]["confidence"] is None
    assert got["acid"]["validity_status"] == "ok"
    assert pq.read_schema(out).metadata[b"molcaption.memory"].decode() == str(known)


def test_another_memory_is_another_run(
    smiles: Path, known: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    caption([smiles], out, model=tiny_bundle, memory=known)
    assert caption([smiles], out, model=tiny_bundle, memory=known).records == 0  # nothing to do
    known.write_text(known.read_text(encoding="utf-8").replace("monocarboxylic acid", "ketone"))
    with pytest.raises(CannotWriteError, match="exists already"):
        caption([smiles], out, model=tiny_bundle, memory=known)


def test_a_memory_that_is_none(smiles: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    with pytest.raises(NoInputError, match="no such file"):
        caption([smiles], out, model=tiny_bundle, memory=tmp_path / "none.tsv")
    with pytest.raises(BadDataError, match="none of 6 records has a molecule and a description"):
        caption([smiles], out, model=tiny_bundle, memory=smiles)
    with pytest.raises(CannotWriteError, match="is also an input"):
        caption([smiles], out, model=tiny_bundle, memory=out)
    assert not out.exists()
