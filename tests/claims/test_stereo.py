import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test
L_ALANINE = "C[C@H](N)C(=O)O"
LINOLEIC = "CCCCC/C=C\\C/C=C\\CCCCCCCC(=O)O"


def verdict(smiles, caption, concept):
    """The verdict on the only claim about ``concept``."""
    claims = check_caption(parse_smiles(smiles), caption, LEXICON).claims
    (found,) = [claim["verdict"] for claim in claims if claim["concept"] == concept]
    return found


@pytest.mark.parametrize(
    ("smiles", "caption", "concept", "expected"),
    [
        (
            L_ALANINE,
            "It is an acid that is (2S)-2-aminopropanoic acid.",
            "stereo_labels",
            "supported",
        ),
        (
            L_ALANINE,
            "It is an acid that is (2R)-2-aminopropanoic acid.",
            "stereo_labels",
            "contradicted",
        ),
        (
            "CC(N)C(=O)O",
            "It is an acid that is (2R)-2-aminopropanoic acid.",
            "stereo_labels",
            "unchecked",
        ),
        (L_ALANINE, "It is an enantiomer of a (R)-alanine.", "mirrored_labels", "unchecked"),
        (L_ALANINE, "It is an enantiomer of a (S)-alanine.", "mirrored_labels", "contradicted"),
        (L_ALANINE, "It is an amino acid that has S configuration.", "configuration", "supported"),
        (
            L_ALANINE,
            "It is an amino acid that has R configuration.",
            "configuration",
            "contradicted",
        ),
        (
            LINOLEIC,
            "It is an acid that is (9Z,12Z)-octadecadienoic acid.",
            "stereo_labels",
            "supported",
        ),
        (
            LINOLEIC,
            "It is an acid that is (9E,12Z)-octadecadienoic acid.",
            "stereo_labels",
            "contradicted",
        ),
        ("CC(=O)[O-]", "It is a conjugate base of an acetic acid.", "conjugate_base", "supported"),
        ("CC(=O)O", "It is a conjugate base of an acetic acid.", "conjugate_base", "contradicted"),
        (
            "[O-]C(=O)CC(=O)O",
            "It is a conjugate base of a malonate(1-).",
            "conjugate_base",
            "contradicted",
        ),
        ("C[NH3+]", "It is a conjugate acid of a methanamine.", "conjugate_acid", "supported"),
        (
            "[O-]C(=O)CC(=O)[O-]",
            "It is a conjugate acid of a malonate(2-).",
            "conjugate_acid_of_anion",
            "contradicted",
        ),
    ],
)
def test_configuration_and_charge(smiles, caption, concept, expected):
    assert verdict(smiles, caption, concept) == expected


def test_labels_survive_pickling():
    mol = Chem.Mol(parse_smiles(L_ALANINE).ToBinary())
    caption = "It is an acid that is (2S)-2-aminopropanoic acid."
    assert check_caption(mol, caption, LEXICON).groups_supported[0] == "stereo_labels"


@pytest.mark.parametrize("seed", range(5))
def test_labels_do_not_depend_on_atom_order(seed):
    mol = parse_smiles("C[C@@H]1O[C@@H](OC)[C@H](O)[C@H](O)[C@H]1O")
    labels = sorted(
        label for _, label in Chem.FindMolChiralCenters(mol, useLegacyImplementation=False)
    )
    text = ",".join(f"{n}{label}" for n, label in enumerate(labels, 1))
    flipped = text.translate(str.maketrans("RS", "SR"))
    other = parse_smiles(Chem.MolToSmiles(mol, doRandom=True))
    caption = f"The molecule is a sugar that is ({text})-methoxyoxane."
    assert "stereo_labels" not in check_caption(other, caption, LEXICON).groups_contradicted
    caption = caption.replace(text, flipped)
    assert "stereo_labels" in check_caption(other, caption, LEXICON).groups_contradicted
