"""One caption out of several candidates: what they agree on, and what the structure allows.

Minimum Bayes risk decoding (Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine
Translation", HLT-NAACL 2004, eq. 1): the candidate that is on average most like all of them, by the
F1 of its n-grams; from that is taken a penalty for each claim that the structure refutes.
"""

from collections import Counter
from collections.abc import Sequence

from rdkit import Chem

from molcaption.claims import Lexicon, check_caption
from molcaption.engine.runtimes import Generation
from molcaption.metrics.ngrams import ngrams
from molcaption.metrics.tokenizers import split_words

PENALTY = 0.05
"""For each refuted claim, on a scale where equal captions agree to 1; chosen on the validation
split (docs/quality.md)."""
_MAX_ORDER = 4
Grams = list[Counter[tuple[str, ...]]]


def choose(candidates: Sequence[Generation], mol: Chem.Mol, lexicon: Lexicon) -> Generation:
    """The best candidate; of equals the first, which is the greedy one."""
    if len({made.text for made in candidates}) == 1:
        return candidates[0]
    counted = [_grams(tokens) for tokens in split_words([made.text for made in candidates])]
    scores = [
        sum(_agreement(own, other) for other in counted) / len(counted)
        - PENALTY * check_caption(mol, made.text, lexicon).n_contradicted
        for own, made in zip(counted, candidates, strict=True)
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
