"""Amino acids and peptides: true captions pass, the nearest wrong ones are refuted."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.claims.predicates.amino_names import list_total, read_acids
from molcaption.claims.predicates.peptide_walk import walk
from molcaption.claims.structure import Structure

LEXICON = load_lexicon().strict()  # whatever gold captions say of a test

ALA_LEU = "C[C@H](N)C(=O)N[C@@H](CC(C)C)C(=O)O"
GLY_LEU_PHE = "NCC(=O)N[C@@H](CC(C)C)C(=O)N[C@@H](Cc1ccccc1)C(=O)O"
GLUTATHIONE = "N[C@@H](CCC(=O)N[C@@H](CS)C(=O)NCC(=O)O)C(=O)O"
CYCLO_PRO_TYR = "C1C[C@H]2C(=O)N[C@H](C(=O)N2C1)CC3=CC=C(C=C3)O"
DEPSI = "O=C1CNC(=O)CNC(=O)CO1"
PENICILLIN = "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O"
CEPHALOSPORIN = "CC(=O)NC1C(=O)N2C(C(=O)O)=C(C)CSC12"

TRUE = [
    (ALA_LEU, "It is a dipeptide composed of L-alanine and L-leucine joined by a peptide linkage."),
    (ALA_LEU, "It is a dipeptide obtained by formal condensation of the carboxy group of L-alanine"
     " with the amino group of L-leucine."),
    (GLY_LEU_PHE, "It is a tripeptide with the sequence Gly-Leu-Phe."),
    (GLY_LEU_PHE, "It is a tripeptide composed of glycine, L-leucine and L-phenylalanine."),
    (GLUTATHIONE, "It is a tripeptide and a glutathione."),
    (CYCLO_PRO_TYR, "It is a homodetic cyclic peptide that is a dipeptide."),
    (DEPSI, "It is a cyclodepsipeptide."),
    ("C[C@H](N)C(=O)N", "It is an L-alanine derivative and an amino acid amide."),
    ("CC(=O)N[C@@H](Cc1ccccc1)C(=O)O", "It is a N-acyl-L-phenylalanine."),
    ("[NH3+][C@@H](CO)C(=O)[O-]", "It is an amino acid zwitterion and a tautomer of a L-serine."),
    ("N[C@@H](CO)C(=O)O", "It is an enantiomer of a D-serine."),
    ("N[C@@H](CO)C(=O)O", "It is a proteinogenic amino acid and an L-alpha-amino acid."),
    ("N[C@@H](CC)C(=O)O", "It is a non-proteinogenic L-alpha-amino acid."),
    ("NCCCC(=O)O", "It is a gamma-amino acid."),
    (PENICILLIN, "It is a penicillin."),
    (CEPHALOSPORIN, "It is a cephalosporin."),
    ("N[C@@H](CCCNC(N)=N)C(=O)O", "It is an L-arginine derivative."),
    ("N[C@@H](CCCN=C(N)N)C(=O)O", "It is the L-enantiomer of arginine."),
]  # fmt: skip

FALSE = [
    (ALA_LEU, "tripeptide", "It is a tripeptide."),
    (ALA_LEU, "residues_listed", "It is a dipeptide composed of L-alanine and L-valine."),
    (ALA_LEU, "residues_listed", "It is a dipeptide composed of two L-alanine units."),
    (ALA_LEU, "residues_listed", "It is a dipeptide composed of D-alanine and L-leucine."),
    (ALA_LEU, "residues_listed", "It is a peptide composed of L-alanine, L-leucine and glycine."),
    (ALA_LEU, "residues_joined", "It is a dipeptide obtained by formal condensation of the carboxy"
     " group of L-leucine with the amino group of L-alanine."),
    (GLY_LEU_PHE, "residue_sequence", "It is a tripeptide with the sequence Leu-Gly-Phe."),
    (GLY_LEU_PHE, "tetrapeptide", "It is a tetrapeptide."),
    (GLY_LEU_PHE, "residues_listed", "It is a peptide composed of glycine and L-leucine."),
    (GLY_LEU_PHE, "glutathione", "It is a glutathione derivative."),
    (ALA_LEU, "homodetic_cyclic_peptide", "It is a homodetic cyclic peptide."),
    (GLY_LEU_PHE, "cyclodepsipeptide", "It is a cyclodepsipeptide."),
    ("C[C@@H](N)C(=O)N", "amino_acid_named", "It is an L-alanine derivative."),
    ("NCC(=O)N", "amino_acid_named", "It is an alanine derivative."),
    ("N[C@@H](Cc1ccccc1)C(=O)O", "amino_acid_named", "It is a N-acyl-L-phenylalanine."),
    ("N[C@@H](CO)C(=O)O", "amino_acid_mirror", "It is an enantiomer of a L-serine."),
    ("N[C@@H](CO)C(=O)O", "d_alpha_amino_acid", "It is a D-alpha-amino acid."),
    ("N[C@@H](CC)C(=O)O", "proteinogenic_amino_acid", "It is a proteinogenic amino acid."),
    ("N[C@@H](CO)C(=O)O", "non_proteinogenic_l_alpha", "It is a non-proteinogenic L-alpha-amino"
     " acid."),
    ("NCCC(=O)O", "gamma_amino_acid", "It is a gamma-amino acid."),
    ("CC(=O)NCC(=O)O", "alpha_amino_acid", "It is an alpha-amino acid."),
    (PENICILLIN, "cephem", "It is a cephalosporin."),
    (CEPHALOSPORIN, "penicillin", "It is a penicillin."),
]  # fmt: skip


def _verdicts(smiles: str, caption: str) -> dict[str, str]:
    claims = check_caption(parse_smiles(smiles), caption, LEXICON).claims
    return {claim["concept"]: claim["verdict"] for claim in claims if claim["concept"]}


@pytest.mark.parametrize(("smiles", "caption"), TRUE)
def test_true_captions_are_supported(smiles, caption):
    verdicts = _verdicts(smiles, caption)
    assert "supported" in verdicts.values()
    assert "contradicted" not in verdicts.values(), verdicts


@pytest.mark.parametrize(("smiles", "concept", "caption"), FALSE)
def test_wrong_captions_are_refuted(smiles, concept, caption):
    assert _verdicts(smiles, caption)[concept] == "contradicted"


@pytest.mark.parametrize(
    ("smiles", "low", "high"),
    [
        ("NCC(=O)O", 1, 1),
        (ALA_LEU, 2, 2),
        (GLUTATHIONE, 3, 3),
        (CYCLO_PRO_TYR, 2, 2),
        ("CN(CC(=O)O)C(=O)CN(C)C(C)=O", 2, 2),
        ("NCCC(=O)N[C@@H](Cc1cnc[nH]1)C(=O)O", 1, 2),
        ("O=C1CC[C@@H](C(=O)N2CCC[C@H]2C(N)=O)N1", 2, 2),
        ("B([C@H](CC(C)C)NC(=O)[C@H](Cc1ccccc1)NC(C)=O)(O)O", 1, 2),
        (DEPSI, 2, 3),
        ("CCO", 0, 0),
    ],
)
def test_residues_are_counted(smiles, low, high):
    found = walk(Structure(parse_smiles(smiles), LEXICON))
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("two L-tryptophan and one L-valine residues", [("tryptophan", 2), ("valine", 1)]),
        ("L-alanylglycine", [("alanine", 1), ("glycine", 1)]),
        ("Gly-Leu-Phe-NH2", [("glycine", 1), ("leucine", 1), ("phenylalanine", 1)]),
        ("dopamine", []),
        ("thioproline", [(None, 1)]),
        ("L-aspartate(1-)", [("aspartic acid", 1)]),
    ],
)
def test_amino_acids_are_read(text, names):
    assert [(one.key, one.count) for one in read_acids(text)] == names


def test_a_full_list_is_summed():
    assert list_total("L-arginine, glycine and two L-cysteine units joined in sequence") == 4
    assert list_total("two L-leucine units joined to L-aspartic acid") == 0
    assert list_total("L-leucine and an unknown residue") == 0
