import re

import pytest

from molcaption.claims import load_lexicon
from molcaption.errors import CannotWriteError
from molcaption.metrics.signatures import Score
from molcaption.report import write_report
from molcaption.report.examples import SHOWN, extremes
from molcaption.report.page import render

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> \"'&amp; </style></title>"
    "\x00\x07\x1b\u202e\ud800\uffff $body ${style} ]]> -->"
)


def test_the_page_shows_every_part(make_row, make_report, page_of) -> None:
    report = make_report(
        *[make_row(f"CHEBI:{i}", bleu4=i / 10) for i in range(10)],
        breakdowns={"size": [{"group": "1-15", "n": 4, "bleu4": 0.25, "f1": None}]},
        against={"method": "paired bootstrap",
                 "scores": [{"name": "bleu4", "difference": 0.0512, "interval": (0.03, 0.07)}]},
    )  # fmt: skip
    page = page_of(report)
    assert "captions.tsv scored against references.tsv" in page.text
    for said in (
        "BLEU-4", "0.4321", "0.4100 – 0.4500", "bleu4|tok:word|n:1", "By heavy atoms", "1-15",
        "paired bootstrap", "0.0300 – 0.0700", "Most often in the references", "Sentence BLEU-4",
        "Supported bits", "missing, charged as empty",
    ):  # fmt: skip
        assert said in page.text, said
    assert page.count("li") >= 10 and page.count("mark", **{"class": "refuted"}) == 10
    links = {a["href"].removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert links == {a["id"] for tag, a in page.tags if tag == "section"}


def test_ids_are_unique(make_row, make_report, page_of) -> None:
    page = page_of(make_report(*[make_row() for _ in range(9)]))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_needs_no_network_and_no_script(make_row, make_report, page_of) -> None:
    page = page_of(make_report(*[make_row() for _ in range(4)]))
    assert not re.search(r"https?:|//|@import|url\(", page.html.replace("<!--", ""))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"}
    assert {name for _, a in page.tags for name in a if name.startswith("on") or name == "src"} == (
        set()
    )
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    assert policy and "default-src 'none'" in policy


def test_what_users_give_stays_text(make_row, make_report, page_of) -> None:
    row = make_row(HOSTILE, HOSTILE, f"It is a steroid. {HOSTILE}", HOSTILE)
    other = make_row(HOSTILE, caption=HOSTILE * 200, reference=HOSTILE * 200)
    given = {HOSTILE: [{HOSTILE: HOSTILE, "n": 1}]}
    summary = {"predictions": HOSTILE, "references": HOSTILE, "n": 2, HOSTILE: HOSTILE}
    scores = [Score(HOSTILE, 0.5, HOSTILE)]
    page = page_of(
        make_report(row, other, summary=summary, scores=scores, breakdowns=given, against=given)
    )
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert not {name for _, attributes in page.tags for name in attributes} & {"onerror", "src"}
    assert page.count("style") == 1 and page.count("body") == 1
    assert "<script>alert(1)</script>" in page.text and "$body ${style}" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff\uffff]", page.html)
    page.html.encode("utf-8")


@pytest.mark.parametrize("length", [1, 10_000])
def test_long_texts_are_cut_and_say_so(length, make_row, make_report, page_of) -> None:
    page = page_of(make_report(make_row("i" * length, caption="It is a steroid. " + "c" * length)))
    assert len(page.html) < 60_000
    assert ("more characters" in page.text) == (length > 1)


def test_without_structures(make_row, make_report, page_of) -> None:
    page = page_of(make_report(*[make_row(smiles=None) for _ in range(3)]))
    assert "Without structures no claim can be checked" in page.text
    assert "Validity score" not in page.text and not page.count("mark")


def test_structures_without_claims(make_row, make_report, page_of) -> None:
    page = page_of(make_report(make_row(caption="Good.", reference="Fine.")))
    assert "No text names a group" in page.text


def test_structures_that_cannot_be_drawn(make_row, make_report, page_of) -> None:
    page = page_of(make_report(make_row(smiles="C1CC"), make_row(smiles="C" * 400)))
    assert page.text.count("Not drawn") == 2 and "400 heavy atoms" in page.text


def test_without_rows(make_report, page_of) -> None:
    page = page_of(make_report(scores=[]))
    assert {a["id"] for tag, a in page.tags if tag == "section"} == {"scores", "groups"}


def test_equal_scores(make_row, make_report, page_of) -> None:
    for value in (0.0, 0.5, 1.0):
        page = page_of(make_report(*[make_row(bleu4=value) for _ in range(50)]))
        assert f"mean {value:.3g}" in page.text


def test_worst_and_best_share_no_row(make_row) -> None:
    for n in (0, 1, 2, 3, 39, 40, 41, 100):
        rows = [make_row(str(i), None, bleu4=i / 100) for i in range(n)]
        worst, best = extremes([*rows, make_row("empty", None, caption=" ")])
        assert len(worst) == min(SHOWN, n // 2) and len(best) == min(SHOWN, n - n // 2)
        assert [row.id for row in worst] == [str(i) for i in range(len(worst))]
        assert [row.id for row in best] == [str(n - 1 - i) for i in range(len(best))]


def test_refuted_claims_decide_between_equal_scores(make_row) -> None:
    right, wrong = make_row("right", caption="It is a benzoic acid."), make_row("wrong")
    worst, best = extremes([right, wrong])
    assert ([row.id for row in worst], [row.id for row in best]) == (["wrong"], ["right"])


def test_a_large_run_makes_no_larger_page(make_row, make_report) -> None:
    kinds = [make_row(f"CHEBI:{i}", bleu4=i / 60) for i in range(60)]
    few, many = make_report(*kinds), make_report(*kinds * 55)
    small = len(render(few, load_lexicon()))
    large = len(render(many, load_lexicon()))
    assert len(many.rows) == 3_300 and large < small + 5_000 and large < 1_000_000


def test_written_whole_and_the_same_each_time(make_row, make_report, tmp_path) -> None:
    report, path = make_report(make_row(), make_row("ü", bleu4=0.1)), tmp_path / "report.html"
    write_report(report, path)
    first = path.read_bytes()
    write_report(report, str(path))
    assert path.read_bytes() == first and first.startswith(b"<!doctype html>")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(CannotWriteError):
        write_report(report, tmp_path / "nowhere" / "report.html")
