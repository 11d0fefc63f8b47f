"""A scoring run as text: JSON for programs, a table for the eye, LaTeX for the paper.

Every form carries the signatures; in LaTeX they are comments, so that a number in a manuscript can
still be traced when its log is gone.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from molcaption.metrics.scorecard import ScoreReport
from molcaption.metrics.signatures import Score

Cells = list[list[str]]


def render_json(report: ScoreReport, width: int) -> str:
    """The summary's fields, then scores, breakdowns and comparison, in full precision."""
    content = {**report.summary, "scores": [asdict(score) for score in report.scores]}
    if report.breakdowns:
        content["breakdowns"] = report.breakdowns
    if report.against:
        content["against"] = report.against
    return json.dumps(content, indent=2, ensure_ascii=False)


def render_table(report: ScoreReport, width: int) -> str:
    """Aligned columns; breakdowns and comparison follow, each under a line that names it."""
    numbers = [[s.name, _number(s.value, width), _interval(s, width)] for s in report.scores]
    signed = zip(_aligned(numbers), report.scores, strict=True)
    parts = ["\n".join(f"{line}  {score.signature}" for line, score in signed)]
    for name, rows in report.breakdowns.items():
        parts.append("\n".join([f"by {name}", *_aligned(_cells(rows, width))]))
    if report.against:
        compared = _cells(report.against["metrics"], width)
        parts.append("\n".join([_against(report.against), *_aligned(compared)]))
    return "\n\n".join(parts)


def render_latex(report: ScoreReport, width: int) -> str:
    """`tabular` environments with rules of booktabs."""
    lines = [f"% {score.signature}" for score in report.scores]
    scores = [
        ["metric", "score", "95 % interval"],
        *([s.name, _number(s.value, width), _interval(s, width)] for s in report.scores),
    ]
    parts = ["\n".join([*lines, _tabular(scores)])]
    for name, rows in report.breakdowns.items():
        parts.append(f"% by {name}\n" + _tabular(_cells(rows, width)))
    if report.against:
        compared = _tabular(_cells(report.against["metrics"], width))
        parts.append(f"% {_against(report.against)}\n{compared}")
    return "\n\n".join(parts)


def render_brief(report: ScoreReport, width: int) -> str:
    """Bare numbers, one a line."""
    return "\n".join(_number(score.value, width) for score in report.scores)


FORMATS: dict[str, Callable[[ScoreReport, int], str]] = {
    "json": render_json,
    "table": render_table,
    "latex": render_latex,
}


def _number(value: object, width: int) -> str:
    if isinstance(value, float):
        return f"{value:.{width}f}"
    return "-" if value is None else str(value)


def _interval(score: Score, width: int) -> str:
    if score.low is None or score.high is None:
        return ""
    return f"[{score.low:.{width}f}, {score.high:.{width}f}]"


def _against(against: dict[str, Any]) -> str:
    return (
        f"against {against['predictions']}: {against['paired']}, "
        f"{against['resamples']} resamples, seed {against['seed']}"
    )


def _cells(rows: Sequence[dict[str, Any]], width: int) -> Cells:
    """A header of the rows' keys, and their values."""
    names = list(rows[0]) if rows else []
    return [names, *([_number(row[name], width) for name in names] for row in rows)]


def _aligned(cells: Cells) -> list[str]:
    """Lines of columns of equal width, the first to the left and the others to the right."""
    broad = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([row[0].ljust(broad[0]), *map(str.rjust, row[1:], broad[1:])]) for row in cells
    ]


_LATEX = str.maketrans({sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}"})


def _tabular(cells: Cells) -> str:
    header, *body = [" & ".join(cell.translate(_LATEX) for cell in row) + r" \\" for row in cells]
    columns = "l" + "r" * (len(cells[0]) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            header,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )
