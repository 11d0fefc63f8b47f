"""Numbers that free prose gives: rings, stereocentres, atoms, components, formula, mass, charge."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon

LEXICON = load_lexicon()  # as it ships: these tests refute by definition
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
NICOTINE = "CN1CCC[C@H]1c1cccnc1"
GLYCINATE = "[Na+].NCC(=O)[O-]"


@pytest.mark.parametrize(
    ("smiles", "caption", "concept", "verdict"),
    [
        (ASPIRIN, "It contains one aromatic ring.", "ring_number", "supported"),
        (ASPIRIN, "The molecule has three rings.", "ring_number", "contradicted"),
        (ASPIRIN, "It is acyclic.", "no_rings", "contradicted"),
        (NICOTINE, "It contains two rings, one of which is aromatic.", "ring_number", "supported"),
        (NICOTINE, "It contains one ring.", "ring_number", "unchecked"),
        (NICOTINE, "It contains two aromatic rings.", "ring_number", "contradicted"),
        (NICOTINE, "It contains two fused rings.", "ring_number", "contradicted"),
        (NICOTINE, "It has one heteroaromatic ring.", "ring_number", "supported"),
        (NICOTINE, "It has 1 stereocenter.", "stereocentre_number", "supported"),
        (NICOTINE, "It has two chiral centres.", "stereocentre_number", "contradicted"),
        (NICOTINE, "It has no stereocentres.", "no_stereocentres", "contradicted"),
        ("CN1CCCC1c1cccnc1", "It has no stereocentres.", "no_stereocentres", "unchecked"),
        ("CCC", "It contains no rings.", "no_rings", "supported"),
        ("CCC", "It contains three heavy atoms.", "heavy_atom_number", "supported"),
        ("CCC", "It contains 4 heavy atoms.", "heavy_atom_number", "contradicted"),
        (GLYCINATE, "It consists of two components.", "component_number", "supported"),
        (GLYCINATE, "It carries a net charge of -1.", "charge", "contradicted"),
        ("NCC(=O)[O-]", "It is electrically neutral.", "no_net_charge", "contradicted"),
        (ASPIRIN, "It has the molecular formula C9H8O4.", "formula", "supported"),
        (ASPIRIN, "Its molecular formula is O4C9H8.", "formula", "supported"),
        (ASPIRIN, "It has the molecular formula C9H8O3.", "formula", "contradicted"),
        ("[2H]OC", "It has molecular formula CH3DO.", "formula", "supported"),
        (ASPIRIN, "Its molecular weight is 180.16 g/mol.", "molecular_mass", "supported"),
        (ASPIRIN, "It has a molar mass of about 180 g/mol.", "molecular_mass", "supported"),
        (ASPIRIN, "It has a molecular weight of 194.18 Da.", "molecular_mass", "contradicted"),
        ("*C1CC1", "It contains two rings.", "ring_number", "unchecked"),
        ("*C", "It contains 12 heavy atoms.", "heavy_atom_number", "unchecked"),
    ],
)
def test_numbers(smiles: str, caption: str, concept: str, verdict: str) -> None:
    claims = check_caption(parse_smiles(smiles), caption, LEXICON).claims
    assert [c["verdict"] for c in claims if c["concept"] == concept] == [verdict]


@pytest.mark.parametrize(
    "caption",
    [
        "It is bearing a string of three.",
        "It is a ring-opened product of ring A.",
        "It is an acid that has a hydroxy group at position 3 of ring B.",
        "The acyclic precursor is known.",
        "It has a role as a chiral auxiliary.",
        "It weighs on the mind.",
        "Its formula is a secret.",
    ],
)
def test_what_is_no_number(caption: str) -> None:
    counted = {"ring_number", "no_rings", "stereocentre_number", "formula", "molecular_mass"}
    claims = check_caption(parse_smiles(ASPIRIN), caption, LEXICON).claims
    assert not counted & {claim["concept"] for claim in claims}


def test_few_captions_do_not_silence_a_definition() -> None:
    assert LEXICON.agreement["formula"][1] < 5, "too few captions to bear it out"
    assert LEXICON.concepts["formula"].certain
    assert LEXICON.trusts("formula")


@pytest.mark.parametrize(
    ("smiles", "caption", "expected"),
    [
        (ASPIRIN, "The molecule contains a carboxylic acid group and an ester.",
         {"carboxy_or_carboxylate": "supported", "ester": "supported"}),
        (ASPIRIN, "This compound features an alcohol, two amides and a ketone.",
         {"alcohol": "contradicted", "amide_any": "contradicted", "ketone": "contradicted"}),
        (ASPIRIN, "It has two ester functional groups.", {"ester": "contradicted"}),
        (ASPIRIN, "It has an ethyl ester group on C-1.", {"ethyl_ester": "contradicted"}),
        ("OCC1OC(O)C(O)C(O)C1O", "It contains a disaccharide.", {}),
        ("CC(=O)[O-].[K+]", "It contains an acetate.", {}),
        (ASPIRIN, "It has a role as a steroid. It contains the ketone of acetone.", {}),
    ],
)  # fmt: skip
def test_parts_named_as_classes(smiles: str, caption: str, expected: dict[str, str]) -> None:
    claims = check_caption(parse_smiles(smiles), caption, LEXICON).claims
    assert {c["concept"]: c["verdict"] for c in claims} == expected
