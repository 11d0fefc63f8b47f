"""Captions drawn at random, and yet the same in every run and in every batch.

The random numbers of a drawn caption follow from its molecule and its number alone. A token is
found by inverting the cumulative distribution, so one number a token is all the chance there is.
"""

import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

TEMPERATURE = 0.7
"""Of drawn captions; chosen on the validation split (docs/quality.md)."""


def chances(smiles: str, number: int) -> Iterator[float]:
    """Numbers in [0, 1), one for each token of the drawn caption ``number`` of a molecule."""
    rng = random.Random(f"{smiles}/{number}")
    while True:
        yield rng.random()


def draw(scores: NDArray[np.float32], chance: float) -> int:
    """The token of a distribution, given as logits [V], that ``chance`` falls on."""
    scaled = (scores - scores.max()) / TEMPERATURE
    cumulative = np.exp(scaled, dtype=np.float64).cumsum()
    # Rounding may put chance * total at the very end, past the last token that can be.
    place = int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
    return min(place, int(np.flatnonzero(scores > -np.inf)[-1]))
