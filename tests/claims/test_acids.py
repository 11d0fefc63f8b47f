import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon, profile

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test
IS = "The molecule is a "
ACETIC, ACETATE, MALONIC = "CC(=O)O", "CC(=O)[O-]", "OC(=O)CC(=O)O"
CITRIC = "OC(CC(=O)O)(CC(=O)O)C(=O)O"


def verdicts(smiles: str, caption: str) -> dict[str, str]:
    """Verdict of each concept that the caption mentions; the worst if it has several."""
    claims = check_caption(parse_smiles(smiles), caption, LEXICON).claims
    order = ("supported", "unchecked", "contradicted")
    found: dict[str, str] = {}
    for claim in claims:
        key = claim["concept"] or "?"
        found[key] = max(found.get(key, "supported"), claim["verdict"], key=order.index)
    return found


@pytest.mark.parametrize(
    ("smiles", "name", "concept", "verdict"),
    [
        (ACETIC, "monocarboxylic acid", "monocarboxylic_acid", "supported"),
        (ACETIC, "dicarboxylic acid", "dicarboxylic_acid", "contradicted"),
        (MALONIC, "monocarboxylic acid", "monocarboxylic_acid", "contradicted"),
        (CITRIC, "tricarboxylic acid", "tricarboxylic_acid", "supported"),
        (CITRIC, "pentacarboxylic acid", "pentacarboxylic_acid", "contradicted"),
        (ACETATE, "carboxylic acid", "carboxylic_acid", "contradicted"),
        ("[NH3+]CC(=O)[O-]", "monocarboxylic acid", "monocarboxylic_acid", "supported"),
        ("OC(=O)c1ccncc1", "pyridinedicarboxylic acid", "carboxylic_acid_number", "contradicted"),
        ("C=CC(=O)O", "alpha,beta-unsaturated monocarboxylic acid",
         "unsaturated_monocarboxylic_ab", "supported"),
        ("C=CCC(=O)O", "alpha,beta-unsaturated monocarboxylic acid",
         "unsaturated_monocarboxylic_ab", "contradicted"),
        ("OC(=O)CCC(=O)O", "C4-dicarboxylic acid", "carbon_number_dicarboxylic", "supported"),
        ("OC(=O)CCCC(=O)O", "C4-dicarboxylic acid", "carbon_number_dicarboxylic", "contradicted"),
        ("OC(=O)c1ccccc1", "member of benzoic acids", "benzoic_acid", "supported"),
        ("OC(=O)Cc1ccccc1", "member of benzoic acids", "benzoic_acid", "contradicted"),
        ("OC(=O)c1ccc(O)cc1", "dihydroxybenzoic acid", "dihydroxybenzoic_acid", "contradicted"),
        ("OC(=O)C=Cc1ccccc1", "member of cinnamic acids", "cinnamic_acid", "supported"),
        ("OC(=O)Cc1c[nH]c2ccccc12", "member of benzoic acids", "benzoic_acid", "contradicted"),
    ],
)  # fmt: skip
def test_acids(smiles, name, concept, verdict):
    assert verdicts(smiles, f"{IS}{name}.")[concept] == verdict


@pytest.mark.parametrize(
    ("smiles", "caption", "verdict"),
    [
        ("CC(=O)C(=O)O", "2-oxo monocarboxylic acid", "supported"),
        ("CC(=O)C(=O)O", "3-oxo monocarboxylic acid", "contradicted"),
        ("CC(O)CC(=O)[O-]", "3-hydroxy monocarboxylic acid anion", "supported"),
        ("CC(O)CC(=O)[O-]", "2-hydroxy monocarboxylic acid anion", "contradicted"),
        ("CC(O)=CC(=O)O", "3-oxo monocarboxylic acid", "unchecked"),  # drawn as the enol
        ("ClCC(=O)O", "2-chloro carboxylic acid", "supported"),
        ("OC(=O)C(O)C(O)C(=O)O", "2-oxo dicarboxylic acid", "contradicted"),
    ],
)
def test_places_of_groups(smiles, caption, verdict):
    assert verdicts(smiles, f"{IS}{caption}.")["acid_with_group_at"] == verdict


@pytest.mark.parametrize(
    ("smiles", "name", "concept", "verdict"),
    [
        (ACETATE, "monocarboxylic acid anion", "monocarboxylic_acid_anion", "supported"),
        (ACETIC, "monocarboxylic acid anion", "monocarboxylic_acid_anion", "contradicted"),
        ("[O-]C(=O)CC(=O)[O-]", "dicarboxylic acid dianion",
         "dicarboxylic_acid_dianion", "supported"),
        ("OC(=O)CC(=O)[O-]", "dicarboxylic acid dianion",
         "dicarboxylic_acid_dianion", "contradicted"),
        ("OC(=O)CC(=O)[O-]", "dicarboxylic acid monoanion",
         "dicarboxylic_acid_monoanion", "supported"),
        ("[O-]C(=O)CC(=O)[O-]", "monocarboxylic acid dianion",
         "carboxylic_polyanion", "contradicted"),
        ("[O-]C(=O)c1ccccc1", "benzoate", "benzoate_anion", "supported"),
        ("[O-]C(=O)Cc1ccccc1", "benzoate", "benzoate_anion", "contradicted"),
    ],
)  # fmt: skip
def test_anions(smiles, name, concept, verdict):
    assert verdicts(smiles, f"{IS}{name}.")[concept] == verdict


