"""What one scoring run found, ready to be written as JSON, a table or a page."""

from dataclasses import dataclass
from typing import Any

from molcaption.claims import CaptionCheck
from molcaption.metrics.signatures import Score


@dataclass(frozen=True)
class ScoreRow:
    """One caption beside its reference. Scores from 0 to 1; claims as the claims engine judged.

    Attributes:
        smiles: None where neither file has a SMILES column.
        scores: bleu4 (of the sentence, NLTK's smoothing method 3), meteor, rougeL, exact.
        check, reference_check: of the caption and of the reference; None without a structure.
    """

    id: str
    smiles: str | None
    caption: str
    reference: str
    scores: dict[str, float]
    check: CaptionCheck | None
    reference_check: CaptionCheck | None


@dataclass(frozen=True)
class ScoreReport:
    """Everything that one run prints.

    Attributes:
        summary: version, predictions, references, n, charged_empty, missing.
        breakdowns: name to rows of ``{group, n, <metric>: value, …}``.
        against: the paired comparison with another file, if any.
    """

    summary: dict[str, Any]
    scores: list[Score]
    rows: list[ScoreRow]
    breakdowns: dict[str, list[dict[str, Any]]]
    against: dict[str, Any] | None = None
