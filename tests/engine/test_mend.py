"""Mending: refuted entries go, everything else stays to the letter."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.engine.mend import mend

LEXICON = load_lexicon()
PHENOL = parse_smiles("COc1ccc(O)cc1")


@pytest.mark.parametrize(
    ("caption", "mended"),
    [
        (
            "The molecule is a member of phenols. It is a ketone, a member of phenols and an "
            "aromatic ether.",
            "The molecule is a member of phenols. It is a member of phenols and an aromatic ether.",
        ),
        (
            "The molecule is a member of phenols. It is an aromatic ether and a ketone. It has a "
            "role as a solvent.",
            "The molecule is a member of phenols. It is an aromatic ether. It has a role as a "
            "solvent.",
        ),
        (
            "The molecule is a member of phenols. It is a ketone. It has a role as a solvent.",
            "The molecule is a member of phenols. It has a role as a solvent.",
        ),
        (  # the first sentence stays, right or wrong
            "The molecule is a ketone. It has a role as a solvent.",
            "The molecule is a ketone. It has a role as a solvent.",
        ),
        ("The molecule is a member of phenols.", "The molecule is a member of phenols."),
        ("", ""),
    ],
)
def test_mend(caption: str, mended: str) -> None:
    assert mend(caption, PHENOL, LEXICON) == mended


def test_mending_never_adds_a_refuted_claim() -> None:
    caption = (
        "The molecule is a steroid that is a ketone. It is a ketone, an organochlorine compound, a "
        "member of phenols and a steroid. It is a conjugate base of an acetic acid."
    )
    before = check_caption(PHENOL, caption, LEXICON)
    after = check_caption(PHENOL, mend(caption, PHENOL, LEXICON), LEXICON)
    assert after.n_contradicted < before.n_contradicted
    assert set(after.groups_supported) == set(before.groups_supported)
