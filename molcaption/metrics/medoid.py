"""The one text that agrees best with a whole corpus: the strongest constant caption.

Corpus BLEU of one caption against every reference needs, per n-gram, only how many references
hold it at least once, twice, …: a caption with the n-gram c times matches
``sum_r min(c, c_r) = sum_{k <= c} #{r: c_r >= k}`` times. So all candidates are scored exactly, in
one pass over the corpus, and nothing has to be sampled.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from nltk.util import ngrams

from molcaption.metrics.text import MAX_ORDER, Tokens, bleu


def medoid(texts: Tokens) -> tuple[int, float]:
    """Place of the text with the highest corpus BLEU-4 as caption of all texts, and that BLEU.

    The first of equals; every text is also its own reference, which changes nothing at this size.

    Raises:
        ValueError: there are no texts.
    """
    if not texts:
        raise ValueError("a medoid needs at least one text")
    holders = [_holders(texts, order) for order in range(1, MAX_ORDER + 1)]
    n_reference_tokens = sum(map(len, texts))
    scores = [_constant_bleu(text, holders, len(texts), n_reference_tokens) for text in texts]
    best = int(np.argmax(scores))
    return best, scores[best]


Holders = Counter[tuple[tuple[str, ...], int]]


def _holders(texts: Tokens, order: int) -> Holders:
    """How many texts hold an n-gram at least k times, by (n-gram, k)."""
    counts: Holders = Counter()
    for text in texts:
        for gram, count in Counter(ngrams(text, order)).items():
            counts.update((gram, k) for k in range(1, count + 1))
    return counts


def _constant_bleu(
    text: Sequence[str], holders: list[Holders], n_texts: int, n_reference_tokens: int
) -> float:
    matches = [
        sum(
            holders[order - 1][gram, k]
            for gram, count in Counter(ngrams(text, order)).items()
            for k in range(1, count + 1)
        )
        for order in range(1, MAX_ORDER + 1)
    ]
    totals = [n_texts * max(1, len(text) - order + 1) for order in range(1, MAX_ORDER + 1)]
    counts = [*matches, *totals, n_texts * len(text), n_reference_tokens]
    return bleu(np.array(counts, dtype=np.int64), MAX_ORDER)
