"""Counts of n-grams: what BLEU, ROUGE and distinct-n are made of."""

from collections import Counter
from collections.abc import Iterator, Sequence


def ngrams(tokens: Sequence[str], order: int) -> Iterator[tuple[str, ...]]:
    """Runs of ``order`` neighbouring tokens, none where there are fewer tokens."""
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def n_matches(caption: Sequence[str], reference: Sequence[str], order: int) -> int:
    """N-grams of ``caption`` that ``reference`` has too, each as often as it does at most."""
    free = Counter(ngrams(reference, order))
    matches = 0
    for gram in ngrams(caption, order):
        if free.get(gram):
            free[gram] -= 1
            matches += 1
    return matches


def distinct(captions: Sequence[Sequence[str]], order: int) -> float:
    """Share of a corpus's n-grams that are different ones (Li et al. 2016, distinct-n)."""
    counts: Counter[tuple[str, ...]] = Counter()
    for tokens in captions:
        counts.update(ngrams(tokens, order))
    return len(counts) / counts.total() if counts else 0.0
