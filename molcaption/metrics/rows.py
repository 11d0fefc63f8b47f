"""Scores of single captions: for finding the good and the bad ones, not for adding up.

The mean of sentence BLEU is not corpus BLEU; it is kept out of the scores for that reason.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from molcaption.claims import CaptionCheck
from molcaption.metrics import text
from molcaption.metrics.scorecard import ScoreRow
from molcaption.metrics.signatures import Corpus
from molcaption.metrics.text import MAX_ORDER, Counts, Floats


def sentence_bleu(counts: Counts) -> Floats:
    """BLEU-4 of each caption on its own, as NLTK's smoothing method 3 has it (NIST geometric).

    An order without a match counts as 1/2 match, the next such order as 1/4, and so on; a caption
    without any word of its reference scores 0.

    Shapes:
        counts [N, 10], as from `text.bleu_counts`; result [N], from 0 to 1.
    """
    matches = counts[:, :MAX_ORDER].astype(np.float64)
    missed = matches == 0
    filled = np.where(missed, 0.5 ** np.cumsum(missed, axis=1), matches)
    scores = [text.bleu(row, MAX_ORDER) for row in np.hstack([filled, counts[:, MAX_ORDER:]])]
    return np.where(missed[:, 0], 0.0, scores)


ROW_SCORES: dict[str, Callable[[Corpus], Floats]] = {
    "bleu4": lambda corpus: sentence_bleu(corpus.bleu_counts),
    "meteor": lambda corpus: corpus.meteor,
    "rougeL": lambda corpus: corpus.rouge["rougeL"],
    "exact": lambda corpus: text.exact_match(corpus.captions, corpus.references),
}


def score_rows(
    corpus: Corpus, ids: Sequence[str], smiles: Sequence[str | None] | None
) -> list[ScoreRow]:
    """One row per caption of ``corpus``, in its order; ``smiles`` is None without structures."""
    scores = {name: measure(corpus).tolist() for name, measure in ROW_SCORES.items()}
    rows = []
    for i, identifier in enumerate(ids):
        row = ScoreRow(
            id=identifier,
            smiles=smiles[i] if smiles else None,
            caption=corpus.captions[i],
            reference=corpus.references[i],
            scores={name: values[i] for name, values in scores.items()},
            check=_judged(corpus.claims.captions[i]) if corpus.claims else None,
            reference_check=_judged(corpus.claims.references[i]) if corpus.claims else None,
        )
        rows.append(row)
    return rows


def row_columns(row: ScoreRow) -> dict[str, Any]:
    """A row for a table: scores, then the validity columns, then what the reference claims."""
    plain = {"id": row.id, "smiles": row.smiles, "caption": row.caption, "reference": row.reference}
    if row.check is None or row.reference_check is None:
        return {**plain, **row.scores}
    reference = {"reference_supported": row.reference_check.groups_supported}
    return {**plain, **row.scores, **row.check.columns(), **reference}


def _judged(check: CaptionCheck) -> CaptionCheck | None:
    return None if check.validity_status == "mol_error" else check
