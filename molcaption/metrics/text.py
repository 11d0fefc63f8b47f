"""How close captions come to their references: BLEU, METEOR, ROUGE and counts beside them.

NLTK and rouge_score define the numbers; nothing is smoothed, skipped or averaged otherwise than
plain calls of them do, and tests hold every digit. What is ours is only what repeats: tokens, stems
and synonyms are kept, and BLEU's counts are taken once per row, so that BLEU-2, BLEU-4 and any
resampling of the rows come from one pass.

N is the number of caption pairs throughout.
"""

import math
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import brevity_penalty
from nltk.translate.meteor_score import meteor_score
from nltk.util import ngrams

from molcaption.metrics.wordnet import Synonyms

Tokens = Sequence[Sequence[str]]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MAX_ORDER = 4
ROUGE_TYPES = ("rouge1", "rouge2", "rougeL")


def bleu_counts(captions: Tokens, references: Tokens) -> Counts:
    """What corpus BLEU sums over rows, so that any subset of rows can be scored again.

    Shapes:
        result [N, 10]: clipped matches of orders 1-4, n-grams of orders 1-4, caption tokens,
        reference tokens. As in NLTK, a caption too short for an order counts one n-gram there.
    """
    rows = [_bleu_row(*pair) for pair in zip(captions, references, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * MAX_ORDER + 2)


def _bleu_row(caption: Sequence[str], reference: Sequence[str]) -> list[int]:
    matches, totals = [], []
    for order in range(1, MAX_ORDER + 1):
        found, wanted = _ngram_counts(caption, order), _ngram_counts(reference, order)
        matches.append(sum(min(count, wanted[gram]) for gram, count in found.items()))
        totals.append(max(1, len(caption) - order + 1))
    return [*matches, *totals, len(caption), len(reference)]


def _ngram_counts(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(ngrams(tokens, order))


def bleu(counts: Counts, order: int) -> float:
    """Corpus BLEU up to ``order`` with equal weights, unsmoothed (Papineni et al. 2002).

    Equal to ``nltk.translate.bleu_score.corpus_bleu`` to the last digit, including its value near
    zero where an order has no match at all.

    Args:
        counts: [10], the sum of the rows of `bleu_counts`.
        order: 1 to 4.
    """
    matches, totals = counts[:order].tolist(), counts[MAX_ORDER : MAX_ORDER + order].tolist()
    n_tokens, n_reference_tokens = counts[2 * MAX_ORDER :].tolist()
    if not matches[0]:
        return 0.0
    precisions = [m / t if m else sys.float_info.min for m, t in zip(matches, totals, strict=True)]
    log_mean = math.fsum(1 / order * math.log(precision) for precision in precisions)
    return float(brevity_penalty(n_reference_tokens, n_tokens) * math.exp(log_mean))


class _CachedStemmer(PorterStemmer):
    """NLTK's Porter stemmer with its answers kept: captions repeat a small vocabulary."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = lru_cache(maxsize=None)(super().stem)  # type: ignore[method-assign]


def meteor(captions: Tokens, references: Tokens, synonyms: Synonyms) -> Floats:
    """METEOR of each caption as ``nltk`` computes it: exact, then stem, then synonym matches.

    Without WordNet (`wordnet.NO_WORDNET`) the third stage finds nothing.

    Shapes:
        result [N], from 0 to 1; an empty caption or reference scores 0.
    """
    stemmer = _CachedStemmer()
    scores = [
        meteor_score([reference], caption, stemmer=stemmer, wordnet=synonyms)
        for caption, reference in zip(captions, references, strict=True)
    ]
    return np.array(scores, dtype=np.float64)


def rouge(captions: Sequence[str], references: Sequence[str]) -> dict[str, Floats]:
    """ROUGE F-measures of each caption, by rouge_score's own tokenizer, without stemming.

    Shapes:
        result: `ROUGE_TYPES`, each [N], from 0 to 1.
    """
    scorer = _rouge_scorer()
    rows = [scorer.score(r, c) for c, r in zip(captions, references, strict=True)]
    return {
        kind: np.array([row[kind].fmeasure for row in rows], dtype=np.float64)
        for kind in ROUGE_TYPES
    }


def _rouge_scorer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # absl's, at import
        from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(ROUGE_TYPES))


def exact_match(captions: Sequence[str], references: Sequence[str]) -> Floats:
    """1 where caption and reference are the same text but for surrounding space. Shape [N]."""
    pairs = zip(captions, references, strict=True)
    return np.array([c.strip() == r.strip() for c, r in pairs], dtype=np.float64)


def length_ratio(counts: Counts) -> float:
    """Caption tokens per reference token over the corpus; ``counts`` [10] as for `bleu`."""
    n_tokens, n_reference_tokens = counts[2 * MAX_ORDER :].tolist()
    return float(n_tokens / n_reference_tokens) if n_reference_tokens else 0.0


def distinct(captions: Tokens, order: int) -> float:
    """Share of the corpus's n-grams that are different ones (Li et al. 2016, distinct-n)."""
    counts: Counter[tuple[str, ...]] = Counter()
    for tokens in captions:
        counts.update(ngrams(tokens, order))
    return len(counts) / counts.total() if counts else 0.0
