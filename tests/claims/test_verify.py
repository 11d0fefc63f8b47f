import random
from dataclasses import replace

import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, facts, load_lexicon, profile
from molcaption.claims.grammar import find_mentions

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def verdicts(smiles, caption):
    """Concept to verdict of every claim that the caption makes about the molecule."""
    found = check_caption(parse_smiles(smiles), caption, LEXICON)
    return {claim["concept"]: claim["verdict"] for claim in found.claims}


@pytest.mark.parametrize(
    ("smiles", "caption", "expected"),
    [
        (ASPIRIN, "It is a member of benzoic acids.", {"benzoic_acid": "supported"}),
        (ASPIRIN, "It is a steroid.", {"steroid": "contradicted"}),
        (
            ASPIRIN,
            "The molecule is a member of the class of benzoic acids that is X.",
            {"benzoic_acid": "supported"},
        ),
        (
            ASPIRIN,
            "It is an acetate ester, a nitrile and a member of phenols.",
            {"acetate_ester": "supported", "nitrile": "contradicted", "phenol": "contradicted"},
        ),
        ("OCC(O)CO", "It contains three hydroxy groups.", {"hydroxy": "supported"}),
        ("OCCO", "It contains three hydroxy groups.", {"hydroxy": "contradicted"}),
        (
            "Oc1cc(O)c2c(c1)oc(-c1ccccc1)cc2=O",
            "It is a dihydroxyflavone.",
            {"dihydroxyflavone": "supported"},
        ),
        (
            "Oc1ccc2c(c1)oc(-c1ccccc1)cc2=O",
            "The molecule is a flavone substituted by hydroxy groups at positions 5 and 7.",
            {"flavone": "supported", "hydroxy": "contradicted"},
        ),
        ("CC(=O)[O-]", "It carries a net charge of -1.", {"charge": "supported"}),
        ("CC(=O)O", "It carries a net charge of -1.", {"charge": "contradicted"}),
        (
            "CC(=O)[O-]",
            "It is a fatty acyl phosphate(2-).",
            {"acyl_phosphate": "contradicted", "charge": "contradicted"},
        ),
        ("CCO", "It has molecular formula C2H6O.", {"formula": "supported"}),
        ("CCO", "It has molecular formula C3H6O.", {"formula": "contradicted"}),
    ],
)
def test_claims_are_judged(smiles, caption, expected):
    assert verdicts(smiles, caption) == expected


@pytest.mark.parametrize(
    "caption",
    [
        "It derives from a steroid.",
        "It has a role as a steroid inhibitor.",
        "It is functionally related to a steroid.",
        "The molecule is obtained by condensation of the carboxy group of something with a cyano "
        "group of it.",
        "It is a steroid-like compound.",
        "It contains no steroid.",
        "It is soluble in water.",
        "CC(=O)C1CCC2C1(CCC3C2CCC4C3(CCC(C4)O)C)C",
        "",
        "é中文 \x00 ; . ( [",
    ],
)
def test_nothing_is_refuted_out_of_scope(caption):
    found = check_caption(parse_smiles(ASPIRIN), caption, LEXICON)
    assert found.n_contradicted == 0
    assert (found.validity_status, found.validity_score) == ("not_checkable", None)


def test_passing_a_necessary_test_earns_nothing():
    found = check_caption(parse_smiles("c1ccncc1"), "It is an alkaloid.", LEXICON)
    assert (found.n_claims, found.n_checkable, found.validity_bits) == (1, 0, 0)
    assert found.claims[0]["reason"] == "insufficient_structure"
    refuted = check_caption(parse_smiles("CCO"), "It is an alkaloid.", LEXICON)
    assert refuted.groups_contradicted == ["alkaloid"]


def test_unknown_terms_say_so():
    found = check_caption(parse_smiles("CCO"), "It is a florbinoid.", LEXICON)
    assert [claim["reason"] for claim in found.claims] == ["unknown_term"]


def test_score_counts_only_what_was_checked():
    text = "It is a primary alcohol, a steroid and a florbinoid. It has a role as a solvent."
    found = check_caption(parse_smiles("CCO"), text, LEXICON)
    assert (found.validity_status, found.validity_score) == ("contradicted", 0.5)
    assert (found.n_supported, found.n_contradicted, found.n_checkable) == (1, 1, 2)
    assert found.groups_supported == ["primary_alcohol"]
    assert found.validity_bits > 1


