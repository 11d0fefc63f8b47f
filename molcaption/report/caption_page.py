"""The page of a file of captions: what came out in numbers, then the molecules.

Rows are taken as they come. The numbers are of all of them, the cards of the first ones, so that a
page about a million compounds opens like one about a thousand. Kinds of rows are chosen by anchors
(``#refuted``) and CSS alone, and the same rows give the same bytes: there is no date.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from molcaption.claims.lexicon import Lexicon
from molcaption.engine.tally import Tally
from molcaption.report.caption_cards import KINDS, Row, card, kind_of
from molcaption.report.charts import histogram
from molcaption.report.document import Section, document
from molcaption.report.marks import concept_name
from molcaption.report.markup import Html, join, tag
from molcaption.report.tables import facts, table

MOLECULES = 1_000
"""Cards on a page, unless told otherwise: under five megabytes."""
TOP_GROUPS = 10


class CaptionPage:
    """Takes output rows, then renders.

    Args:
        lexicon: names the concepts.
        molecules: how many of the first rows become cards.
    """

    def __init__(self, lexicon: Lexicon, molecules: int = MOLECULES) -> None:
        self._lexicon, self._molecules = lexicon, molecules
        self._tally = Tally()
        self._kinds: Counter[str] = Counter()
        self._supported: Counter[str] = Counter()
        self._refuted: Counter[str] = Counter()
        self._confidence: list[float | None] = []
        self._scores: list[float | None] = []
        self._cards: list[Html] = []
        self._shown: Counter[str] = Counter()

    def add(self, rows: Sequence[Row]) -> None:
        """Count some rows more, and show the first of them."""
        self._tally.add(rows)
        for row in rows:
            kind = kind_of(row)
            self._kinds[kind] += 1
            if kind != "rejects":
                self._confidence.append(row.get("confidence"))
                self._scores.append(row["validity_score"])
                self._supported.update(row["groups_supported"])
                self._refuted.update(row["groups_contradicted"])
            if len(self._cards) < self._molecules:
                self._cards.append(card(row, self._lexicon))
                self._shown[kind] += 1

    def render(self, source: str, told: Mapping[str, Any]) -> str:
        """The page as text.

        Args:
            source: the file of the rows.
            told: what else is known about their making, by name.
        """
        head = join(tag("p", "What ", tag("code", source), " holds"), facts(self._facts(told)))
        found: list[tuple[str, str, Html | None]] = [
            ("distributions", "Distributions", self._distributions()),
            ("groups", "Groups", self._groups()),
            ("reasons", "Reasons of rejects", self._reasons()),
            ("molecules", "Molecules", self._list()),
        ]
        sections: list[Section] = [(at, name, html) for at, name, html in found if html]
        return document("Captions", head, sections)

    def _facts(self, told: Mapping[str, Any]) -> dict[str, Any]:
        captions = self._tally.records - self._kinds["rejects"]
        refuted = self._kinds["refuted"]
        share = f"{refuted:,} ({refuted / captions:.1%})" if captions else "0"
        return {
            "records": self._tally.records,
            "captions": captions,
            "with a refuted claim": share,
            "supported, nothing refuted": self._kinds["supported"],
            "not checkable": self._kinds["not-checkable"],
            "rejects": self._kinds["rejects"],
            **told,
        }

    def _distributions(self) -> Html | None:
        figures = (
            histogram("Confidence", self._confidence),
            histogram("Validity score", self._scores),
        )
        return tag("div", *figures, class_="figures") if any(figures) else None

    def _groups(self) -> Html | None:
        tables = [
            table(
                ({"captions": n, "concept": concept_name(name, self._lexicon)}
                 for name, n in counted.most_common(TOP_GROUPS)),
                f"Most often {verdict}",
            )
            for verdict, counted in (("refuted", self._refuted), ("supported", self._supported))
            if counted
        ]  # fmt: skip
        return tag("div", *tables, class_="columns") if tables else None

    def _reasons(self) -> Html | None:
        reasons = self._tally.listed_reasons()
        return table({"records": n, "reason": r} for r, n in reasons.items()) if reasons else None

    def _list(self) -> Html | None:
        if not self._cards:
            return None
        more = self._tally.records - len(self._cards)
        note = f"The first {len(self._cards):,} of {self._tally.records:,} records." if more else ""
        anchors = [tag("span", id=kind, class_="choice") for kind in KINDS]
        return join(
            *anchors, tag("p", note, class_="note") if note else None, self._choices(),
            tag("ol", *self._cards, class_="cards"),
        )  # fmt: skip

    def _choices(self) -> Html:
        """Links that leave one kind of row on the page."""
        links = [tag("a", f"All {len(self._cards):,}", href="#molecules")]
        links += [
            tag("a", f"{sign} {heading} {self._shown[kind]:,}", href=f"#{kind}")
            for kind, (sign, heading) in KINDS.items()
            if self._shown[kind]
        ]
        return tag("nav", *links, class_="choices", aria_label="Kinds of records")
