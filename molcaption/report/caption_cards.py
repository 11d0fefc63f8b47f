"""Output rows as cards: drawing, marked caption, verdict and confidence."""

from collections.abc import Iterable, Mapping
from typing import Any

from molcaption.claims.lexicon import Lexicon
from molcaption.claims.verify import CaptionCheck
from molcaption.report.document import claims_style
from molcaption.report.marks import MAX_TEXT, marked, refuted_claims, short_id
from molcaption.report.markup import Html, tag
from molcaption.report.picture import picture

Row = Mapping[str, Any]  # the columns of an output file
KINDS = {
    "supported": ("✓", "Supported"),
    "refuted": ("✗", "Refuted"),
    "not-checkable": ("?", "Not checkable"),
    "rejects": ("–", "Rejects"),
}
"""Anchor of each kind of row -> its sign and its heading."""
_BY_STATUS = {"ok": "supported", "contradicted": "refuted", "not_checkable": "not-checkable"}


def kind_of(row: Row) -> str:
    """The key in `KINDS`; a row with an error is a reject, whatever its status."""
    return "rejects" if row["error"] else _BY_STATUS.get(row["validity_status"], "rejects")


def card(row: Row, lexicon: Lexicon) -> Html:
    """One row as a list item."""
    kind, check = kind_of(row), CaptionCheck.of_columns(row)
    name = short_id(str(row["id"] or ""))
    heading = tag("h3", f"{row['record']} ", tag("bdi", name) if name else None)
    if kind == "rejects":
        code = tag("code", str(row["smiles"] or "")[:MAX_TEXT])
        return tag("li", heading, _told(row, kind), tag("div", code, class_="words"), class_=kind)
    return tag(
        "li", heading, _told(row, kind),
        picture(str(row["smiles"]), name or f"record {row['record']}", check, lexicon),
        tag(
            "div", tag("p", marked(row["caption"] or "", check, lexicon)),
            refuted_claims(check, lexicon), class_="words",
        ),
        class_=kind,
    )  # fmt: skip


def _told(row: Row, kind: str) -> Html:
    """Verdict and confidence in words."""
    verdict = tag("span", f"{KINDS[kind][0]} {verdict_in_words(row)}", class_="verdict")
    confidence = row.get("confidence")
    said = None if confidence is None else f" · confidence {float(confidence):.2f}"
    return tag("p", verdict, said, class_="scores")


def verdict_in_words(row: Row) -> str:
    """What became of a row's claims, or why it has none."""
    refuted, checkable = row["n_contradicted"], row["n_checkable"]
    claims = f"{checkable} checkable claim{'' if checkable == 1 else 's'}"
    return {
        "supported": f"Supported: {claims}, none refuted",
        "refuted": f"Refuted: {refuted} of {claims}",
        "not-checkable": "Not checkable: no claim that the structure could decide",
        "rejects": f"Rejected: {row['error'] or row['validity_status']}",
    }[kind_of(row)]


def fragment(rows: Iterable[Row], lexicon: Lexicon) -> Html:
    """Cards with their own style sheet, to be shown within another page such as a notebook."""
    cards = [card(row, lexicon) for row in rows]
    style = tag("style", Html(claims_style()))
    return tag("div", style, tag("ol", *cards, class_="cards"), class_="molcaption")
