"""The phrases of ChEBI's prose."""

import pytest

from molcaption.data.phrases import phrases


@pytest.mark.parametrize(
    ("description", "found"),
    [
        (
            "The molecule is a long-chain fatty aldehyde that is tetradecane in which two "
            "hydrogens are replaced. It has a role as a plant metabolite and a human metabolite. "
            "It is a 2,3-saturated fatty aldehyde and a long-chain fatty aldehyde. "
            "It derives from a hydride of a tetradecane.",
            {
                "long-chain fatty aldehyde", "role plant metabolite", "role human metabolite",
                "2,3-saturated fatty aldehyde", "from tetradecane",
            },
        ),
        (
            "The molecule is an organic cation. It is a conjugate acid of an (S)-benproperine. It "
            "is an enantiomer of a (R)-benproperine(1+).",
            {
                "organic cation", "conjugate acid", "conjugate acid of (S)-benproperine",
                "enantiomer", "enantiomer of (R)-benproperine(1+)",
            },
        ),
        (
            "The molecule is a member of phenols. It is a member of phenols, an aromatic ether and "
            "a member of the class of coumestans.",
            {"phenols", "aromatic ether", "coumestans"},
        ),
        ("A steroid that is cholestane carrying a hydroxy group.", {"steroid"}),
        ("", set()),
        ("It is found in coriander.", set()),
        ("Used as a solvent, colourless, flammable.", set()),
    ],
)  # fmt: skip
def test_phrases(description: str, found: set[str]) -> None:
    assert phrases(description) == found
