"""Parsing: what is a molecule, and the one-line reason where it is none."""

import subprocess
import sys

import pytest

from molcaption.chem.molecule import (
    MAX_ATOMS,
    InvalidMolecule,
    canonical_smiles,
    inchikey,
    parse_molblock,
    parse_smiles,
)

REASONS = {
    "": "no atoms",
    "C1CC": "unclosed ring",
    "C1CC(": "syntax error near position 5",
    "CN(C)(C)(C)C": "Explicit valence for atom # 1 N, 5",
    "c1cccc1": "Can't kekulize",
    "C\0C": "NUL",
    "CC O": "white space",
    "CC\tO": "white space",
    "C" * (MAX_ATOMS + 1): f"{MAX_ATOMS + 1} heavy atoms; the limit is {MAX_ATOMS}",
    "C" * 1_000_000: "1000000 characters",
    "\ud800": "surrogates",
    "é": "syntax error",
}


@pytest.mark.parametrize(("text", "reason"), REASONS.items(), ids=range(len(REASONS)))
def test_reason_is_rdkits_in_one_line(text, reason, capfd):
    with pytest.raises(InvalidMolecule) as caught:
        parse_smiles(text)
    message = str(caught.value)
    assert reason in message
    assert "\n" not in message
    assert len(message) < 250
    assert capfd.readouterr() == ("", "")  # RDKit's own log is silent


def test_log_is_silent_again_after_a_reason_was_fetched(capfd):
    with pytest.raises(InvalidMolecule):
        parse_smiles("C1CC")
    with pytest.raises(InvalidMolecule):
        parse_molblock("a\nb\nc\n  1  0  0  0  0  0  0  0  0  0999 V2000\n")
    parse_smiles("C/C=C/C(F)(Cl)Br")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("OCC", "CCO"),
        (" C(C)O\n", "CCO"),
        ("[H][H]", "[H][H]"),
        ("*CC", "*CC"),
        ("CCO |$a;b;c$|", "CCO"),
        ("[Na+].[Cl-]", "[Cl-].[Na+]"),
        ("C" * MAX_ATOMS, "C" * MAX_ATOMS),
    ],
)
def test_canonical_smiles(text, canonical):
    assert canonical_smiles(parse_smiles(text)) == canonical


def test_mol_block_of_an_unknown_element_names_it():
    atom = "    0.0000    0.0000    0.0000 Zz  0  0\n"
    block = f"\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n{atom}M  END\n"
    with pytest.raises(InvalidMolecule, match=r"^Element 'Zz' not found$"):
        parse_molblock(block)


def test_mol_block_without_atoms():
    with pytest.raises(InvalidMolecule, match=r"^no atoms$"):
        parse_molblock("\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n")


def test_inchikey_of_aspirin_and_none_for_a_dummy_atom():
    assert inchikey(parse_smiles("CC(=O)Oc1ccccc1C(=O)O")) == "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"
    assert inchikey(parse_smiles("*CC")) is None


def test_reading_imports_no_torch():
    code = (
        "import sys, molcaption.chem.rebuild, molcaption.data.readers, molcaption.data.writers;"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
