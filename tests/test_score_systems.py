"""`score` beyond the plain numbers: structures, comparisons, breakdowns, rows and the page."""

import json
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest

from molcaption.cli import app
from molcaption.cli_run import run
from molcaption.data.captions import read_captions
from molcaption.errors import BadDataError
from molcaption.metrics.scorecard import ScoreReport
from molcaption.metrics.signatures import CHEMICAL_METRICS, METRICS, Score
from molcaption.score import score

ROWS = [
    ("a", "CC(=O)O", "The molecule is a carboxylic acid.", "The molecule is a carboxylic acid."),
    ("b", "Oc1ccccc1", "The molecule is a member of phenols.", "The molecule is an aldehyde."),
    ("c", "CCCCCCCCCCCO", "The molecule is a primary alcohol.", "It is a primary alcohol."),
    ("d", "CC(C)=O", "The molecule is a ketone.", "The molecule is a ketone and a nitrile."),
]
WORSE = dict.fromkeys("abcd", "It is a frobnicator.")


@pytest.fixture(autouse=True)
def no_wordnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers whatever NLTK data the machine has."""
    monkeypatch.setattr("nltk.data.path", [])


def table(path: Path, header: str, rows: list[tuple[str, ...]]) -> Path:
    lines = [header.replace(" ", "\t"), *map("\t".join, rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def references(tmp_path: Path) -> Path:
    return table(tmp_path / "refs.tsv", "id smiles description", [row[:3] for row in ROWS])


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    rows = [(identifier, caption) for identifier, _, _, caption in ROWS]
    return table(tmp_path / "captions.tsv", "id caption", rows)


@pytest.fixture
def worse(tmp_path: Path) -> Path:
    return table(tmp_path / "worse.tsv", "id caption", list(WORSE.items()))


def by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_structures_bring_chemical_scores(captions: Path, references: Path) -> None:
    found = by_name(score(captions, references))
    assert list(found) == [*METRICS, *CHEMICAL_METRICS]
    assert found["contradicted"].value == 0.5  # no aldehyde, no nitrile
    assert "|smiles:references|mol_error:0|n:4|" in found["claim_f1"].signature
    assert all(s.low is not None for name, s in found.items() if not name.startswith("distinct"))


def test_structures_may_stand_beside_the_captions(tmp_path: Path) -> None:
    plain = table(tmp_path / "r.tsv", "id description", [(r[0], r[2]) for r in ROWS])
    own = table(tmp_path / "c.tsv", "id mol caption", [(r[0], r[1], r[3]) for r in ROWS[:3]])
    found = by_name(score(own, plain))["valid"]
    assert "|smiles:predictions|mol_error:1|" in found.signature  # the missing row has none
    assert found.value == 2 / 4
    assert by_name(score(own, plain, smiles_column="mol"))["valid"] == found


def test_without_structures_a_warning_tells(
    tmp_path: Path, captions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = table(tmp_path / "r.tsv", "id description", [(r[0], r[2]) for r in ROWS])
    with caplog.at_level(logging.WARNING):
        assert list(by_name(score(captions, plain))) == list(METRICS)
    assert [r.getMessage() for r in caplog.records] == [
        "no column of SMILES in either file: chemical scores are left out"
    ]
    caplog.clear()
    score(captions, plain, metrics=["bleu4"])
    assert not caplog.records


def test_unreadable_structures_are_named(
    tmp_path: Path, captions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [("a", "C(", ROWS[0][2]), *(row[:3] for row in ROWS[1:])]
    with caplog.at_level(logging.WARNING):
        found = by_name(score(captions, table(tmp_path / "r.tsv", "id smiles description", broken)))
    assert "1 of 4 structures are missing or cannot be read" in caplog.text
    assert caplog.records[0].getMessage().endswith(": a")
    assert "|mol_error:1|" in found["valid"].signature


def test_text_metrics_alone_look_at_no_structure(
    captions: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("molcaption.score.parse_smiles", lambda text: pytest.fail("not needed"))
    assert score(captions, references, metrics=["bleu4"])


def test_no_resamples_no_intervals(captions: Path, references: Path) -> None:
    assert {s.low for s in score(captions, references, resamples=0)} == {None}


def test_the_order_of_either_file_changes_nothing(
    tmp_path: Path, captions: Path, references: Path
) -> None:
    found = score(captions, references)
    turned = [row[:3] for row in reversed(ROWS)]
    refs = table(tmp_path / "r.tsv", "id smiles description", turned)
    rows = [(row[0], row[3]) for row in ROWS[2:] + ROWS[:2]]
    again = score(table(tmp_path / "c.tsv", "id caption", rows), refs)
    for one, other in zip(found, again, strict=True):
        assert one.signature == other.signature
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


@pytest.mark.parametrize("paired", ["bootstrap", "randomisation"])
def test_against_itself_and_against_worse(
    captions: Path, references: Path, worse: Path, paired: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    score(captions, references, against=captions, paired=paired)
    same = printed(capsys)["against"]
    assert {found["p"] for found in same["metrics"]} == {1.0}
    score(captions, references, against=worse, paired=paired, resamples=300, seed=7)
    found = printed(capsys)["against"]
    assert {k: v for k, v in found.items() if k != "metrics"} == {
        "predictions": str(worse), "charged_empty": 0, "missing": 0, "paired": paired,
        "resamples": 300, "seed": 7,
    }  # fmt: skip
    metrics = {m["name"]: m for m in found["metrics"]}
    assert list(metrics) == [
        name for name in [*METRICS, *CHEMICAL_METRICS] if not name.startswith("distinct")
    ]
    alone = by_name(score(worse, references, resamples=0))
    for name, metric in metrics.items():
        assert metric["against"] == pytest.approx(alone[name].value)
        assert metric["difference"] == metric["value"] - metric["against"]


def test_the_other_system_is_joined_as_strictly(
    tmp_path: Path, captions: Path, references: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        score(captions, references, against=table(tmp_path / "o.tsv", "id caption", [("a", "x")]))
    assert "o.tsv: 3 of 4 references have no caption" in caplog.text
    with pytest.raises(BadDataError, match=r"o\.tsv: 1 ids are not in .*: z"):
        rows = [("a", "x"), ("z", "x")]
        score(captions, references, against=table(tmp_path / "o.tsv", "id caption", rows))


def test_breakdowns(captions: Path, references: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = score(captions, references, by=["size", "similarity", "claims", "scope"],
                  train=references)  # fmt: skip
    breakdowns = printed(capsys)["breakdowns"]
    assert list(breakdowns) == ["size", "similarity", "claims", "scope"]
    assert [(row["group"], row["n"]) for row in breakdowns["size"]] == [
        ("up to 10", 3), ("11-20", 1),
    ]  # fmt: skip
    (known,) = breakdowns["similarity"]
    assert (known["group"], known["n"]) == ("1", 4)
    for one in found:
        assert one.name.startswith("distinct") or known[one.name] == pytest.approx(one.value)


def test_training_molecules_that_are_none(tmp_path: Path, captions: Path, references: Path) -> None:
    train = table(tmp_path / "t.tsv", "id smiles", [("1", "C(")])
    with pytest.raises(BadDataError, match=r"t\.tsv: holds no molecule"):
        score(captions, references, by=["similarity"], train=train)


@pytest.mark.parametrize("suffix", [".parquet", ".tsv", ".csv", ".jsonl", ".tsv.gz"])
def test_scores_of_rows_in_any_format(
    tmp_path: Path, captions: Path, references: Path, suffix: str
) -> None:
    path = tmp_path / f"rows{suffix}"
    score(captions, references, rows=path, metrics=["exact"])
    found = read_captions(path, "id", "caption")
    assert (found.ids, found.texts) == (list("abcd"), [row[3] for row in ROWS])
    assert found.smiles == [row[1] for row in ROWS]


def test_rows_hold_scores_claims_and_signatures(
    tmp_path: Path, captions: Path, references: Path
) -> None:
    path = tmp_path / "rows.parquet"
    exact = by_name(score(captions, references, rows=path))["exact"]
    written = pq.read_table(path)
    rows = written.to_pylist()
    assert [row["exact"] for row in rows] == [1.0, 0.0, 0.0, 0.0]
    assert rows[0]["bleu4"] == pytest.approx(1.0)
    assert [row["validity_status"] for row in rows] == [
        "ok", "contradicted", "ok", "contradicted",
    ]  # fmt: skip
    assert rows[1]["reference_supported"] == ["phenol"]
    assert written.schema.metadata[b"molcaption.exact"].decode() == exact.signature


def test_the_page_gets_the_whole_report(
    tmp_path: Path, captions: Path, references: Path, worse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[ScoreReport, Path]] = []
    module = ModuleType("molcaption.report")
    module.write_report = lambda report, path, _: written.append((report, path))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "molcaption.report", module)
    scores = score(captions, references, html=tmp_path / "x.html", by=["size"], against=worse)
    ((report, path),) = written
    assert path == tmp_path / "x.html"
    assert report.scores == scores
    assert [row.id for row in report.rows] == list("abcd")
    assert report.rows[0].check is not None
    assert list(report.breakdowns) == ["size"]
    assert report.against is not None
    assert report.summary["n"] == 4


def test_no_rows_are_made_for_nobody(
    captions: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("molcaption.score.score_rows", lambda *_: pytest.fail("not needed"))
    score(captions, references)


@pytest.mark.usefixtures("clean_logging")
def test_every_option_from_the_command_line(
    tmp_path: Path, captions: Path, references: Path, worse: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    options = f"""--id id --smiles-column smiles --limit 3 --resamples 50 --seed 3
        --against {worse} --paired randomisation --by size,similarity,scope --train {references}
        --rows {tmp_path / "rows.jsonl"} --format latex -w 2 -q"""
    assert run(app, ["score", str(captions), str(references), *options.split()]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert out.startswith("% bleu2|tok:word|")
    assert "|limit:3|ci:95|bs:50|seed:3|" in out
    assert "randomisation, 50 resamples, seed 3" in out
    assert [line for line in out.splitlines() if line.startswith("% by ")] == [
        "% by size", "% by similarity", "% by scope",
    ]  # fmt: skip
    assert len((tmp_path / "rows.jsonl").read_text("utf-8").splitlines()) == 3


@pytest.mark.usefixtures("clean_logging")
@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"id\ttext\na\tx\n", 2, "no column 'caption'; the columns are id, text"),
        (b"id\tcaption\nz\tx\ny\tx\n", 65, "none of its 2 ids is in"),
        (b"", 66, "the file is empty"),
        (b"id\tcaption\n", 66, "holds a header but no rows"),
        (b"id\tcaption\na\t\xff\n", 65, ":2: not UTF-8; convert the file to UTF-8"),
        (b"id\tcaption\na\tx\na\ty\n", 65, "1 ids occur more than once: a"),
    ],
)
def test_bad_files_get_one_line(
    tmp_path: Path, references: Path, content: bytes, code: int, message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "bad.tsv"
    path.write_bytes(content)
    assert run(app, ["score", str(path), str(references)]) == code
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"error: {path}")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("clean_logging")
def test_nan_gets_one_line(
    tmp_path: Path, references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nan.jsonl"
    path.write_text('{"id": "a", "caption": "x"}\n{"id": "b", "caption": NaN}\n', encoding="utf-8")
    assert run(app, ["score", str(path), str(references)]) == 65
    (line,) = capsys.readouterr().err.splitlines()
    assert "row 2: column 'caption' holds nan (float), expected text or null" in line


def test_chemical_metrics_are_those_of_the_claims() -> None:
    assert set(CHEMICAL_METRICS) == {
        "claim_precision", "claim_recall", "claim_f1", "valid", "contradicted", "supported_bits",
    }  # fmt: skip
