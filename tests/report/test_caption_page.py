"""The page of a file of captions: all rows counted, the first shown, nothing but HTML and CSS."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from molcaption import cli_run
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.cli import app
from molcaption.data.writers import open_writer
from molcaption.errors import BadDataError, CannotWriteError, NoInputError, UsageError
from molcaption.report.caption_page import CaptionPage
from molcaption.reporting import check_page, report

LEXICON = load_lexicon()
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'&amp; </style> $body ]]>"
pytestmark = pytest.mark.usefixtures("clean_logging")


def row(number: int, smiles: str | None, caption: str | None, id: str = "") -> dict[str, Any]:
    mol = None if smiles is None or caption is None else parse_smiles(smiles)
    return {
        "record": number, "source": "x.smi", "id": id, "smiles": smiles, "inchikey": None,
        "caption": caption, "confidence": 0.5 if caption else None,
        **check_caption(mol, caption, LEXICON).columns(),
        "error": None if caption is not None else f"bad molecule {HOSTILE}",
    }  # fmt: skip


ROWS = [
    row(0, "Oc1ccccc1", "The molecule is a member of phenols.", "phenol"),
    row(1, "CCO", "The molecule is a steroid and a primary alcohol.", HOSTILE),
    row(2, "C", f"It is gas. {HOSTILE}"),
    row(3, HOSTILE, None, HOSTILE),
    row(4, None, None),
]


@pytest.fixture(params=["out.parquet", "out.jsonl", "out.csv", "out.tsv.gz"])
def captions(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    with open_writer(path) as writer:
        writer.write(ROWS)
    return path


def drawn(path: Path, page_class: Any, **options: Any) -> Any:
    output = path.with_name("report.html")
    report(path, output, **options)
    return page_class(output.read_text("utf-8"))


@pytest.fixture
def page_class(page_of: Any, make_row: Any, make_report: Any) -> Any:
    return type(page_of(make_report(make_row())))


def test_a_page_says_what_the_file_says(captions: Path, page_class: Any) -> None:
    page = drawn(captions, page_class)
    kinds = [a["class"] for tag, a in page.tags if tag == "li" and "class" in a]
    assert kinds == ["supported", "refuted", "not-checkable", "rejects", "rejects"]
    for said in (
        "✓ Supported: 1 checkable claim, none refuted", "✗ Refuted: 1 of 2 checkable claims",
        "? Not checkable", "– Rejected: bad molecule", "confidence 0.50", "1 (33.3%)",
        "steroid: expected 1, found 0", "Blue, supported: member of phenols.", "All 5",
        "– Rejects 2",
    ):  # fmt: skip
        assert said in page.text, said
    struck = "".join(text for path, text in page.texts if path[-1:] == ("mark",))
    assert "steroid" in struck and page.count("mark", **{"class": "refuted"}) == 1
    assert page.count("svg", role="img") == 5  # three molecules and two histograms


def test_every_choice_leads_to_its_kind(captions: Path, page_class: Any) -> None:
    page = drawn(captions, page_class)
    ids = [a["id"] for _, a in page.tags if "id" in a]
    links = [a["href"].removeprefix("#") for tag, a in page.tags if tag == "a"]
    assert len(ids) == len(set(ids)) and set(links) <= set(ids)
    style = next(text for path, text in page.texts if path[-1:] == ("style",))
    for kind in ("supported", "refuted", "not-checkable", "rejects"):
        assert kind in links
        assert f"#{kind}:target ~ .cards > li:not(.{kind})" in style


def test_what_files_hold_stays_text(captions: Path, page_class: Any) -> None:
    page = drawn(captions, page_class)
    assert not {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe"}
    assert not {n for _, attributes in page.tags for n in attributes} & {"onerror", "src"}
    assert page.count("style") == 1 and "<script>alert(1)</script>" in page.text
    assert not re.search(r"https?:|@import|url\(", page.html)


def test_the_first_molecules_and_the_numbers_of_all(captions: Path, page_class: Any) -> None:
    page = drawn(captions, page_class, molecules=2)
    assert (
        "The first 2 of 5 records." in page.text and page.count("li", **{"class": "rejects"}) == 0
    )
    assert "All 2" in page.text and "Rejects 0" not in page.text
    assert "bad molecule" in page.text  # among the reasons
    assert not drawn(captions, page_class, molecules=0).count("ol")


def test_the_run_is_told_where_it_left_a_summary(captions: Path, page_class: Any) -> None:
    assert "Records a second" not in drawn(captions, page_class).text
    summary = {"seconds": 2.0, "rate": 2.5, "model": "abc" * 20, "version": "9.9"}
    Path(f"{captions}.summary.json").write_text(json.dumps(summary))
    text = drawn(captions, page_class).text
    assert all(said in text for said in ("records a second2.5", "abcabcabcabc", "9.9"))


def test_the_same_rows_give_the_same_bytes(captions: Path) -> None:
    first, second = captions.with_name("1.html"), captions.with_name("2.html")
    report(captions, first)
    report(captions, second)
    assert first.read_bytes() == second.read_bytes()


def test_a_thousand_molecules_stay_small(shared_data: Path) -> None:
    lines = (shared_data / "captions" / "dev.tsv").read_text("utf-8").splitlines()[1:101]
    page, empty = CaptionPage(LEXICON), CaptionPage(LEXICON)
    for number, line in enumerate(lines):
        id, smiles, description = line.split("\t")
        page.add([row(number, smiles, description, id)])
    each = (len(page.render("x", {}).encode()) - len(empty.render("x", {}))) / len(lines)
    assert each < 5_000  # bytes: five megabytes a thousand


def test_what_no_page_can_be_drawn_of(tmp_path: Path) -> None:
    output, table = tmp_path / "report.html", tmp_path / "in.csv"
    with pytest.raises(NoInputError):
        report(tmp_path / "absent.parquet", output)
    table.write_text("id,smiles,caption\nx,C,y\n")
    with pytest.raises(UsageError, match=r"no column 'record'.*molcaption check"):
        report(table, output)
    with pytest.raises(UsageError, match="name the page to write"):
        report(table)
    with open_writer(table) as writer:
        writer.write(ROWS)
    table.write_text(table.read_text().replace(',"[{', ',"[[{', 1))
    with pytest.raises(BadDataError, match="damaged cell"):
        report(table, output)
    with pytest.raises(CannotWriteError):
        report(table, table)
    assert sorted(tmp_path.iterdir()) == [table]


@pytest.mark.parametrize(
    ("captions", "columns", "expected"),
    [
        ("-", None, "drawn from one table"), ("o.sdf", None, "drawn from one table"),
        ("o/", None, "drawn from one table"),
        ("o.csv", "id,caption", "needs the column 'claims'"),
        ("o.csv", "caption:description", "needs the column"),
    ],
)  # fmt: skip
def test_no_page_is_told_before_the_captions(
    captions: str, columns: str | None, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=expected):
        check_page(captions, tmp_path / "report.html", columns)
    with pytest.raises(CannotWriteError, match="also an input"):
        check_page(tmp_path / "o.html", tmp_path / "o.html", None)


def test_caption_draws_the_page_too(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("CCO ethanol\nC1CC open\n")
    out, html = tmp_path / "out.parquet", tmp_path / "report.html"
    arguments = ["caption", str(tmp_path / "in.smi"), "-o", str(out), "-m", str(tiny_bundle)]
    assert cli_run.run(app, [*arguments, "--html", str(html), "--columns", "id"]) == 2
    assert not out.exists()
    assert cli_run.run(app, [*arguments, "--html", str(html)]) == 0
    page = html.read_text()
    assert "ethanol" in page and "Rejected: unclosed ring" in page and "records a second" in page
    html.unlink()
    assert cli_run.run(app, [*arguments, "--html", str(html)]) == 0  # nothing to caption
    assert html.exists()
