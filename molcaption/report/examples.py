"""The worst and the best captions, each beside its molecule, with what was refuted in it."""

from collections.abc import Iterable, Sequence

from molcaption.claims.lexicon import Lexicon
from molcaption.metrics.scorecard import ScoreRow
from molcaption.report.marks import marked, refuted_claims, short_id
from molcaption.report.markup import Html, tag
from molcaption.report.picture import picture
from molcaption.report.tables import name_of, shown

SHOWN = 20
HEADLINE = "bleu4"
ORDER = "By sentence BLEU-4, then by refuted claims and bits; empty captions are not shown."


def extremes(rows: Sequence[ScoreRow]) -> tuple[list[ScoreRow], list[ScoreRow]]:
    """The worst and the best rows, the most extreme first; no row is in both.

    By sentence BLEU-4; where that is equal, by refuted claims and then by bits. Empty captions
    are left out: their number is in the head of the page, and there is nothing to see.
    """
    written = sorted((row for row in rows if row.caption.strip()), key=_merit)
    half = len(written) // 2
    worst = written[: min(SHOWN, half)]
    best = written[max(half, len(written) - SHOWN) :]
    return worst, best[::-1]


def _merit(row: ScoreRow) -> tuple[float, int, float]:
    refuted, bits = (row.check.n_contradicted, row.check.validity_bits) if row.check else (0, 0.0)
    return row.scores.get(HEADLINE, 0.0), -refuted, bits


def cards(rows: Iterable[ScoreRow], lexicon: Lexicon) -> Html:
    """One card a row: molecule, scores, marked caption, refuted claims and reference."""
    return tag("ol", *[_card(row, lexicon) for row in rows], class_="cards numbered")


def _card(row: ScoreRow, lexicon: Lexicon) -> Html:
    name = short_id(row.id)
    return tag(
        "li",
        tag("h3", tag("bdi", name)),
        _scores(row),
        picture(row.smiles, name, row.check, lexicon) if row.smiles is not None else None,
        tag(
            "div",
            tag("h4", "Caption"), tag("p", marked(row.caption, row.check, lexicon)),
            refuted_claims(row.check, lexicon),
            tag("h4", "Reference"), tag("p", marked(row.reference, None, lexicon)),
            class_="words",
        ),
    )  # fmt: skip


def _scores(row: ScoreRow) -> Html:
    said = [f"{name_of(key)} {shown(value)}" for key, value in row.scores.items()]
    if row.check is not None:
        check = row.check
        said.append(f"{check.n_supported} supported, {check.n_contradicted} refuted")
        said.append(f"{check.validity_bits:.1f} bits")
    return tag("p", " · ".join(said), class_="scores")
