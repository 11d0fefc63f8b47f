"""Which words of a caption speak of the molecule, and which of something else."""

import subprocess
import sys

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test
NITROGLYCERIN = "C(C(CO[N+](=O)[O-])O[N+](=O)[O-])O[N+](=O)[O-]"


def contradicted(smiles, caption):
    return check_caption(parse_smiles(smiles), caption, LEXICON).groups_contradicted


@pytest.mark.parametrize(
    ("smiles", "caption"),
    [
        (NITROGLYCERIN, "It is glycerol in which all three hydroxy groups are replaced by nitro."),
        (NITROGLYCERIN, "It is formed from glycerol by nitration of the three hydroxy groups."),
        ("O=C1C=CC(=O)C=C1", "It is a p-quinone. It is a metabolite of benzene and of aniline."),
        ("CCO", "The molecule is an inhibitor of poly (ADP-ribose) polymerase."),
        ("CCO", "It is a drug whereas the chloro group of its analogue makes a poison."),
        ("CCO", "It blocks sodium channels. It forms complexes with iron."),
        ("CCO", "This compound affects the phosphorus cycle. It lowers calcium in the blood."),
        ("CC(C)CC", "It is an alkane obtained by addition across the 1,2 double bond."),
    ],
)
def test_what_is_gone_or_elsewhere_refutes_nothing(smiles, caption):
    assert contradicted(smiles, caption) == []


@pytest.mark.parametrize(
    ("smiles", "caption", "concept"),
    [
        (
            "OCCO",
            "It is an alkane in which the three hydroxy groups are located at C-1.",
            "hydroxy",
        ),
        ("CSC", "A sulfide with two methyl groups attached to phosphorus.", "element_in_body"),
        ("Oc1ccc(O)cc1", "It is a trihydroxyflorbinoic acid.", "hydroxy"),
        ("CC(=O)[O-]", "The molecule is dianion of acetic acid.", "ion_degree"),
        ("CN.Cl", "It is a hydrochloride. It contains a methanamine(1-).", "contained_ion"),
        ("C[C@H](N)C(=O)O", "It is alanine (the 2R-stereoisomer).", "configuration"),
        ("CCC/C=C\\CC", "It is an alkene that is 3E-heptene.", "stereo_bare"),
    ],
)
def test_what_is_said_of_the_molecule_is_checked(smiles, caption, concept):
    assert concept in contradicted(smiles, caption)


def test_the_order_of_claims_is_the_same_in_every_process():
    code = (
        "from molcaption.chem.molecule import parse_smiles;"
        "from molcaption.claims import check_caption, load_lexicon;"
        "found = check_caption(parse_smiles('C[C@H](N)C(=O)[O-]'), 'The molecule is (2S)-alaninate,"
        " a monoanion having a chloro group, sulfur, 2R-configuration.', load_lexicon());"
        "print([(c['start'], c['concept']) for c in found.claims])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(runs) == 1
