"""Which groups references and captions name: what a captioner forgets, and what it invents."""

from collections import Counter
from collections.abc import Sequence

from molcaption.claims.lexicon import Lexicon
from molcaption.claims.verify import CaptionCheck, Claim
from molcaption.metrics.scorecard import ScoreRow
from molcaption.report.charts import stacked_bar
from molcaption.report.marks import concept_name
from molcaption.report.markup import Html, join, tag

TOP = 20
_NOTE = tag(
    "p",
    "How many texts say that the molecule has the group: ",
    tag("span", class_="key reference"), "references (not refuted by the structure), ",
    tag("span", class_="key supported"), "captions not refuted, ",
    tag("span", class_="key refuted"), "captions refuted.",
    class_="note",
)  # fmt: skip


class GroupCounts:
    """Texts by the concepts that they ascribe to the molecule.

    A text counts once per concept, as refuted if one of its mentions is. What the structure
    cannot prove counts as held: most molecules have a hydroxy group, and no claim of it is proof.
    """

    def __init__(self, rows: Sequence[ScoreRow], lexicon: Lexicon) -> None:
        self.referred: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self.refuted: Counter[str] = Counter()
        for row in rows:
            held, _ = _ascribed(row.reference_check, lexicon)
            self.referred.update(held)
            held, refuted = _ascribed(row.check, lexicon)
            self.held.update(held)
            self.refuted.update(refuted)

    def of(self, concept: str) -> tuple[int, int, int]:
        """References, captions that hold and captions that are refuted."""
        return self.referred[concept], self.held[concept], self.refuted[concept]


def _ascribed(check: CaptionCheck | None, lexicon: Lexicon) -> tuple[set[str], set[str]]:
    """Concepts held and refuted."""
    said = [] if check is None else [c for c in check.claims if _is_group(c, lexicon)]
    refuted = {str(c["concept"]) for c in said if c["verdict"] == "contradicted"}
    return {str(c["concept"]) for c in said} - refuted, refuted


def _is_group(claim: Claim, lexicon: Lexicon) -> bool:
    """Whether it names a group or class as the molecule's; patterns read charges and relations."""
    concept = lexicon.concepts.get(claim["concept"] or "")
    judged = claim["verdict"] != "unchecked" or claim["reason"] == "insufficient_structure"
    named = concept is not None and bool(concept.names or concept.groups)
    return named and judged and claim["polarity"] == "positive"


def group_frequency(rows: Sequence[ScoreRow], lexicon: Lexicon) -> Html | None:
    """Two tables with bars: the groups of the references, and those most often claimed wrongly.

    None where no row has a structure or none of them has a group to show.
    """
    counts = GroupCounts(rows, lexicon)
    tables = [
        _table(title, _top(order), counts, lexicon)
        for title, order in (
            ("Most often in the references", counts.referred),
            ("Most often refuted in the captions", counts.refuted),
        )
        if order
    ]
    return join(_NOTE, tag("div", *tables, class_="columns")) if tables else None


def _top(order: Counter[str]) -> list[str]:
    return sorted(order, key=lambda concept: (-order[concept], concept))[:TOP]


def _table(title: str, concepts: list[str], counts: GroupCounts, lexicon: Lexicon) -> Html:
    heads = ("Group", "References", "Captions", "Refuted")
    numbers = [counts.of(concept) for concept in concepts]
    whole = max(max(referred, held + refuted) for referred, held, refuted in numbers)
    names = [concept_name(concept, lexicon) for concept in concepts]
    lines = [_line(name, *told, whole) for name, told in zip(names, numbers, strict=True)]
    return tag(
        "table", tag("caption", title),
        tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])),
        tag("tbody", *lines),
        class_="groups",
    )  # fmt: skip


def _line(name: str, referred: int, held: int, refuted: int, whole: int) -> Html:
    bars = (
        stacked_bar([("reference", referred, "references")], whole),
        stacked_bar([("supported", held, "not refuted"), ("refuted", refuted, "refuted")], whole),
    )
    numbers = [tag("td", f"{n:,}", class_="number") for n in (referred, held + refuted, refuted)]
    return tag("tr", tag("th", name, *bars, scope="row"), *numbers)
