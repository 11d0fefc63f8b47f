"""The choice among candidates: what they agree on, unless the structure refutes it."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.data.memory import Neighbour
from molcaption.engine.choice import choose
from molcaption.engine.runtimes import Generation

LEXICON = load_lexicon()
ETHANOL = parse_smiles("CCO")


def _made(*texts: str) -> list[Generation]:
    return [Generation(text, 1.0 - i / 100, True) for i, text in enumerate(texts)]


def _chosen(*texts: str) -> str:
    return choose(_made(*texts), (), ETHANOL, LEXICON).text


def test_one_candidate_is_the_choice() -> None:
    assert _chosen("anything at all") == "anything at all"


def test_the_majority_wins() -> None:
    odd = "It is found in wine and beer, and in nothing else that anybody knows."
    said = "It has a role as a solvent and a disinfectant."
    assert _chosen(odd, said, said.replace("solvent", "fuel"), said) == said


def test_a_refuted_claim_loses_against_agreement() -> None:
    true = "The molecule is a primary alcohol. It has a role as a solvent."
    false = "The molecule is a carboxylic acid. It has a role as a solvent."
    assert _chosen(false, true) == true
    assert _chosen(true, false) == true


@pytest.mark.parametrize("texts", [("", ""), ("a", ""), ("", "", "b")])
def test_empty_candidates(texts: tuple[str, ...]) -> None:
    assert _chosen(*texts) in texts


def test_of_equals_the_greedy_one() -> None:
    assert choose(_made("one two", "three four"), (), ETHANOL, LEXICON).confidence == 1.0


TWIN = "The molecule is a primary alcohol that ferments."


@pytest.mark.parametrize(("similarity", "wins"), [(0.99, True), (0.3, False)])
def test_a_twin_outvotes_the_captioner_and_a_stranger_does_not(
    similarity: float, wins: bool
) -> None:
    own = _made("It has a role as a solvent.")
    chosen = choose(own, [Neighbour(similarity, TWIN, similarity**3)], ETHANOL, LEXICON)
    assert (chosen.text == TWIN) == wins
    assert chosen.confidence == (None if wins else 1.0)


def test_of_two_twins_the_one_whose_caption_is_not_refuted() -> None:
    own = _made("It has a role as a solvent.")
    texts = ["The molecule is a ketone and a thiol.", "The molecule is an alcohol."]
    near = [Neighbour(0.9 - i / 100, text, 0.4) for i, text in enumerate(texts)]
    assert choose(own, near, ETHANOL, LEXICON).text == texts[1]
