"""Words that read as numbers ("one", "a") where a test expects the name of something."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon


@pytest.mark.parametrize(
    ("smiles", "caption"),
    [
        (
            "NC(CCCNC(N)=[NH2+])C(=O)[O-]",
            "The molecule is a zwitterion resulting from the transfer of a proton from the carboxy "
            "group to one of the nitrogens of the guanidine group of arginine.",
        ),
        ("CC(=O)[O-]", "The molecule is an anion. It is a conjugate base of a."),
    ],
)
def test_nothing_breaks_and_nothing_is_refuted(smiles: str, caption: str) -> None:
    assert check_caption(parse_smiles(smiles), caption, load_lexicon()).n_contradicted == 0
