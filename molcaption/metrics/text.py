"""Corpus BLEU from counts taken once per row, and the plain counts that stand beside it.

NLTK and sacreBLEU define the numbers; tests hold every digit. The counts are ours, so that BLEU-2,
BLEU-4, sacreBLEU's score and any resampling of the rows come from one pass over each tokenization.

N is the number of caption pairs throughout.
"""

import math
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from nltk.translate.bleu_score import brevity_penalty

from molcaption.metrics.ngrams import n_matches
from molcaption.metrics.pieces import once_per_chunk
from molcaption.processes import map_rows

Tokens = Sequence[Sequence[str]]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MAX_ORDER = 4


def bleu_counts(captions: Tokens, references: Tokens) -> Counts:
    """What corpus BLEU sums over rows, so that any subset of rows can be scored again.

    Shapes:
        result [N, 10]: clipped matches of orders 1-4, n-grams of orders 1-4, caption tokens,
        reference tokens. As in NLTK, a caption too short for an order counts one n-gram there.

    Raises:
        ValueError: captions and references differ in number.
    """
    counts = map_rows(_ngram_rows, captions, references)
    np.maximum(counts[:, MAX_ORDER:-2], 1, out=counts[:, MAX_ORDER:-2])
    return counts


def _ngram_rows(captions: Tokens, references: Tokens) -> Counts:
    rows = [_ngram_row(*pair) for pair in zip(captions, references, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 2 * MAX_ORDER + 2)


def _ngram_row(caption: Sequence[str], reference: Sequence[str]) -> list[int]:
    orders = range(1, MAX_ORDER + 1)
    matches = [n_matches(caption, reference, order) for order in orders]
    totals = [max(0, len(caption) - order + 1) for order in orders]
    return [*matches, *totals, len(caption), len(reference)]


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


def sacrebleu_counts(captions: Sequence[str], references: Sequence[str]) -> Counts:
    """What sacreBLEU sums over rows of raw text, cut by its tokenizer 13a; case is kept.

    Shapes:
        result [N, 10], as `bleu_counts`, but a caption too short for an order counts nothing.
    """
    return map_rows(_ngram_rows, split_13a(captions), split_13a(references))


def split_13a(texts: Sequence[str]) -> list[list[str]]:
    """sacreBLEU's default tokens: those of the official script mteval-v13a, case kept."""
    return _chunks_13a([text.rstrip() for text in texts])


@once_per_chunk
def _chunks_13a(texts: Sequence[str]) -> list[list[str]]:
    cut = _sacrebleu().tokenizer
    return [cut(text).split() for text in texts]


def sacrebleu(counts: Counts | Floats) -> float:
    """``sacrebleu.corpus_bleu`` with its defaults, from 0 to 1; ``counts`` [10] are summed rows."""
    sums = counts.astype(np.int64).tolist()  # sacreBLEU takes no others; resamples sum floats
    matches, totals = sums[:MAX_ORDER], sums[MAX_ORDER:-2]
    n_tokens, n_reference_tokens = sums[-2:]
    metric = _sacrebleu()
    score = metric.compute_bleu(
        matches, totals, n_tokens, n_reference_tokens, smooth_method=metric.smooth_method
    )
    return float(score.score / 100)


@cache
def _sacrebleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU()


def exact_match(captions: Sequence[str], references: Sequence[str]) -> Floats:
    """1 where caption and reference are the same text but for surrounding space. Shape [N]."""
    pairs = zip(captions, references, strict=True)
    return np.array([c.strip() == r.strip() for c, r in pairs], dtype=np.float64)


def length_ratio(counts: Counts) -> float:
    """Caption tokens per reference token over the corpus; ``counts`` [10] as for `bleu`."""
    n_tokens, n_reference_tokens = counts[2 * MAX_ORDER :].tolist()
    return float(n_tokens / n_reference_tokens) if n_reference_tokens else 0.0
