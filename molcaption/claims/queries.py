"""RDKit query molecules for the lexicon's tests: strict SMARTS, and skeletons of any bond order.

A skeleton keeps elements and connectivity and forgets bond orders, aromaticity, charges and
hydrogens: "member of indoles" is said of indolines, oxindoles and indolium ions alike, and a
tautomer or a mesomer never makes a caption wrong.
"""

from collections.abc import Callable
from functools import lru_cache

from rdkit import Chem, rdBase


def strict_query(smarts: str) -> Chem.Mol:
    """The SMARTS compiled. Raises ValueError if RDKit cannot read it."""
    with rdBase.BlockLogs():
        query = Chem.MolFromSmarts(smarts)
    if query is None or query.GetNumAtoms() == 0:
        raise ValueError(f"RDKit cannot read the SMARTS {smarts!r}")
    return query


@lru_cache(maxsize=512)
def kept_query(smarts: str) -> Chem.Mol:
    """As `strict_query`, compiled once: for tests that choose among a few SMARTS as they run."""
    return strict_query(smarts)


@lru_cache(maxsize=512)
def _any_atom(number: int) -> Chem.Atom:
    return Chem.AtomFromSmarts(f"[#{number}]" if number else "[*;!#1]")


@lru_cache(maxsize=512)
def _drawn_atom(number: int, aromatic: bool) -> Chem.Atom:
    return Chem.AtomFromSmarts(f"[#{number};{'a' if aromatic else 'A'}]" if number else "[*;!#1]")


def skeleton_query(smiles: str) -> Chem.Mol:
    """Elements and connectivity of a SMILES (``*`` is any heavy atom); rings stay rings.

    Raises ValueError if RDKit cannot read it.
    """
    return _skeleton(smiles, lambda atom: _any_atom(atom.GetAtomicNum()))


def drawn_query(smiles: str) -> Chem.Mol:
    """As `skeleton_query`, with the aromatic atoms aromatic and the others not."""
    return _skeleton(smiles, lambda atom: _drawn_atom(atom.GetAtomicNum(), atom.GetIsAromatic()))


def _skeleton(smiles: str, replacement: Callable[[Chem.Atom], Chem.Atom]) -> Chem.Mol:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmarts(smiles)  # its grammar holds SMILES; nothing is normalised
    if mol is None or mol.GetNumAtoms() == 0:
        raise ValueError(f"RDKit cannot read the SMILES {smiles!r}")
    query = Chem.RWMol(mol)
    for atom in mol.GetAtoms():
        query.ReplaceAtom(atom.GetIdx(), replacement(atom))
    for bond in mol.GetBonds():
        query.ReplaceBond(bond.GetIdx(), Chem.BondFromSmarts("~"))
    return query.GetMol()
