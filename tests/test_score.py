import json
import logging
from pathlib import Path

import pytest
from nltk.translate.bleu_score import corpus_bleu

from molcaption import score as verb
from molcaption.errors import BadDataError, CannotWriteError, MolcaptionError, UsageError
from molcaption.metrics.signatures import METRICS, Score
from molcaption.metrics.tokenizers import split_words
from molcaption.score import score

REFERENCES = {
    "12": "The molecule is a carboxylic acid with one ring.",
    "7": "The molecule is an alkane. It has a role as a plant metabolite.",
    "β-3": "The molecule is a β-lactam antibiotic.",
}
CAPTIONS = {
    "β-3": "The molecule is a β-lactam.",
    "12": "The molecule is an acid with one ring.",
    "7": "It is an alkane with a role as a metabolite.",
}


@pytest.fixture(autouse=True)
def no_wordnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers whatever NLTK data the machine has."""
    monkeypatch.setattr("nltk.data.path", [])


def table(path: Path, rows: dict[str, str], column: str) -> Path:
    lines = [f"id\t{column}", *("\t".join(row) for row in rows.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def references(tmp_path: Path) -> Path:
    return table(tmp_path / "references.tsv", REFERENCES, "description")


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    return table(tmp_path / "captions.tsv", CAPTIONS, "caption")


def by_name(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


def plain_bleu(captions: list[str], references: list[str]) -> float:
    pairs = [[reference] for reference in split_words(references)]
    return float(corpus_bleu(pairs, split_words(captions)))


def test_rows_are_joined_on_the_id_and_not_by_position(captions: Path, references: Path) -> None:
    found = by_name(score(captions, references))
    expected = plain_bleu([CAPTIONS[i] for i in REFERENCES], list(REFERENCES.values()))
    assert found["bleu4"].value == expected
    assert list(found) == list(METRICS)


def test_signatures_say_how(captions: Path, references: Path) -> None:
    found = by_name(score(captions, references))
    assert found["bleu4"].signature.startswith("bleu4|tok:word|smooth:none|nltk:")
    for part in ("|n:3|", "|empty:0|", "|missing:0|", "|join:id|"):
        assert all(part in score.signature for score in found.values())
    assert "|wordnet:none|" in found["meteor"].signature
    assert "|tok:rouge_score|stem:none|" in found["rougeL"].signature


def test_a_missing_caption_is_charged_as_empty(
    tmp_path: Path, references: Path, caplog: pytest.LogCaptureFixture
) -> None:
    some = {i: CAPTIONS[i] for i in ("12", "7")}
    with caplog.at_level(logging.WARNING):
        found = by_name(score(table(tmp_path / "c.tsv", some, "caption"), references))
    expected = plain_bleu([some["12"], some["7"], ""], list(REFERENCES.values()))
    assert found["bleu4"].value == expected
    assert "|n:3|empty:1|missing:1|" in found["bleu4"].signature
    assert "1 of 3 references have no caption and are charged as empty: β-3" in caplog.text


def test_a_null_caption_is_charged_as_empty(tmp_path: Path, references: Path) -> None:
    path = tmp_path / "c.jsonl"
    rows = [{"id": i, "caption": None if i == "7" else text} for i, text in CAPTIONS.items()]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert "|empty:1|missing:0|" in by_name(score(path, references))["bleu4"].signature


def test_limit_takes_the_first_references_and_says_so(captions: Path, references: Path) -> None:
    found = by_name(score(captions, references, limit=2))
    ids = list(REFERENCES)[:2]
    assert found["bleu4"].value == plain_bleu(
        [CAPTIONS[i] for i in ids], [REFERENCES[i] for i in ids]
    )
    assert "|n:2|" in found["bleu4"].signature
    assert "|limit:2|" in found["bleu4"].signature


def test_txt_lines_are_joined_by_line_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("an acid\n\n", encoding="utf-8")
    (tmp_path / "r.txt").write_text("an acid\na base\n", encoding="utf-8")
    found = by_name(score(tmp_path / "c.txt", tmp_path / "r.txt"))
    assert "|empty:1|missing:0|join:line|" in found["exact"].signature
    assert found["exact"].value == 0.5


def test_all_captions_empty(tmp_path: Path, references: Path) -> None:
    empty = table(tmp_path / "c.tsv", dict.fromkeys(REFERENCES, ""), "caption")
    assert {s.value for s in score(empty, references)} == {0.0}


def test_columns_can_be_named(tmp_path: Path) -> None:
    left = tmp_path / "c.csv"
    left.write_text('CID,output\n1,"an acid, mostly"\n', encoding="utf-8")
    right = tmp_path / "r.csv"
    right.write_text('ground truth,CID\n"an acid, mostly",1\n', encoding="utf-8")
    found = score(
        left, right, id_column="CID", caption_column="output", description_column="ground truth"
    )
    assert by_name(found)["exact"].value == 1.0


def test_json_on_stdout_and_in_a_file(
    tmp_path: Path, captions: Path, references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = score(captions, references)
    printed = json.loads(capsys.readouterr().out)
    assert printed["n"] == 3
    assert printed["charged_empty"] == printed["missing"] == 0
    assert {s["name"]: s["value"] for s in printed["scores"]} == {s.name: s.value for s in found}
    score(captions, references, output=tmp_path / "scores.json")
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "scores.json").read_text(encoding="utf-8")) == printed


def test_brief_prints_a_bare_number(
    captions: Path, references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = by_name(score(captions, references))
    capsys.readouterr()
    score(captions, references, brief=True, width=3)
    assert capsys.readouterr().out == f"{found['bleu4'].value:.3f}\n"
    score(captions, references, brief=True, metrics=["rouge1", "bleu2"])
    expected = f"{found['rouge1'].value:.4f}\n{found['bleu2'].value:.4f}\n"
    assert capsys.readouterr().out == expected


def test_table_shows_name_value_and_signature(
    captions: Path, references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = score(captions, references, format="table")
    lines = capsys.readouterr().out.splitlines()
    for line, s in zip(lines, found, strict=True):
        ends = [] if s.low is None else [f"[{s.low:.4f},", f"{s.high:.4f}]"]
        assert line.split() == [s.name, f"{s.value:.4f}", *ends, s.signature]


def test_meteor_alone_looks_for_wordnet(
    captions: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "load_wordnet", lambda folder: pytest.fail("not needed"))
    assert score(captions, references, metrics=["bleu4"])


def test_ids_that_do_not_match(tmp_path: Path, references: Path) -> None:
    extra = table(tmp_path / "c.tsv", {**CAPTIONS, "99": "x", "98": "y"}, "caption")
    with pytest.raises(BadDataError, match=r"2 ids are not in .*references.tsv: 99, 98"):
        score(extra, references)
    other = table(tmp_path / "d.tsv", {"x": "a", "y": "b"}, "caption")
    with pytest.raises(BadDataError, match=r"none of its 2 ids is in .* first there 12, 7"):
        score(other, references)


def test_duplicates_are_named(tmp_path: Path, references: Path) -> None:
    path = tmp_path / "c.tsv"
    path.write_text("id\tcaption\n7\ta\n12\tb\n7\tc\n", encoding="utf-8")
    with pytest.raises(BadDataError, match="1 ids occur more than once: 7"):
        score(path, references)


def test_empty_references_are_refused(tmp_path: Path, captions: Path) -> None:
    blank = table(tmp_path / "r.tsv", {**REFERENCES, "7": " "}, "description")
    with pytest.raises(BadDataError, match="1 references are empty: 7"):
        score(captions, blank)


def test_files_without_ids_join_only_each_other(tmp_path: Path, references: Path) -> None:
    (tmp_path / "c.txt").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "r.txt").write_text("a\nb\nc\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no ids"):
        score(tmp_path / "c.txt", references)
    with pytest.raises(BadDataError, match=r"has 2 lines and .* has 3"):
        score(tmp_path / "c.txt", tmp_path / "r.txt")


@pytest.mark.parametrize(
    ("options", "message", "exit_code"),
    [
        ({"metrics": ["bleu5"]}, "metric 'bleu5' is not one of bleu2, bleu4", 2),
        ({"format": "xml"}, "format 'xml' is not one of json, table, latex", 2),
        (
            {"by": ["colour"]},
            "breakdown 'colour' is not one of size, components, similarity, claims",
            2,
        ),
        ({"by": ["size"]}, "breakdown by size needs structures, and neither file has", 2),
        ({"by": ["similarity"]}, "similarity needs training molecules", 2),
        ({"train": "x.tsv"}, "similarity needs training molecules", 2),
        ({"metrics": ["claim_f1"]}, "metric 'claim_f1' needs structures, and neither file", 2),
        ({"smiles_column": "structure"}, "no column 'structure' in either file", 2),
        ({"paired": "t-test"}, "paired test 't-test' is not one of bootstrap, randomisation", 2),
        ({"against": "x.tsv", "resamples": 0}, "a comparison needs resamples", 2),
        ({"against": "/nowhere.tsv"}, "/nowhere.tsv: no such file", 66),
        ({"rows": "rows.xlsx"}, "unknown output format '.xlsx'", 2),
        ({"lexicon": "/nowhere.yaml"}, "lexicon /nowhere.yaml: cannot be read", 66),
        ({"tokenizer": "wrod"}, "tokenizer 'wrod' is neither", 2),
        ({"limit": 0}, "at least 1", 2),
        ({"caption_column": "text"}, "no column 'text'; the columns are id, caption", 2),
        ({"wordnet": "/nowhere"}, "/nowhere: holds no WordNet", 66),
        ({"output": "/nowhere/scores.json"}, "folder /nowhere does not exist", 73),
        ({"html": "/nowhere/page.html"}, "folder /nowhere does not exist", 73),
        ({"rows": "-"}, "give each a file of its own", 2),
        ({"html": "-"}, "give each a file of its own", 2),
        ({"output": "a.jsonl", "rows": "./a.jsonl"}, "give each a file of its own", 2),
    ],
)
def test_bad_options(
    captions: Path, references: Path, options: dict[str, object], message: str, exit_code: int
) -> None:
    with pytest.raises(MolcaptionError, match=message) as caught:
        score(captions, references, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == exit_code
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["output", "rows", "html"])
@pytest.mark.parametrize("given", ["captions", "references", "other", "train"])
def test_no_input_is_overwritten(
    captions: Path, references: Path, tmp_path: Path, option: str, given: str
) -> None:
    other, train = tmp_path / "other.tsv", tmp_path / "train.tsv"
    paths = {"captions": captions, "references": references, "other": other, "train": train}
    for path in (other, train):
        path.write_bytes(captions.read_bytes())
    before = paths[given].read_bytes()
    with pytest.raises(CannotWriteError, match="is also an input"):
        score(captions, references, against=other, train=train, by=["similarity"],
              **{option: paths[given]})  # fmt: skip
    assert paths[given].read_bytes() == before
