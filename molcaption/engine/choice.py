"""One caption out of several: what they agree on, and what the structure allows.

Minimum Bayes risk decoding (Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine
Translation", HLT-NAACL 2004, eq. 1): the candidate that is on average most like all of them, by the
F1 of its n-grams; from that is taken a penalty for each claim that the structure refutes.

With a memory, the captions of similar molecules are candidates too, and voters whose weight grows
with their similarity: of a molecule with a near twin the twin's caption usually wins, of one that
is like no other the captioner's own.
"""

import math
from collections import Counter
from collections.abc import Sequence

from rdkit import Chem

from molcaption.claims import Lexicon, check_caption
from molcaption.data.memory import Neighbour
from molcaption.engine.runtimes import Generation
from molcaption.metrics.ngrams import ngrams
from molcaption.metrics.tokenizers import split_words

NEIGHBOURS = 12
"""Captions of similar molecules that are looked at."""
PENALTY = 0.05
"""For each refuted claim, on a scale where equal captions agree to 1; chosen, like the numbers
below, on the validation split (docs/quality.md)."""
_SHARPNESS, _EVEN = 12.0, 0.6
"""A neighbour votes with weight exp(12 (similarity - 0.6)); all of the captioner's own together
with weight 1."""
_MAX_ORDER = 4
Grams = list[Counter[tuple[str, ...]]]


def choose(
    own: Sequence[Generation], near: Sequence[Neighbour], mol: Chem.Mol, lexicon: Lexicon
) -> Generation:
    """The best caption; of equals the first, which is the greedy one.

    Args:
        own: the captioner's own candidates.
        near: similar molecules of a memory; a caption of theirs that is chosen comes with their
            similarity as its confidence.
    """
    candidates = [*own, *(Generation(n.caption, n.similarity, True) for n in near)]
    if len({made.text for made in candidates}) == 1:
        return candidates[0]
    votes = [1 / len(own)] * len(own)
    votes += [math.exp(_SHARPNESS * (n.similarity - _EVEN)) for n in near]
    total = sum(votes)
    counted = [_grams(tokens) for tokens in split_words([made.text for made in candidates])]
    scores = [
        sum(vote * _agreement(this, other) for vote, other in zip(votes, counted, strict=True))
        / total
        - PENALTY * check_caption(mol, made.text, lexicon).n_contradicted
        for this, made in zip(counted, candidates, strict=True)
    ]
    return candidates[max(range(len(scores)), key=scores.__getitem__)]


def _grams(tokens: Sequence[str]) -> Grams:
    return [Counter(ngrams(tokens, order)) for order in range(1, _MAX_ORDER + 1)]


def _agreement(one: Grams, other: Grams) -> float:
    """Mean F1 of the n-grams of orders 1 to 4; symmetric, 1 for equal captions."""
    return sum(map(_f1, one, other)) / _MAX_ORDER


def _f1(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
