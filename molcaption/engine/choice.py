"""One caption out of several: what they agree on, and what the structure says about each.

Minimum Bayes risk decoding (Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine
Translation", HLT-NAACL 2004, eq. 1): the candidate that is on average most like all of them, by the
F1 of its n-grams. A claim that the structure supports earns something, one that it refutes costs.

With a memory, the captions of similar molecules are candidates too, and voters whose weight grows
with their similarity. A candidate of theirs is trusted as far as its molecule is similar, one of
the captioner's own as far as such a captioner deserves.
"""

import math
from collections import Counter
from collections.abc import Sequence

from rdkit import Chem

from molcaption.claims import CaptionCheck, Lexicon, Structure, check_against
from molcaption.data.memory import Neighbour
from molcaption.engine.runtimes import Generation
from molcaption.metrics.ngrams import ngrams
from molcaption.metrics.tokenizers import split_words

NEIGHBOURS = 12
"""Captions of similar molecules that are looked at."""
REWARD, PENALTY = 0.03, 0.1
"""For each supported and each refuted claim, on a scale where equal captions agree to 1. These and
the numbers below: fitted to neighbours' captions of training molecules, chosen on the validation
split (docs/quality.md)."""
_MOST_REWARDED = 8
"""A caption must not win by its length."""
_SHARPNESS, _EVEN = 12.0, 0.6
"""A neighbour votes with weight exp(12 (similarity - 0.6)), all of the captioner's own candidates
together with weight 1."""
_OWN_TRUST = 0.7
"""What stands for the similarity of the captioner's own."""
_MAX_ORDER = 4
Grams = list[Counter[tuple[str, ...]]]


def choose(
    own: Sequence[Generation], near: Sequence[Neighbour], mol: Chem.Mol, lexicon: Lexicon
) -> Generation:
    """The best caption; of equals the first, which is the greedy one.

    Args:
        own: the captioner's own candidates.
        near: similar molecules of a memory; a caption of theirs comes without confidence.
    """
    candidates = [*own, *(Generation(n.caption, None, True) for n in near)]
    if len({made.text for made in candidates}) == 1:
        return candidates[0]
    structure = Structure(mol, lexicon)
    counted = [_grams(tokens) for tokens in split_words([made.text for made in candidates])]
    votes = _votes(len(own), near)
    trust = [_OWN_TRUST] * len(own) + [n.similarity for n in near]
    scores = [
        trusted
        + sum(vote * _agreement(this, other) for vote, other in zip(votes, counted, strict=True))
        + _merit(check_against(structure, made.text))
        for made, this, trusted in zip(candidates, counted, trust, strict=True)
    ]
    return candidates[max(range(len(scores)), key=scores.__getitem__)]


def _votes(n_own: int, near: Sequence[Neighbour]) -> list[float]:
    """The weight of each candidate's vote; they add up to one."""
    votes = [1 / n_own] * n_own
    votes += [math.exp(_SHARPNESS * (n.similarity - _EVEN)) for n in near]
    total = sum(votes)
    return [vote / total for vote in votes]


def _merit(check: CaptionCheck) -> float:
    return REWARD * min(check.n_supported, _MOST_REWARDED) - PENALTY * check.n_contradicted


def _grams(tokens: Sequence[str]) -> Grams:
    return [Counter(ngrams(tokens, order)) for order in range(1, _MAX_ORDER + 1)]


def _agreement(one: Grams, other: Grams) -> float:
    """Mean F1 of the n-grams of orders 1 to 4; symmetric, 1 for equal captions."""
    return sum(map(_f1, one, other)) / _MAX_ORDER


def _f1(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
