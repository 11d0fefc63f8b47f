"""What was judged, shown: marks in the text, atoms in the drawing, bars of groups."""

import re
from html import unescape

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.claims.atoms import atoms_of
from molcaption.report.drawing import MAX_ATOMS, _relative, draw
from molcaption.report.groups import GroupCounts, group_frequency
from molcaption.report.marks import MAX_TEXT, marked
from molcaption.report.markup import join, tag, text

LEXICON = load_lexicon()


def check(smiles: str, caption: str):
    return check_caption(parse_smiles(smiles), caption, LEXICON)


def words(html: str) -> str:
    """The text of a marked caption without what only readers hear."""
    return re.sub(r"<[^>]*>", "", re.sub(r'<span class="heard">.*?</span>', "", html))


def claim(start: int, end: int, verdict: str, concept: str = "steroid", found: str = "0") -> dict:
    return {"start": start, "end": end, "text": "", "concept": concept, "polarity": "positive",
            "scope": "class", "expected": "1", "found": found, "verdict": verdict, "reason": None,
            "strength": None, "confidence": None}  # fmt: skip


class Checked:
    def __init__(self, *claims: dict) -> None:
        self.claims = list(claims)


def test_content_is_escaped_unless_it_is_html() -> None:
    assert tag("p", "<b>", tag("i", "&"), None, title='"') == (
        '<p title="&quot;">&lt;b&gt;<i>&amp;</i></p>'
    )
    assert tag("svg", class_="a", aria_hidden="true", id=None) == (
        '<svg class="a" aria-hidden="true"></svg>'
    )
    assert join(1, tag("b"), "<") == "1<b></b>&lt;"
    assert text("a\tb\nc\x00\ud800\u2067") == "a\tb\nc\ufffd\ufffd\ufffd"


def test_a_refuted_claim_tells_concept_expected_and_found() -> None:
    caption = "The molecule is a steroid carrying three hydroxy groups at positions 3, 5 and 7."
    html = marked(caption, check("OCCO", caption), LEXICON)
    assert words(html) == caption
    assert 'title="refuted: hydroxy: expected 3, found 2"' in html
    assert '<span class="heard"> (refuted) </span>' in html


def test_a_denied_group_expects_none() -> None:
    caption = "The molecule is an alkane lacking any bromo groups."
    html = marked(caption, check("CCBr", caption), LEXICON)
    assert "bromo: expected none, found 1" in html


def test_overlapping_claims_are_cut_and_the_refutation_shows() -> None:
    caption = "a dihydroxybenzoic <acid>"
    checked = Checked(
        claim(2, 18, "supported", "phenol", "1"), claim(11, 25, "contradicted"),
        claim(4, 4, "contradicted"), claim(19, 999, "supported"), claim(0, 1, "unchecked"),
    )  # fmt: skip
    html = marked(caption, checked, LEXICON)  # type: ignore[arg-type]
    kinds = re.findall(r'<mark class="(\w+)" title="[^"]*">([^<]*)<', html)
    assert kinds == [
        ("supported", "di"), ("supported", "hydroxy"), ("refuted", "benzoic"), ("refuted", " "),
        ("refuted", "&lt;acid&gt;"),
    ]  # fmt: skip
    assert 'title="refuted: steroid: expected 1, found 0; supported: ' in html
    assert unescape(words(html)) == caption


def test_claims_beyond_the_cut_are_left_out() -> None:
    caption = "x" * MAX_TEXT + " steroid"
    html = marked(caption, Checked(claim(MAX_TEXT + 1, MAX_TEXT + 8, "contradicted")), LEXICON)  # type: ignore[arg-type]
    assert "<mark" not in html and "8 more characters" in html


def test_atoms_of_a_concept() -> None:
    mol = parse_smiles("OCCCl")
    assert atoms_of(mol, "hydroxy", LEXICON) == {0}
    assert atoms_of(mol, "bromo", LEXICON) == set()
    assert atoms_of(mol, "no such concept", LEXICON) == set()
    for concept in LEXICON.concepts:  # every kind of test answers
        assert atoms_of(mol, concept, LEXICON) <= set(range(mol.GetNumAtoms()))


def test_a_drawing_follows_the_page() -> None:
    svg = draw(
        parse_smiles("OCC(N)C(F)CSP"), "<it>", {0: "supported", 1: "supported", 3: "refuted"}
    )
    assert svg.startswith("<svg ") and "<title>&lt;it&gt;</title>" in svg
    assert "var(--supported)" in svg and "var(--refuted)" in svg and "currentColor" in svg
    assert all(f"var(--element-{number})" in svg for number in (7, 8, 9, 15, 16))
    assert not re.search(r"#[0-9A-Fa-f]{6}|xmlns|id=|class=|http", svg)
    texts = re.findall(r'<text x="([^"]*)" y="([^"]*)">([^<]*)<', svg)
    assert "".join(sorted("".join(letters for _, _, letters in texts))) == "22FHHHNOPS"
    for xs, ys, letters in texts:
        assert len(xs.split()) == len(ys.split()) == len(letters)


def test_a_drawing_is_rdkits_in_tenths() -> None:
    """Every line of the path leads where RDKit's absolute one does."""
    relative = _relative("M 10.0,2.5 L 3.1,4 L 12,4.9 M 1,1 Q 2.0 3.0, -1.5 0.1 Z ")
    assert relative == "M100 25l-69 15l89 9M10 10q10 20-25-9z"


@pytest.mark.parametrize("smiles", ["[H][H]", "*", "[U+6].[OH-]", "[13CH4]", "C[N@+](F)(Cl)Br",
                                    "C" * MAX_ATOMS, "B[Si]I", "CC~[Fe]"])  # fmt: skip
def test_odd_molecules_are_drawn(smiles: str) -> None:
    assert draw(parse_smiles(smiles), "odd").endswith("</svg>")


def test_what_is_found_but_not_as_claimed_is_orange(make_row, make_report, page_of) -> None:
    caption = "The molecule is a diol carrying three hydroxy groups at positions 1, 2 and 3."
    page = page_of(make_report(make_row(smiles="OCCO", caption=caption)))
    assert "Orange, there but not as claimed: hydroxy." in page.text
    assert page.count("g", style="fill:var(--refuted);stroke:var(--refuted);stroke-width:10")


def test_what_is_absent_is_said(make_row, make_report, page_of) -> None:
    page = page_of(make_report(make_row(caption="The molecule is a steroid.")))
    assert "What the structure lacks cannot be highlighted." in page.text
    assert "steroid: expected 1, found 0" in page.text


def test_groups_are_counted_once_a_text(make_row) -> None:
    rows = [
        make_row(caption="It is a steroid. It is a steroid and a member of benzoic acids."),
        make_row(caption="It is not read", reference="The molecule is a member of benzoic acids."),
        make_row(smiles=None),
    ]
    counts = GroupCounts(rows, LEXICON)
    assert counts.of("steroid") == (0, 0, 1)
    assert counts.of("benzoic_acid") == (2, 1, 0)
    table = group_frequency(rows, LEXICON)
    assert table is not None and "steroid" in table and table.index("benzoic") < table.index("ster")


def test_no_groups_without_claims(make_row) -> None:
    assert group_frequency([make_row(smiles=None)], LEXICON) is None
    assert group_frequency([make_row(caption="Good.", reference="Fine.")], LEXICON) is None
