"""Drawn tokens: distributed as the model says, and none that is far less likely than the best."""

from itertools import islice

import numpy as np

from molcaption.engine.draws import LEAST, chances, draw


def test_tokens_come_as_often_as_the_model_says() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    logits = np.log(shares).astype(np.float32)
    drawn = [draw(logits, (i + 0.5) / 1000) for i in range(1000)]
    assert np.allclose(np.bincount(drawn) / 1000, shares, atol=0.002)


def test_unlikely_and_forbidden_tokens_never_come() -> None:
    logits = np.log(np.array([0.9, 0.9 * LEAST * 0.99, 0.9 * LEAST * 1.01], np.float32))
    logits = np.append(logits, np.float32(-np.inf))
    drawn = {draw(logits, chance) for chance in (0.0, *np.linspace(0, 1, 500, endpoint=False))}
    assert drawn == {0, 2}


def test_a_certain_token_comes_whatever_the_chance() -> None:
    logits = np.array([-np.inf, 3.0, -np.inf], np.float32)
    assert {draw(logits, chance) for chance in (0.0, 0.5, 1 - 2**-53)} == {1}


def test_chances_follow_from_molecule_and_number() -> None:
    first = list(islice(chances("CCO", 1), 5))
    assert first == list(islice(chances("CCO", 1), 5))
    assert first != list(islice(chances("CCO", 2), 5))
    assert first != list(islice(chances("CCC", 1), 5))
