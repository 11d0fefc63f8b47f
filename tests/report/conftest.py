"""A small report with every part, and a reader of pages that is stricter than a browser."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.metrics.scorecard import ScoreReport, ScoreRow
from molcaption.metrics.signatures import Score
from molcaption.report.page import render

VOID = {"meta"}
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@dataclass
class Page(HTMLParser):
    """Elements, attributes and text of a page; refuses tags that do not nest."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> says an attribute twice: {attrs}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def count(self, tag: str, **attributes: str) -> int:
        return sum(t == tag and attributes.items() <= a.items() for t, a in self.tags)

    @property
    def text(self) -> str:
        shown = (text for path, text in self.texts if "style" not in path)
        return "".join(shown)


def row(
    id: str = "CHEBI:1",
    smiles: str | None = ASPIRIN,
    caption: str = "The molecule is a steroid. It is a benzoic acid.",
    reference: str = "The molecule is a benzoic acid.",
    bleu4: float = 0.5,
) -> ScoreRow:
    check = reference_check = None
    if smiles is not None:
        try:
            mol = parse_smiles(smiles)
        except InvalidMolecule:
            mol = None
        check, reference_check = (
            check_caption(mol, text, load_lexicon()) for text in (caption, reference)
        )
    scores = {"bleu4": bleu4, "meteor": bleu4, "rougeL": bleu4, "exact": 0.0}
    return ScoreRow(id, smiles, caption, reference, scores, check, reference_check)


def report(*rows: ScoreRow, **changes: object) -> ScoreReport:
    summary = {
        "version": "0", "predictions": "captions.tsv", "references": "references.tsv",
        "n": len(rows), "charged_empty": 3, "missing": 2,
    }  # fmt: skip
    scores = [
        Score("bleu4", 0.43211, "bleu4|tok:word|n:1", 0.41, 0.45),
        Score("distinct1", 0.1, "distinct1|tok:word|n:1"),
    ]
    given: dict[str, object] = {"summary": summary, "scores": scores, "breakdowns": {}, **changes}
    return ScoreReport(rows=list(rows), **given)  # type: ignore[arg-type]


@pytest.fixture
def make_row() -> Callable[..., ScoreRow]:
    return row


@pytest.fixture
def make_report() -> Callable[..., ScoreReport]:
    return report


@pytest.fixture
def page_of() -> Callable[[ScoreReport], Page]:
    return lambda made: Page(render(made, load_lexicon()))