def test_specific_truth_is_worth_more_bits():
    mol = parse_smiles(ASPIRIN)
    plain = check_caption(mol, "It is a member of benzenes.", LEXICON).validity_bits
    special = check_caption(mol, "It is a member of benzoic acids.", LEXICON).validity_bits
    assert special > plain > 0


def test_no_molecule_and_no_caption():
    found = check_caption(None, "It is a steroid.", LEXICON)
    assert (found.validity_status, found.n_claims, found.n_checkable) == ("mol_error", 1, 0)
    assert check_caption(parse_smiles("C"), None, LEXICON).validity_status == "not_checkable"


def test_long_caption_takes_linear_time():
    caption = "The molecule is a primary alcohol, a ketone and a " * 2_000
    assert check_caption(parse_smiles("CCO"), caption, LEXICON).n_claims > 0


def test_spans_point_into_the_caption():
    caption = "The molecule is a dichlorobenzene. It is an enone and a member of 1,3-thiazoles."
    mentions = find_mentions(caption, LEXICON)
    assert {"dichlorobenzene", "enone", "1,3-thiazoles"} <= {m.text for m in mentions}
    assert all(caption[m.start : m.end] == m.text for m in mentions)


def test_renumbering_changes_no_count():
    mol = parse_smiles("C[C@@H]1O[C@@H](Oc2cc(O)c3c(=O)cc(-c4ccc(O)cc4)oc3c2)[C@H](O)C(O)C1O.[Na+]")
    order = list(range(mol.GetNumAtoms()))
    random.Random(3).shuffle(order)
    other = Chem.RenumberAtoms(mol, order)
    assert profile(other, LEXICON) == profile(mol, LEXICON)


def test_facts_are_supported_and_most_specific_first():
    found = facts(parse_smiles(ASPIRIN), LEXICON)
    assert [fact.bits for fact in found] == sorted((f.bits for f in found), reverse=True)
    names = [fact.concept for fact in found]
    assert {"benzoic_acid", "acetate_ester"} <= set(names)
    assert "carboxylic_acid" not in names  # implied by benzoic acid
    assert facts(parse_smiles("CC(=O)[O-]"), LEXICON)[0].count
    assert "charge" in {fact.concept for fact in facts(parse_smiles("CC(=O)[O-]"), LEXICON)}


@pytest.mark.parametrize("dash", ["-", "‐", "–"])
def test_spans_survive_greek_letters_and_odd_dashes(dash):
    caption = f"It is a β{dash}lactam, an α{dash}D{dash}glucoside and a member of phenols."
    mentions = find_mentions(caption, LEXICON)
    assert {f"β{dash}lactam", "phenols"} <= {mention.text for mention in mentions}
    assert all(caption[m.start : m.end] == m.text for m in mentions)


@pytest.mark.parametrize(
    "caption",
    [
        "It arises by transfer of a proton from the sulfate group to one of the nitrogens of it.",
        "It is a conjugate base of a. It is a conjugate acid of one.",
        "It is an enantiomer of a. It contains a(1+). It is a one salt of an.",
    ],
)
def test_number_words_where_names_are_expected(caption):
    check_caption(parse_smiles("C[NH2+]C(N)=NCC(=O)[O-]"), caption, LEXICON)


def test_a_test_that_few_captions_bear_out_refutes_nothing():
    caption = "It is a steroid."
    mol = parse_smiles("CCO")
    rare = replace(LEXICON, agreement={"steroid": (4, 4)})
    loose = replace(LEXICON, agreement={"steroid": (80, 100)})
    sound = replace(LEXICON, agreement={"steroid": (95, 100)})
    verdicts = [
        check_caption(mol, caption, one).claims[0]["verdict"] for one in (rare, loose, sound)
    ]
    assert verdicts == ["unchecked", "unchecked", "contradicted"]
    assert check_caption(mol, caption, LEXICON).n_contradicted == 1


def test_rare_counts_are_judged_by_their_builtin():
    agreement = {"dicarboxylic_acid": (0, 0), "monocarboxylic_acid": (90, 90)}
    lexicon = replace(LEXICON, agreement=agreement)
    found = check_caption(parse_smiles("CC(=O)O"), "It is a dicarboxylic acid.", lexicon)
    assert found.groups_contradicted == ["dicarboxylic_acid"]
