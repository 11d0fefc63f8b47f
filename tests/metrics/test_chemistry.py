import math

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.metrics.chemistry import CLAIM_MEASURES, CheckedPairs, check_pairs
from molcaption.metrics.signatures import CHEMICAL_METRICS, Corpus, compute
from molcaption.metrics.tokenizers import TOKENIZERS
from molcaption.metrics.wordnet import NO_WORDNET

SMILES = ["CC(=O)O", "Oc1ccccc1", "CCO", None]
REFERENCES = [
    "The molecule is a carboxylic acid.",
    "The molecule is a member of phenols.",
    "The molecule is a primary alcohol.",
    "The molecule is a ketone.",
]
CAPTIONS = [
    "The molecule is a carboxylic acid and an aldehyde.",  # right, wrong
    "The molecule is a member of phenols.",  # right
    "",
    "The molecule is a ketone.",  # nothing to check it against
]


def pairs(captions: list[str] = CAPTIONS) -> CheckedPairs:
    mols = [parse_smiles(smiles) if smiles else None for smiles in SMILES]
    return check_pairs(mols, captions, REFERENCES, load_lexicon(), "references")


def values(checked: CheckedPairs) -> dict[str, float]:
    return {name: measure(checked).value for name, measure in CLAIM_MEASURES.items()}


def test_counts_by_hand() -> None:
    found = values(pairs())
    lexicon = load_lexicon()
    bits = -math.log2(lexicon.base_rates["carboxylic_acid"] * lexicon.base_rates["phenol"])
    assert found == pytest.approx(
        {
            "claim_precision": 2 / 3,
            "claim_recall": 2 / 3,
            "claim_f1": 2 / 3,
            "valid": 1 / 4,
            "contradicted": 1 / 4,
            "supported_bits": bits / 4,
        }
    )


def test_a_reference_recalls_all_of_itself() -> None:
    found = values(pairs(REFERENCES))
    assert found["claim_recall"] == found["claim_precision"] == found["claim_f1"] == 1.0
    assert found["valid"] == 3 / 4  # a row without a structure proves nothing


def test_nothing_said_is_nothing_won() -> None:
    assert set(values(pairs([""] * 4)).values()) == {0.0}


def test_f1_is_the_harmonic_mean() -> None:
    captions = ["The molecule is an aldehyde and a carboxylic acid.", "", "", ""]
    found = values(pairs(captions))
    precision, recall = found["claim_precision"], found["claim_recall"]
    assert (precision, recall) == pytest.approx((1 / 2, 1 / 3))
    assert found["claim_f1"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_another_system_is_held_to_the_same_references() -> None:
    other = pairs().with_captions(REFERENCES)
    assert other.references == pairs().references
    assert values(other) == values(pairs(REFERENCES))


def test_signatures_name_the_lexicon() -> None:
    checked = pairs()
    corpus = Corpus(CAPTIONS, REFERENCES, TOKENIZERS["word"], NO_WORDNET, {}, checked)
    lexicon = load_lexicon()
    for name in CHEMICAL_METRICS:
        signature = compute(name, corpus).signature
        assert f"|lexicon:{lexicon.version}-{lexicon.hash[:8]}|" in signature
        assert "|smiles:references|mol_error:1|n:4|empty:1|" in signature


def test_no_structures_no_chemical_scores() -> None:
    corpus = Corpus(CAPTIONS, REFERENCES, TOKENIZERS["word"], NO_WORDNET)
    with pytest.raises(ValueError, match="structures"):
        compute("claim_f1", corpus)
