"""Chains by name and number, lipid backbones and oxylipins, each with true and false captions."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.claims.predicates.chain_names import STEMS, read_name
from molcaption.claims.predicates.chain_walk import chains, lengths
from molcaption.claims.predicates.lipids import glycerols, sphingoids
from molcaption.claims.structure import Structure

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test
PALMITIC = "CCCCCCCCCCCCCCCC(=O)O"
OLEIC = "CCCCCCCC/C=C\\CCCCCCCC(=O)O"
LINOLEIC = "CCCCC/C=C\\C/C=C\\CCCCCCCC(=O)O"
ARACHIDONIC = "CCCCC/C=C\\C/C=C\\C/C=C\\C/C=C\\CCCC(=O)O"
HODE = "CCCCC[C@H](O)/C=C/C=C\\CCCCCCCC(=O)O"
OLEOYL_CARNITINE = "CCCCCCCC/C=C\\CCCCCCCC(=O)OC(CC(=O)[O-])C[N+](C)(C)C"
POPC = "CCCCCCCCCCCCCCCC(=O)OC[C@H](COP(=O)([O-])OCC[N+](C)(C)C)OC(=O)CCCCCCC/C=C\\CCCCCCCC"
LYSO = "CCCCCCCCCCCCCCCC(=O)OC[C@@H](O)COP(=O)([O-])OCC[N+](C)(C)C"
DIPALMITIN = "CCCCCCCCCCCCCCCC(=O)OC[C@H](CO)OC(=O)CCCCCCCCCCCCCCC"
CERAMIDE = "CCCCCCCCCCCCC/C=C/[C@@H](O)[C@H](CO)NC(=O)CCCCCCCCCCCCCCC"
PHYTOCERAMIDE = "CCCCCCCCCCCCCC[C@@H](O)[C@@H](O)[C@H](CO)NC(=O)CCCCCCCCCCCCCCC"
SPHINGOMYELIN = "CCCCCCCCCCCCC/C=C/[C@@H](O)[C@H](COP(=O)([O-])OCC[N+](C)(C)C)NC(=O)CCCCCCCCCCCCCCC"
PGE2 = "CCCCC[C@H](O)/C=C/[C@H]1[C@H](O)CC(=O)[C@@H]1C/C=C\\CCCC(=O)O"
COA = "SCCNC(=O)CCNC(=O)C(O)C(C)(C)COP(=O)(O)OP(=O)(O)OCC1OC(C(O)C1OP(=O)(O)O)n1cnc2c(N)ncnc12"
ENOYL_COA = "CCCCCCC/C=C/C(=O)" + COA


def verdicts(smiles: str, caption: str) -> dict[str | None, set[str]]:
    found: dict[str | None, set[str]] = {}
    for claim in check_caption(parse_smiles(smiles), caption, LEXICON).claims:
        found.setdefault(claim["concept"], set()).add(claim["verdict"])
    return found


@pytest.mark.parametrize(
    ("smiles", "concept", "true", "false"),
    [
        (
            PALMITIC, "chain_length_class",
            "It is a long-chain fatty acid.",
            "It is a medium-chain fatty acid.",
        ),
        (
            PALMITIC, "chain_trait",
            "It is a straight-chain saturated fatty acid.",
            "It is a polyunsaturated fatty acid.",
        ),
        (
            PALMITIC, "chain_sum",
            "It is a fatty acid 16:0.",
            "It is a fatty acid 18:0.",
        ),
        (
            PALMITIC, "carbon_number",
            "The molecule is a C16 fatty acid.",
            "The molecule is a C18 fatty acid.",
        ),
        (
            OLEIC, "named_chain_class",
            "It is an octadecenoic acid.",
            "It is an octadecadienoic acid.",
        ),
        (
            OLEIC, "isomer_labels",
            "The molecule is an octadecenoic acid with the double bond at position 9 (the "
            "9Z-geoisomer).",
            "The molecule is an octadecenoic acid with the double bond at position 9 (the "
            "9E-geoisomer).",
        ),
        (
            LINOLEIC, "chain_trait",
            "It is a dienoic fatty acid.",
            "It is a trienoic fatty acid.",
        ),
        (
            LINOLEIC, "chain_trait",
            "It is an omega-6 fatty acid.",
            "It is an omega-3 fatty acid.",
        ),
        (
            HODE, "oxylipin_code",
            "It is a HODE.",
            "It is a HETE.",
        ),
        (
            HODE, "chain_bears",
            "It is a hydroxy fatty acid.",
            "It is an oxo fatty acid.",
        ),
        (
            HODE, "substituted_chain",
            "It is a conjugate acid of a 13-hydroxyoctadeca-9,11-dienoate.",
            "It is a conjugate acid of a 9-hydroxyoctadeca-9,11-dienoate.",
        ),
        (
            OLEOYL_CARNITINE, "named_chain",
            "The molecule is an O-acylcarnitine having (9Z)-octadecenoyl as the acyl "
            "substituent.",
            "The molecule is an O-acylcarnitine having (9E)-octadecenoyl as the acyl "
            "substituent.",
        ),
        (
            OLEOYL_CARNITINE, "named_chain",
            "The molecule is an O-acylcarnitine having (9Z)-octadecenoyl as the acyl "
            "substituent.",
            "The molecule is an O-acylcarnitine having (9Z)-hexadecenoyl as the acyl "
            "substituent.",
        ),
        (
            OLEOYL_CARNITINE, "trivial_chain",
            "The molecule is an O-acylcarnitine having oleoyl as the acyl substituent.",
            "The molecule is an O-acylcarnitine having stearoyl as the acyl substituent.",
        ),
        (
            OLEOYL_CARNITINE, "o_acylcarnitine",
            "It is an O-acylcarnitine.",
            None,
        ),
        (
            POPC, "phosphatidylcholine",
            "It is a phosphatidylcholine.",
            None,
        ),
        (
            POPC, "chain_sum",
            "It is a phosphatidylcholine 34:1.",
            "It is a phosphatidylcholine 36:1.",
        ),
        (
            POPC, "chain_sum",
            "It is a phosphatidylcholine 34:1.",
            "It is a phosphatidylcholine 34:2.",
        ),
        (
            POPC, "glycerol_name",
            "It is a 1-palmitoyl-2-oleoyl-sn-glycero-3-phosphocholine.",
            "It is a 1-palmitoyl-sn-glycero-3-phosphocholine.",
        ),
        (
            POPC, "acyls_counted",
            "The molecule is a phospholipid in which the two acyl groups are specified as "
            "palmitoyl and oleoyl.",
            "The molecule is a phospholipid in which the three acyl groups are specified "
            "as palmitoyl and oleoyl.",
        ),
        (
            LYSO, "lysophosphatidylcholine",
            "It is a lysophosphatidylcholine.",
            None,
        ),
        (
            LYSO, "chain_sum",
            "It is a lysophosphatidylcholine 16:0.",
            "It is a lysophosphatidylcholine 18:0.",
        ),
        (
            DIPALMITIN, "acylglycerol_count",
            "It is a diacylglycerol 32:0.",
            "It is a triacylglycerol 32:0.",
        ),
        (
            DIPALMITIN, "glycerol_name",
            "It is a 1,2-diacyl-sn-glycerol.",
            "It is a 1-acyl-sn-glycerol.",
        ),
        (
            CERAMIDE, "sphingoid_name",
            "It is an N-acylsphingosine.",
            "It is an N-acylsphinganine.",
        ),
        (
            CERAMIDE, "chain_listed",
            "It is a Cer(d18:1/16:0).",
            "It is a Cer(d18:1/18:0).",
        ),
        (
            CERAMIDE, "chain_listed",
            "It is a Cer(d18:1/16:0).",
            "It is a Cer(d16:1/16:0).",
        ),
        (
            PHYTOCERAMIDE, "sphingoid_name",
            "It is an N-acyl-4-hydroxysphinganine.",
            "It is an N-acylhexadecasphinganine.",
        ),
        (
            ENOYL_COA, "enoyl_coa_place",
            "It is a trans-2-enoyl-CoA.",
            "It is a cis-3-enoyl-CoA.",
        ),
        (
            ENOYL_COA, "chain_trait",
            "It is a monounsaturated fatty acyl-CoA.",
            "It is a saturated fatty acyl-CoA.",
        ),
        (
            "CCCC(=O)OCC(O)COC(=O)CCC", "trivial_glyceride",
            "It is a dibutyrin.",
            "It is a tributyrin.",
        ),
        (
            "CC(=O)" + COA, "coa_acyl",
            "It is a conjugate acid of an acetyl-CoA(4-).",
            "It is a conjugate acid of a malonyl-CoA(4-).",
        ),
    ],
)  # fmt: skip
def test_a_caption_and_its_opposite(smiles, concept, true, false):
    assert "contradicted" not in verdicts(smiles, true)[concept]
    if false is not None:
        assert "contradicted" in verdicts(smiles, false)[concept]


@pytest.mark.parametrize(
    ("smiles", "caption", "concept"),
    [
        (LYSO, "It is a phosphatidylcholine.", "phosphatidylcholine"),
        (DIPALMITIN, "It is a triglyceride.", "triglyceride"),
        (DIPALMITIN, "It is a 1,3-diglyceride.", "diglyceride_13"),
        (CERAMIDE, "It is a phytoceramide.", "phytoceramide"),
        (CERAMIDE, "It is a sphingomyelin.", "sphingomyelin"),
        (POPC, "It is a sphingomyelin.", "sphingomyelin"),
        (POPC, "It is a phosphatidylethanolamine 34:1.", "phosphatidylethanolamine"),
        (PGE2, "It is a member of prostaglandins Falpha.", "prostaglandin_f"),
        (ARACHIDONIC, "It is a prostanoid.", "prostanoid"),
        (PALMITIC, "It is an icosanoid.", "icosanoid"),
        (PALMITIC, "It is a fatty acid anion.", "fatty_acid_anion"),
        (PALMITIC, "It is a fatty alcohol.", "fatty_alcohol"),
        (PALMITIC, "It is an N-acylethanolamine.", "n_acylethanolamine"),
        (PALMITIC, "It is an acyl-CoA.", "acyl_coa"),
    ],
)
def test_a_class_is_refuted_on_its_neighbours(smiles, caption, concept):
    assert verdicts(smiles, caption)[concept] == {"contradicted"}


@pytest.mark.parametrize(
    ("smiles", "caption", "concept"),
    [
        (POPC, "It is a phosphatidylcholine.", "phosphatidylcholine"),
        (SPHINGOMYELIN, "It is a sphingomyelin.", "sphingomyelin"),
        (CERAMIDE, "It is a ceramide.", "ceramide"),
        (PGE2, "It is a member of prostaglandins E.", "prostaglandin_e"),
        (DIPALMITIN, "It is a 1,2-diacyl-sn-glycerol.", "glycerol_name"),
        (ENOYL_COA, "It is an acyl-CoA.", "acyl_coa"),
        (PALMITIC, "It is a fatty acid.", "fatty_acid"),
    ],
)
def test_a_class_is_supported(smiles, caption, concept):
    assert "supported" in verdicts(smiles, caption)[concept]


@pytest.mark.parametrize(
    ("stem", "carbons"),
    [
        ("but", 4), ("undec", 11), ("tetradec", 14), ("icos", 20), ("eicos", 20), ("henicos", 21),
        ("tetracos", 24), ("triacont", 30), ("hexatriacont", 36), ("octatriacont", 38),
    ],
)  # fmt: skip
def test_stems(stem, carbons):
    assert STEMS[stem] == carbons


def test_a_name_gives_its_double_bonds():
    assert read_name("icos", "", "5,8,11,14", "tetra", "en").bonds == dict.fromkeys(
        (5, 8, 11, 14), ""
    )
    assert read_name("docos", "all-cis", "7,10", "di", "en").bonds == {7: "Z", 10: "Z"}
    assert read_name("octadec", "9Z,12Z", "", "di", "en").double == 2
    assert read_name("arachidon", "", "", "", "").carbons == 20
    assert read_name("nonsense", "", "", "", "") is None


def test_chains_are_walked_from_their_head():
    chain = next(c for c in chains(Structure(parse_smiles(HODE), LEXICON)) if c.head == "acid")
    assert (len(chain.path), chain.double, chain.bonds) == (18, 2, {9: "Z", 11: "E"})
    assert chain.bears[12] == "O"
    branched = chains(Structure(parse_smiles("CC(C)CCCCC(=O)O"), LEXICON))[0]
    assert (len(branched.path), branched.size, branched.straight) == (7, 8, False)


def test_a_ring_ends_a_chain_but_an_epoxide_does_not():
    ring = lengths(Structure(parse_smiles("OC(=O)CCCCC1CCCC1"), LEXICON))
    epoxide = lengths(Structure(parse_smiles("CCCC1OC1CCC(=O)O"), LEXICON))
    assert 5 in ring["acyl"] and 9 not in ring["acyl"]
    assert 8 in epoxide["acyl"]


def test_backbones():
    assert glycerols(Structure(parse_smiles(POPC), LEXICON)) in (["AAP"], ["PAA"])
    assert sphingoids(Structure(parse_smiles(SPHINGOMYELIN), LEXICON)) == [("sAP", 18, 18)]
    assert sphingoids(Structure(parse_smiles(PHYTOCERAMIDE), LEXICON)) == [("pAH", 18, 18)]


@pytest.mark.parametrize("smiles", ["*C(=O)OCC(CO)OC(*)=O", "C", "[Na+].[Cl-]", "c1ccccc1", "*"])
def test_odd_records_are_answered(smiles):
    check_caption(parse_smiles(smiles), "It is a 1,2-diacyl-sn-glycerol 36:1, an N-acylsphingosine "
                  "and a long-chain fatty acid.", LEXICON)  # fmt: skip
