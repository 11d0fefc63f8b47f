"""Which groups references have and captions claim: what a captioner forgets, and what it invents."""

from collections import Counter
from collections.abc import Sequence

from molcaption.claims.lexicon import Lexicon
from molcaption.metrics.scorecard import ScoreRow
from molcaption.report.charts import stacked_bar
from molcaption.report.markup import Html, join, tag
from molcaption.report.marks import concept_name

TOP = 25
_LEGEND = tag(
    "p",
    tag("span", class_="key reference"), "references, supported by the structure ",
    tag("span", class_="key supported"), "captions, supported ",
    tag("span", class_="key refuted"), "captions, refuted",
    class_="legend",
)  # fmt: skip


class GroupCounts:
    """Rows by concept: supported in the reference, supported and refuted in the caption.

    A caption counts once per concept, as refuted if any of its mentions is.
    """

    def __init__(self, rows: Sequence[ScoreRow]) -> None:
        self.referred: Counter[str] = Counter()
        self.supported: Counter[str] = Counter()
        self.refuted: Counter[str] = Counter()
        for row in rows:
            if row.reference_check is not None:
                self.referred.update(row.reference_check.groups_supported)
            if row.check is not None:
                wrong = set(row.check.groups_contradicted)
                self.refuted.update(wrong)
                self.supported.update(set(row.check.groups_supported) - wrong)

    def largest(self, concepts: Sequence[str]) -> int:
        """The longest bar that ``concepts`` need."""
        return max(max(self.referred[c], self.supported[c] + self.refuted[c]) for c in concepts)


def group_frequency(rows: Sequence[ScoreRow], lexicon: Lexicon) -> Html | None:
    """Two tables with bars: the groups of the references, and those most often claimed wrongly.

    None where no row has a structure or none of them has a group to show.
    """
    counts = GroupCounts(rows)
    tables = [
        _table(title, _top(order), counts, lexicon)
        for title, order in (
            ("Most often in the references", counts.referred),
            ("Most often refuted in the captions", counts.refuted),
        )
        if order
    ]
    return join(_LEGEND, tag("div", *tables, class_="columns")) if tables else None


def _top(order: Counter[str]) -> list[str]:
    return sorted(order, key=lambda concept: (-order[concept], concept))[:TOP]


def _table(title: str, concepts: list[str], counts: GroupCounts, lexicon: Lexicon) -> Html:
    heads = ("Group", "Share", "References", "Supported", "Refuted")
    whole = counts.largest(concepts)
    return tag(
        "table", tag("caption", title),
        tag("thead", tag("tr", *[tag("th", head, scope="col") for head in heads])),
        tag("tbody", *[_line(concept, counts, whole, lexicon) for concept in concepts]),
        class_="groups",
    )  # fmt: skip


def _line(concept: str, counts: GroupCounts, whole: int, lexicon: Lexicon) -> Html:
    told = (counts.referred[concept], counts.supported[concept], counts.refuted[concept])
    referred, supported, refuted = told
    bars = (
        stacked_bar([("reference", referred, "references")], whole),
        stacked_bar(
            [("supported", supported, "captions, supported"),
             ("refuted", refuted, "captions, refuted")],
            whole,
        ),
    )  # fmt: skip
    return tag(
        "tr", tag("th", concept_name(concept, lexicon), scope="row"), tag("td", *bars),
        *[tag("td", f"{count:,}", class_="number") for count in told],
    )  # fmt: skip
