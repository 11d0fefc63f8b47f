"""ROUGE-1, ROUGE-2 and ROUGE-L as the `rouge_score` package computes them (Lin 2004).

Its tokenizer and F-measure, no stemming. The package fills a table in plain Python for the longest
common subsequence, which is most of its time; here a row of that table is the bits of one integer.
Tests hold every digit to the package's.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rouge_score.scoring import fmeasure
from rouge_score.tokenize import NON_ALPHANUM_RE

from molcaption.metrics.ngrams import n_matches
from molcaption.processes import map_rows

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL")
Floats = npt.NDArray[np.float64]


def rouge(captions: Sequence[str], references: Sequence[str]) -> dict[str, Floats]:
    """ROUGE F-measures of each of N captions against its reference, both as raw text.

    Shapes:
        result: `ROUGE_TYPES`, each [N], from 0 to 1.

    Raises:
        ValueError: captions and references differ in number.
    """
    rows = map_rows(_rouge, captions, references)
    return {kind: rows[:, column] for column, kind in enumerate(ROUGE_TYPES)}


def _rouge(captions: Sequence[str], references: Sequence[str]) -> Floats:
    rows = [_rouge_row(*pair) for pair in zip(split(captions), split(references), strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(ROUGE_TYPES))


def _rouge_row(caption: list[str], reference: list[str]) -> list[float]:
    n_pairs = len(caption) - 1, len(reference) - 1
    return [
        _f(n_matches(caption, reference, 1), len(caption), len(reference)),
        _f(n_matches(caption, reference, 2), *n_pairs),
        _f(lcs_length(caption, reference), len(caption), len(reference)),
    ]


def _f(matches: int, n_caption: int, n_reference: int) -> float:
    return float(fmeasure(matches / max(n_caption, 1), matches / max(n_reference, 1)))


def split(texts: Sequence[str]) -> list[list[str]]:
    """rouge_score's tokens: runs of ``[a-z0-9]`` of the lower-cased text."""
    return [NON_ALPHANUM_RE.sub(" ", text.lower()).split() for text in texts]


def lcs_length(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence, with a row of the table in one integer.

    Bit i of ``row`` is 0 where the length grows from ``left[:i]`` to ``left[: i + 1]``; a sum's
    carry moves each such place to its next match (Hyyrö 2004, "Bit-parallel LCS-length
    computation revisited").
    """
    places: dict[str, int] = {}
    for place, token in enumerate(left):
        places[token] = places.get(token, 0) | 1 << place
    full = row = (1 << len(left)) - 1
    for token in right:
        if token in places:
            hits = row & places[token]
            row = (row + hits | row - hits) & full
    return len(left) - row.bit_count()
