"""One caption out of several: what they agree on, and what the structure says about each.

Minimum Bayes risk decoding (Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine
Translation", HLT-NAACL 2004, eq. 1): the candidate that is on average most like all of them, by the
F1 of its n-grams. A claim that the structure supports earns something, one that it refutes costs.

With a memory, the captions of similar molecules are candidates too, and voters with the weight of
what they tell. A candidate of theirs is trusted as far as its molecule is similar, one of
the captioner's own as far as such a captioner deserves.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims import CaptionCheck, Lexicon, Structure, check_against
from molcaption.data.memory import Neighbour
from molcaption.engine.runtimes import Generation
from molcaption.metrics.ngrams import ngrams
from molcaption.metrics.tokenizers import split_words

NEIGHBOURS = 12
"""Captions of similar molecules that are looked at."""
REWARD, PENALTY = 0.02, 0.3
"""For each supported and each refuted claim, on a scale where equal captions agree to 1. These and
the numbers below: chosen on the validation split (docs/quality.md)."""
_MOST_REWARDED = 8
"""A caption must not win by its length."""
OWN_WEIGHT = 0.5
"""What stands for the weight of a neighbour, for all of the captioner's own candidates together."""
_OWN_TRUST = 0.7
"""What stands for the similarity of the captioner's own."""
_MAX_ORDER = 4
Grams = list[Counter[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A caption that might be chosen.

    Attributes:
        vote: its weight among all; the votes add up to one.
        trust: how far it is believed, on the scale of similarities.
    """

    made: Generation
    vote: float
    trust: float


def choose(
    own: Sequence[Generation], near: Sequence[Neighbour], mol: Chem.Mol, lexicon: Lexicon
) -> Generation:
    """The best caption as it is; of equals the first, which is the greedy one.

    Args:
        own: the captioner's own candidates.
        near: similar molecules of a memory; a caption of theirs comes without confidence.
    """
    candidates = candidates_of(own, near)
    texts = [candidate.made.text for candidate in candidates]
    return candidates[best(candidates, texts, Structure(mol, lexicon))].made


def candidates_of(own: Sequence[Generation], near: Sequence[Neighbour]) -> list[Candidate]:
    """The captioner's own candidates, then those of the neighbours."""
    votes = [OWN_WEIGHT / len(own)] * len(own) + [n.weight for n in near]
    total = sum(votes)
    made = [*own, *(Generation(n.caption, None, True) for n in near)]
    trust = [_OWN_TRUST] * len(own) + [n.similarity for n in near]
    return [Candidate(m, v / total, t) for m, v, t in zip(made, votes, trust, strict=True)]


def best(candidates: Sequence[Candidate], texts: Sequence[str], structure: Structure) -> int:
    """The place of the best candidate, where each is judged by its text in ``texts``."""
    if len(set(texts)) == 1:
        return 0
    agreed = agreement(texts, [candidate.vote for candidate in candidates])
    scores = [
        candidate.trust + common + _merit(check_against(structure, text))
        for candidate, common, text in zip(candidates, agreed, texts, strict=True)
    ]
    return scores.index(max(scores))


def agreement(texts: Sequence[str], votes: Sequence[float]) -> list[float]:
    """What each text has in common with all of them: mean F1 of n-grams, weighted by ``votes``."""
    counted = [_grams(tokens) for tokens in split_words(texts)]
    return [
        sum(vote * _in_common(this, other) for vote, other in zip(votes, counted, strict=True))
        for this in counted
    ]


def _merit(check: CaptionCheck) -> float:
    return REWARD * min(check.n_supported, _MOST_REWARDED) - PENALTY * check.n_contradicted


def _grams(tokens: Sequence[str]) -> Grams:
    return [Counter(ngrams(tokens, order)) for order in range(1, _MAX_ORDER + 1)]


def _in_common(one: Grams, other: Grams) -> float:
    """Mean F1 of the n-grams of orders 1 to 4; symmetric, 1 for equal texts."""
    return sum(map(_f1, one, other)) / _MAX_ORDER


def _f1(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
