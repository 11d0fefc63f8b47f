"""The page of one scoring run: a single HTML file that needs no network and no script.

The same report gives the same bytes: there is no date in it. Its size is bound by what it shows
(bins, top groups, forty molecules), not by the number of rows.
"""

from collections.abc import Sequence
from pathlib import Path

from molcaption.claims import load_lexicon
from molcaption.claims.lexicon import Lexicon
from molcaption.data.atomic import atomic_write
from molcaption.metrics.scorecard import ScoreReport, ScoreRow
from molcaption.report.charts import histogram
from molcaption.report.document import Section, document
from molcaption.report.examples import ORDER, cards, extremes
from molcaption.report.groups import group_frequency
from molcaption.report.markup import Html, join, tag
from molcaption.report.tables import facts, name_of, nested, score_table, table

_FILES = ("predictions", "references")
_COUNTS = {
    "n": "captions",
    "missing": "missing, charged as empty",
    "charged_empty": "empty in all",
    "version": "version of molcaption",
}
_PARTS = {
    "size": "heavy atoms",
    "components": "components of the record",
    "similarity": "similarity to the nearest training molecule",
    "claims": "kind of claim",
    "scope": "place of the claim in its sentence",
}
_NO_STRUCTURES = "Without structures no claim can be checked: give a table with a SMILES column."
_NO_GROUPS = "No text names a group that the structures could bear out or refute."


def write_report(report: ScoreReport, path: str | Path, lexicon: Lexicon | None = None) -> None:
    """Write ``report`` as one HTML page to ``path``, whole or not at all.

    Args:
        lexicon: the one that the claims were checked with; the built-in one if None.

    Raises:
        CannotWriteError: ``path`` cannot be written.
    """
    html = render(report, lexicon or load_lexicon())
    with atomic_write(path, "w") as file:
        file.write(html)


def render(report: ScoreReport, lexicon: Lexicon) -> str:
    """The page as text."""
    return document("Caption scores", _head(report), _sections(report, lexicon))


def _head(report: ScoreReport) -> Html:
    names = [tag("code", report.summary.get(key, "–")) for key in _FILES]
    told = {k: report.summary[k] for k in (*_COUNTS, *report.summary) if k in report.summary}
    counts = {_COUNTS.get(key, key): value for key, value in told.items() if key not in _FILES}
    return join(tag("p", names[0], " scored against ", names[1]), facts(counts))


def _sections(report: ScoreReport, lexicon: Lexicon) -> list[Section]:
    worst, best = extremes(report.rows)
    found: list[tuple[str, str, Html | None]] = [
        ("scores", "Scores", score_table(report.scores)),
        ("comparison", "Comparison", nested(report.against) if report.against else None),
        ("distributions", "Distributions", _distributions(report)),
        ("groups", "Groups", _groups(report, lexicon)),
        ("breakdowns", "Breakdowns", _breakdowns(report)),
        ("worst", f"Worst {len(worst)} captions", _extreme(worst, lexicon)),
        ("best", f"Best {len(best)} captions", _extreme(best, lexicon)),
    ]
    return [(anchor, heading, html) for anchor, heading, html in found if html]


def _extreme(rows: Sequence[ScoreRow], lexicon: Lexicon) -> Html | None:
    return join(tag("p", ORDER, class_="note"), cards(rows, lexicon)) if rows else None


def _groups(report: ScoreReport, lexicon: Lexicon) -> Html:
    if not any(row.check or row.reference_check for row in report.rows):
        return tag("p", _NO_STRUCTURES, class_="note")
    return group_frequency(report.rows, lexicon) or tag("p", _NO_GROUPS, class_="note")


def _distributions(report: ScoreReport) -> Html | None:
    rows, checks = report.rows, [row.check for row in report.rows if row.check]
    figures = (
        histogram("Sentence BLEU-4", [row.scores.get("bleu4") for row in rows]),
        histogram("METEOR", [row.scores.get("meteor") for row in rows]),
        histogram("Validity score", [check.validity_score for check in checks]),
        histogram("Supported bits", [check.validity_bits for check in checks], top=None),
    )
    return tag("div", *figures, class_="figures") if any(figures) else None


def _breakdowns(report: ScoreReport) -> Html | None:
    parts = report.breakdowns.items()
    tables = [table(rows, f"By {_PARTS.get(by, name_of(by))}") for by, rows in parts if rows]
    return join(*tables) if tables else None
