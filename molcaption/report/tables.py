"""Scores, comparisons and breakdowns as tables, whatever their columns are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from molcaption.metrics.signatures import Score
from molcaption.report.markup import Html, join, tag

NAMES = {
    "bleu2": "BLEU-2", "bleu4": "BLEU-4", "meteor": "METEOR", "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "sacrebleu": "sacreBLEU", "exact": "exact match",
    "bertscore": "BERTScore", "distinct1": "distinct-1", "distinct2": "distinct-2",
    "claim_f1": "claim F1", "p": "p-value",
}  # fmt: skip


def name_of(key: str) -> str:
    """How people write a metric or the key of a dictionary."""
    return NAMES.get(key, key.replace("_", " "))


def shown(value: object) -> str:
    """A number to four places, a pair of numbers as an interval, anything else as it is."""
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " – ".join(shown(item) for item in value)
    return "–" if value is None else str(value)


def score_table(scores: Sequence[Score]) -> Html:
    """Each score with its interval; the signatures folded below it."""
    rows = [
        {"metric": name_of(s.name), "score": s.value, "95 % interval": _interval(s)} for s in scores
    ]
    signed = [tag("li", tag("code", score.signature)) for score in scores]
    folded = tag("details", tag("summary", "Signatures"), tag("ul", *signed, class_="signatures"))
    return join(table(rows), folded)


def _interval(score: Score) -> tuple[float, float] | None:
    return None if score.low is None or score.high is None else (score.low, score.high)


def table(rows: Iterable[Mapping[str, Any]], title: str | None = None) -> Html:
    """Dictionaries as rows; the columns are their keys, in the order in which they turn up."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    heads = [tag("th", name_of(str(column)), scope="col") for column in columns]
    body = [tag("tr", *[_cell(row.get(c), c == columns[0]) for c in columns]) for row in rows]
    inside = tag(
        "table", tag("caption", title) if title else None,
        tag("thead", tag("tr", *heads)), tag("tbody", *body),
    )  # fmt: skip
    return tag("div", inside, class_="wide")


def _cell(value: object, first: bool) -> Html:
    if first:
        name = name_of(value) if isinstance(value, str) else shown(value)
        return tag("th", name, scope="row")
    is_number = isinstance(value, int | float | list | tuple) or value is None
    return tag("td", shown(value), class_="number" if is_number else None)


def nested(content: Mapping[str, Any]) -> Html:
    """A dictionary of plain values, rows, and dictionaries by name, each in the form that fits."""
    plain = {k: v for k, v in content.items() if not _is_rows(v) and not isinstance(v, dict)}
    tables = [table(v, name_of(k)) for k, v in content.items() if _is_rows(v)]
    by_name = [
        table(({"": name_of(str(name)), **_row(inner)} for name, inner in v.items()), name_of(k))
        for k, v in content.items()
        if isinstance(v, dict)
    ]
    return join(facts(plain) if plain else None, *tables, *by_name)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _row(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}


def facts(content: Mapping[str, Any]) -> Html:
    """Names and values in a row."""
    pairs = [
        tag("div", tag("dt", name_of(str(key))), tag("dd", shown(value)))
        for key, value in content.items()
    ]
    return tag("dl", *pairs)
