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
    different = {gram for tokens in captions for gram in ngrams(tokens, order)}
    n_ngrams = sum(max(0, len(tokens) - order + 1) for tokens in captions)
    return len(different) / n_ngrams if n_ngrams else 0.0