@pytest.mark.parametrize(
    ("smiles", "name", "concept", "verdict"),
    [
        ("COC(C)=O", "methyl ester", "methyl_ester", "supported"),
        ("COC(C)=O", "ethyl ester", "ethyl_ester", "contradicted"),
        ("COC(C)=O", "acetate ester", "acetate_ester", "supported"),
        ("COC(=O)CC", "acetate ester", "acetate_ester", "contradicted"),
        ("COC(=O)CC", "propanoate ester", "propanoate_ester", "supported"),
        ("COC(=O)C=Cc1ccccc1", "cinnamate ester", "cinnamate_ester", "supported"),
        ("COC(=O)CCc1ccccc1", "cinnamate ester", "cinnamate_ester", "contradicted"),
        ("COC(=O)CC(=O)O", "dicarboxylic acid monoester", "diacid_monoester", "unchecked"),
        ("COC(C)=O", "dicarboxylic acid monoester", "diacid_monoester", "contradicted"),
        ("COC(C)=O", "diester", "diester", "contradicted"),
        ("COC(=O)OC", "carbonate ester", "carbonate_ester", "supported"),
        ("O=C1CCCO1", "gamma-lactone", "gamma_lactone", "supported"),
        ("O=C1CCCO1", "delta-lactone", "delta_lactone", "contradicted"),
        ("O=C1CCCCCO1", "epsilon-lactone", "epsilon_lactone", "supported"),
        ("CC(=O)OC(C)=O", "cyclic dicarboxylic anhydride", "cyclic_anhydride", "contradicted"),
        ("CC(=O)Cl", "acyl chloride", "acyl_chloride", "supported"),
        ("CC(=O)Br", "acyl chloride", "acyl_chloride", "contradicted"),
        ("CNC(C)=O", "secondary carboxamide", "secondary_carboxamide", "supported"),
        ("CNC(C)=O", "tertiary carboxamide", "tertiary_carboxamide", "contradicted"),
        ("CNC(C)=O", "primary carboxamide", "primary_carboxamide", "contradicted"),
        ("CC(=O)Nc1ccccc1", "member of benzamides", "benzamide", "contradicted"),
        ("CC(=O)Nc1ccccc1", "anilide", "anilide", "supported"),
        ("NC(=O)c1ccccc1", "anilide", "anilide", "contradicted"),
        ("NC(=O)CC(=O)O", "dicarboxylic acid monoamide", "diacid_monoamide", "unchecked"),
        ("O=C1CCCN1", "beta-lactam", "beta_lactam", "contradicted"),
        ("NC(=O)Nc1ccccc1", "member of phenylureas", "phenylurea", "supported"),
        ("NC(=O)NC", "member of phenylureas", "phenylurea", "contradicted"),
        ("CC(=O)NO", "hydroxamic acid", "hydroxamic_acid", "supported"),
    ],
)
def test_derivatives(smiles, name, concept, verdict):
    assert verdicts(smiles, f"{IS}{name}.")[concept] == verdict


@pytest.mark.parametrize(
    ("smiles", "caption", "concept", "verdict"),
    [
        ("CC(=O)OCCOC(C)=O", "a diester carrying two acetoxy groups.",
         "acetate_ester", "supported"),
        ("CC(=O)OCCO", "a compound carrying two acetoxy groups.",
         "acetate_ester", "contradicted"),
        ("CC(=O)OCCOC(C)=O", "a diester in which the three acyl groups are acetyl.",
         "acyls_counted", "contradicted"),
        ("COC(=O)c1ccccc1", "a compound bearing a methoxycarbonyl group.",
         "methoxycarbonyl", "supported"),
        ("CCOC(=O)c1ccccc1", "a compound bearing a methoxycarbonyl group.",
         "methoxycarbonyl", "contradicted"),
        ("CCC(=O)Oc1ccccc1", "a compound bearing a benzoyloxy group.",
         "benzoyloxy", "contradicted"),
    ],
)  # fmt: skip
def test_groups(smiles, caption, concept, verdict):
    assert verdicts(smiles, f"The molecule is {caption}")[concept] == verdict


@pytest.mark.parametrize(
    ("smiles", "parent", "concept", "verdict"),
    [
        ("NC(=O)CCC(N)=O", "succinic acid", "succinic_part", "supported"),
        ("NC(=O)CC(N)=O", "succinic acid", "succinic_part", "contradicted"),
        ("CC(=O)NC(=O)c1ccccc1N", "anthranilic acid", "anthranilic_part", "supported"),
    ],
)
def test_what_a_related_acid_shares(smiles, parent, concept, verdict):
    assert verdicts(smiles, f"It is a tautomer of a {parent}.")[concept] == verdict


def test_carbamic_acids_are_no_carboxylic_acids():
    counts = profile(parse_smiles("NC(=O)O"), LEXICON).counts
    assert "carboxylic_acid" not in counts
    assert counts["carbamic_acid"] == 1


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "C", "*C(=O)O", "O=C=O"])
def test_odd_molecules_have_an_answer(smiles):
    counts = profile(parse_smiles(smiles), LEXICON).counts
    assert ("monocarboxylic_acid" in counts) == (smiles == "*C(=O)O")
