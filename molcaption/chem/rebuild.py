"""An RDKit mol from PyTorch Geometric's integer codes: the way back from `chem.graph`.

People keep molecules as pickled ``Data`` lists without SMILES. The codes hold everything but the
order in which bonds were made, and RDKit's chirality tags are relative to that order. PyTorch
Geometric sorts the bonds, so we restore the order of the SMILES parser: first the bond from each
atom to its parent (the neighbour written last before it), then the ring closures. That is
exact up to one ring closure an atom; of ChEBI's own SMILES, 99.7 % come back to the letter but for
isotopes, of RDKit's canonical SMILES (which reuse ring digits) 98.6 %.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rdkit import Chem

from molcaption.chem.graph import (
    ATOM_FEATURES,
    ATOM_VOCABULARY,
    BOND_FEATURES,
    BOND_VOCABULARY,
)
from molcaption.chem.molecule import InvalidMolecule, check_size

_MIN_CHARGE = -5
_DATIVE = 17
_STEREO_Z, _STEREO_E, _STEREO_CIS, _STEREO_TRANS = 2, 3, 4, 5
_ACCEPTORS = {5, 13}  # boron and aluminium accept from heavier donors; metals are heavier anyway

Bond = tuple[int, int, int, int]
"""First atom, second atom, bond type code, stereo code."""


def mol_from_graph(x: ArrayLike, edge_index: ArrayLike, edge_attr: ArrayLike) -> Chem.Mol:
    """Rebuild the molecule, sanitised and without explicit hydrogens; atoms keep their order.

    Charges, hydrogens, radicals and aromaticity are exact. Stereo is restored as far as the
    codes allow (see the module); isotopes and atom maps are not in the codes.

    Shapes: ``x`` [N, 9], ``edge_index`` [2, E], ``edge_attr`` [E, 3]; each bond once or twice.

    Raises:
        InvalidMolecule: wrong shapes, a code outside its table, or not a molecule for RDKit.
    """
    atoms = _integers(x, "x", 9)
    ends = np.asarray(edge_index)
    if ends.ndim != 2 or len(ends) != 2:
        raise InvalidMolecule(f"edge_index has the shape {list(ends.shape)}, expected [2, E]")
    pairs = _integers(ends.T, "edge_index", 2)
    codes = _integers(edge_attr, "edge_attr", 3)
    if len(codes) != len(pairs):
        raise InvalidMolecule(f"edge_attr has {len(codes)} rows for {len(pairs)} bonds")
    _check_codes(atoms, ATOM_FEATURES, ATOM_VOCABULARY, "atom")
    _check_codes(codes, BOND_FEATURES, BOND_VOCABULARY, "bond")
    bonds = _bonds_in_smiles_order(pairs, codes, len(atoms))
    mol = Chem.RWMol()
    for row in atoms.tolist():
        mol.AddAtom(_atom(row))
    for first, second, kind, _ in bonds:
        mol.AddBond(*_donor_first(atoms, first, second, kind), Chem.BondType.values[kind])
    try:
        return _finish(mol, bonds)
    except (RuntimeError, ValueError) as error:
        raise InvalidMolecule(" ".join(str(error).split())) from error


def _integers(values: ArrayLike, name: str, width: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros((0, width), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != width:
        raise InvalidMolecule(f"{name} has the shape {list(array.shape)}, expected [*, {width}]")
    integers = array.astype(np.int64)
    if not np.array_equal(integers, array):
        raise InvalidMolecule(f"{name} holds values that are not integers")
    return integers


def _check_codes(
    codes: NDArray[np.int64], names: tuple[str, ...], sizes: tuple[int, ...], what: str
) -> None:
    bad = np.argwhere((codes < 0) | (codes >= np.array(sizes)))
    if len(bad):
        row, column = bad[0].tolist()
        raise InvalidMolecule(
            f"{what} {row}: {names[column]} code {codes[row, column]}, "
            f"expected 0 to {sizes[column] - 1}"
        )


def _atom(row: list[int]) -> Chem.Atom:
    atomic_number, chirality, _, charge, hydrogens, radicals, _, aromatic, _ = row
    atom = Chem.Atom(atomic_number)
    atom.SetChiralTag(Chem.ChiralType.values[chirality])
    atom.SetFormalCharge(charge + _MIN_CHARGE)
    atom.SetNumExplicitHs(hydrogens)
    atom.SetNumRadicalElectrons(radicals)
    atom.SetNoImplicit(True)  # the hydrogens are all counted, RDKit must not add any
    atom.SetIsAromatic(bool(aromatic))
    return atom


def _bonds_in_smiles_order(
    pairs: NDArray[np.int64], codes: NDArray[np.int64], n_atoms: int
) -> list[Bond]:
    """Each bond once, parents before ring closures (see the module)."""
    bonds: dict[tuple[int, int], Bond] = {}
    for (i, j), (kind, stereo, _) in zip(pairs.tolist(), codes.tolist(), strict=True):
        if not (0 <= i < n_atoms and 0 <= j < n_atoms) or i == j:
            raise InvalidMolecule(f"bond between atoms {i} and {j} of {n_atoms}")
        first, second = min(i, j), max(i, j)
        bonds[first, second] = (first, second, kind, stereo)
    parent = {second: first for first, second in sorted(bonds)}
    tree = [bonds[parent[child], child] for child in sorted(parent)]
    closures = [bonds[i, j] for i, j in sorted(bonds) if parent[j] != i]
    return tree + closures


def _donor_first(atoms: NDArray[np.int64], i: int, j: int, kind: int) -> tuple[int, int]:
    """A dative bond runs from donor to acceptor, which the codes do not tell: guess."""
    first, second = int(atoms[i, 0]), int(atoms[j, 0])
    swap = first in _ACCEPTORS or (first > second and second not in _ACCEPTORS)
    return (j, i) if kind == _DATIVE and swap else (i, j)


def _finish(mol: Chem.RWMol, bonds: list[Bond]) -> Chem.Mol:
    check_size(mol)
    Chem.SanitizeMol(mol)
    stereo = [bond for bond in bonds if bond[3] >= _STEREO_Z]
    if stereo:
        # Ranks for the choice of reference neighbours; nothing is cleaned away yet.
        Chem.AssignStereochemistry(mol, cleanIt=False, force=True, flagPossibleStereoCenters=True)
    for first, second, _, code in stereo:
        _set_stereo(mol, first, second, code)
    Chem.SetDoubleBondNeighborDirections(mol)  # the legacy perception reads nothing else
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return Chem.RemoveHs(mol)


def _set_stereo(mol: Chem.RWMol, first: int, second: int, code: int) -> None:
    bond = mol.GetBondBetweenAtoms(first, second)
    begin, end = bond.GetBeginAtom(), bond.GetEndAtom()
    one, other = _reference(begin, end, code), _reference(end, begin, code)
    if one is None or other is None:
        return  # no neighbour to be cis or trans to: the label means nothing
    bond.SetStereoAtoms(one, other)
    bond.SetStereo(
        Chem.BondStereo.STEREOCIS
        if code in (_STEREO_Z, _STEREO_CIS)
        else Chem.BondStereo.STEREOTRANS
    )


def _reference(atom: Chem.Atom, other: Chem.Atom, code: int) -> int | None:
    """Z and E compare the neighbours of highest CIP rank, cis and trans those written first."""
    neighbours: Iterable[Chem.Atom] = atom.GetNeighbors()
    candidates = [n for n in neighbours if n.GetIdx() != other.GetIdx()]
    if not candidates:
        return None
    if code in (_STEREO_CIS, _STEREO_TRANS):
        return min(n.GetIdx() for n in candidates)
    return max(candidates, key=_cip_rank).GetIdx()


def _cip_rank(atom: Chem.Atom) -> int:
    return int(atom.GetProp("_CIPRank")) if atom.HasProp("_CIPRank") else 0
