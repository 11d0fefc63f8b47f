"""METEOR as NLTK computes it: words match exactly, then by stem, then by synonym.

Lavie & Agarwal 2007, with NLTK's alignment: from the right end of the caption, each word takes the
last free equal word of the reference. `nltk.translate.meteor_score` stems every word and asks
WordNet for its synonyms again at each occurrence; here both are asked once per word, and nothing
else differs: tests hold every digit to NLTK's.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from nltk.stem.porter import PorterStemmer

from molcaption.metrics.wordnet import Synonyms
from molcaption.processes import map_rows

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5  # NLTK's defaults, after the paper
Floats = npt.NDArray[np.float64]
Words = dict[int, str]  # unmatched words by place, in order
Matches = list[tuple[int, int]]  # places in the caption and in the reference

_STEMMER = PorterStemmer()


def meteor(
    captions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], synonyms: Synonyms
) -> Floats:
    """METEOR of each of N captions against its reference, both as tokens.

    Without WordNet (`wordnet.NO_WORDNET`) the third stage finds nothing.

    Shapes:
        result [N], from 0 to 1; an empty caption or reference scores 0.

    Raises:
        ValueError: captions and references differ in number.
    """
    return map_rows(partial(_meteor, synonyms=synonyms), captions, references)


def _meteor(
    captions: Sequence[Sequence[str]], references: Sequence[Sequence[str]], synonyms: Synonyms
) -> Floats:
    pairs = zip(captions, references, strict=True)
    scores = [_score(align(c, r, synonyms), len(c), len(r)) for c, r in pairs]
    return np.array(scores, dtype=np.float64)


def align(caption: Sequence[str], reference: Sequence[str], synonyms: Synonyms) -> Matches:
    """Places of matched words in caption and reference, in the caption's order."""
    left, right = (dict(enumerate(map(str.lower, tokens))) for tokens in (caption, reference))
    matches = _take_equal(left, right)
    left, right = ({place: _stem(word) for place, word in side.items()} for side in (left, right))
    matches += _take_equal(left, right)
    matches += _take_synonyms(left, right, synonyms)
    return sorted(matches)


@lru_cache(maxsize=2**20)
def _stem(word: str) -> str:
    return str(_STEMMER.stem(word))


def _take_equal(left: Words, right: Words) -> Matches:
    """Match equal words and take them out of both sides."""
    free = _places(right)
    matches = [(place, free[word].pop()) for place, word in reversed(left.items()) if free[word]]
    _take_out(matches, left, right)
    return matches


def _take_synonyms(left: Words, right: Words, synonyms: Synonyms) -> Matches:
    """Match each word with the last free word that is one of its synonyms."""
    free = _places(right)
    matches = []
    for place, word in reversed(left.items()):
        if known := [other for other in synonyms.of(word) & free.keys() if free[other]]:
            matches.append((place, max((free[other] for other in known), key=max).pop()))
    _take_out(matches, left, right)
    return matches


def _places(words: Words) -> defaultdict[str, list[int]]:
    places = defaultdict(list)
    for place, word in words.items():
        places[word].append(place)
    return places


def _take_out(matches: Matches, left: Words, right: Words) -> None:
    for place, other in matches:
        del left[place], right[other]


def _score(matches: Matches, n_caption: int, n_reference: int) -> float:
    """Equations 1-3 of the paper: a weighted harmonic mean, less a penalty for fragments."""
    if not matches:
        return 0.0
    precision, recall = len(matches) / n_caption, len(matches) / n_reference
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    n_chunks = 1 + sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(matches))
    penalty = GAMMA * (n_chunks / len(matches)) ** BETA
    return (1 - penalty) * mean
