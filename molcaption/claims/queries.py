"""RDKit query molecules for the lexicon's tests: strict SMARTS, and skeletons of any bond order.

A skeleton keeps elements and connectivity and forgets bond orders, aromaticity, charges and
hydrogens: "member of indoles" is said of indolines, oxindoles and indolium ions alike, and a
tautomer or a mesomer never makes a caption wrong.
"""

from collections import Counter
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


def required_atoms(query: Chem.Mol) -> dict[int, int]:
    """Atoms by atomic number that every match needs, from query atoms of one element only."""
    numbers = []
    for atom in query.GetAtoms():
        described = atom.DescribeQuery()
        if any(word in described for word in ("Or", "!=", "RecursiveStructure", "Xor")):
            continue
        if "AtomType" in described or "AtomAtomicNum" in described:
            numbers.append(atom.GetAtomicNum())
    return dict(Counter(number for number in numbers if number))


def required_rings(query: Chem.Mol) -> int:
    """Rings that every match needs: bonds beyond a tree's."""
    return max(0, query.GetNumBonds() - query.GetNumAtoms() + len(Chem.GetMolFrags(query)))
