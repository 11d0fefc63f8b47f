import random

import pytest
from nltk.translate.bleu_score import corpus_bleu

from molcaption.metrics.medoid import medoid


def test_the_medoid_is_what_scoring_every_candidate_with_nltk_finds() -> None:
    rng = random.Random(3)
    words = ["the", "acid", "is", "a", "ring", "of", "it", "."]
    texts = [rng.choices(words, k=rng.randrange(4, 30)) for _ in range(40)]
    plain = [corpus_bleu([[text] for text in texts], [candidate] * 40) for candidate in texts]
    best, value = medoid(texts)
    assert value == pytest.approx(max(plain), abs=1e-12)
    assert plain[best] == max(plain)


def test_no_texts() -> None:
    with pytest.raises(ValueError, match="at least one"):
        medoid([])
