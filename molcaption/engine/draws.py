"""Captions drawn at random, and yet the same in every run and in every batch.

The random numbers of a drawn caption follow from its molecule and its number alone. A token is
found by inverting the cumulative distribution, so one number a token is all the chance there is.
Tokens far less likely than the likeliest are never drawn: they make words that are none (min-p
sampling, Nguyen et al., "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM
Outputs", ICLR 2025, algorithm 1).
"""

import math
import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

LEAST = 0.1
"""Least likelihood of a drawn token, as a share of the likeliest one's; chosen on the validation
split (docs/quality.md)."""


def chances(smiles: str, number: int) -> Iterator[float]:
    """Numbers in [0, 1), one for each token of the drawn caption ``number`` of a molecule."""
    rng = random.Random(f"{smiles}/{number}")
    while True:
        yield rng.random()


def draw(scores: NDArray[np.float32], chance: float) -> int:
    """The token of a distribution, given as logits [V], that ``chance`` falls on."""
    best = scores.max()
    likely = np.flatnonzero(scores >= best + math.log(LEAST))
    cumulative = np.exp(scores[likely] - best, dtype=np.float64).cumsum()
    # Rounding may put chance * total at the very end, past the last token.
    place = int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
    return int(likely[min(place, len(likely) - 1)])
