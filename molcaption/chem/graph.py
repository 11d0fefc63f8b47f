"""Molecules as integer graphs: PyTorch Geometric's ``from_smiles`` codes, without torch.

Nine categorical features an atom and three a bond, each the index in a fixed vocabulary (the tables
below; they follow ``torch_geometric.utils.smiles``, and a test holds us to it). Where that function
raises for a value outside its table, we use one more index, the *unknown bucket*, so that no
molecule can stop a run or crash the encoder.

Dims: N atoms, E directed bonds (each chemical bond twice), B molecules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

IntArray = NDArray[np.int64]

_CHIRALITY = {
    Chem.ChiralType.CHI_UNSPECIFIED: 0,
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: 1,
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 2,
    Chem.ChiralType.CHI_OTHER: 3,
    Chem.ChiralType.CHI_TETRAHEDRAL: 4,
    Chem.ChiralType.CHI_ALLENE: 5,
    Chem.ChiralType.CHI_SQUAREPLANAR: 6,
    Chem.ChiralType.CHI_TRIGONALBIPYRAMIDAL: 7,
    Chem.ChiralType.CHI_OCTAHEDRAL: 8,
}
_HYBRIDIZATIONS = ("UNSPECIFIED", "S", "SP", "SP2", "SP3", "SP3D", "SP3D2", "OTHER")
_HYBRIDIZATION = {
    Chem.HybridizationType.names[name]: code for code, name in enumerate(_HYBRIDIZATIONS)
}
# RDKit's own order of bond types is PyTorch Geometric's, and so is that of the stereo labels.
_BOND_TYPES, _BOND_STEREOS = 22, 6
_MAX_ATOMIC_NUMBER, _MAX_DEGREE, _MAX_HYDROGENS, _MAX_RADICALS = 118, 10, 8, 4
_MIN_CHARGE, _MAX_CHARGE = -5, 6

ATOM_FEATURES = (
    "atomic_number",
    "chirality",
    "degree",
    "charge",
    "hydrogens",
    "radicals",
    "hybridization",
    "aromatic",
    "in_ring",
)
BOND_FEATURES = ("bond_type", "stereo", "conjugated")
ATOM_VOCABULARY = (
    _MAX_ATOMIC_NUMBER + 1,
    len(_CHIRALITY),
    _MAX_DEGREE + 1,
    _MAX_CHARGE - _MIN_CHARGE + 1,
    _MAX_HYDROGENS + 1,
    _MAX_RADICALS + 1,
    len(_HYBRIDIZATIONS),
    2,
    2,
)
"""Known values of each atom feature; the index equal to the count is the unknown bucket."""
BOND_VOCABULARY = (_BOND_TYPES, _BOND_STEREOS, 2)
"""Known values of each bond feature; the index equal to the count is the unknown bucket."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One molecule as integer arrays.

    Shapes: ``x`` [N, 9], ``edge_index`` [2, E] sorted by source then target, ``edge_attr`` [E, 3].
    """

    x: IntArray
    edge_index: IntArray
    edge_attr: IntArray


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """Several graphs as one with unconnected parts.

    Shapes: ``x`` [N, 9], ``edge_index`` [2, E], ``edge_attr`` [E, 3] over all B molecules;
    ``batch`` [N] tells the molecule of each atom.
    """

    x: IntArray
    edge_index: IntArray
    edge_attr: IntArray
    batch: IntArray
    num_graphs: int


def featurise(mol: Chem.Mol) -> Graph:
    """Integer features of ``mol``, hydrogens implicit, atoms in the order of ``mol``."""
    atoms = [_atom_codes(atom) for atom in mol.GetAtoms()]
    x = _with_unknown(np.array(atoms, dtype=np.int64).reshape(-1, 9), ATOM_VOCABULARY)
    ends, codes = [], []
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += [(i, j), (j, i)]
        code = (int(bond.GetBondType()), int(bond.GetStereo()), int(bond.GetIsConjugated()))
        codes += [code, code]
    edge_index = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    edge_attr = _with_unknown(np.array(codes, dtype=np.int64).reshape(-1, 3), BOND_VOCABULARY)
    order = np.lexsort((edge_index[1], edge_index[0]))
    return Graph(x, np.ascontiguousarray(edge_index[:, order]), edge_attr[order])


def collate_graphs(graphs: Sequence[Graph]) -> GraphBatch:
    """Join ``graphs`` into one batch, shifting the bond indices of each."""
    sizes = np.array([len(graph.x) for graph in graphs], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    return GraphBatch(
        x=np.concatenate([graph.x for graph in graphs]),
        edge_index=np.concatenate(
            [graph.edge_index + start for graph, start in zip(graphs, starts, strict=True)], axis=1
        ),
        edge_attr=np.concatenate([graph.edge_attr for graph in graphs]),
        batch=np.repeat(np.arange(len(graphs), dtype=np.int64), sizes),
        num_graphs=len(graphs),
    )


def _atom_codes(atom: Chem.Atom) -> tuple[int, ...]:
    return (
        atom.GetAtomicNum(),
        _CHIRALITY.get(atom.GetChiralTag(), -1),
        atom.GetTotalDegree(),
        atom.GetFormalCharge() - _MIN_CHARGE,
        atom.GetTotalNumHs(),
        atom.GetNumRadicalElectrons(),
        _HYBRIDIZATION.get(atom.GetHybridization(), -1),
        atom.GetIsAromatic(),
        atom.IsInRing(),
    )


def _with_unknown(codes: IntArray, vocabulary: Sequence[int]) -> IntArray:
    """Send every code outside ``0..size-1`` of its column to that column's unknown bucket."""
    sizes = np.array(vocabulary, dtype=np.int64)
    return np.where((codes < 0) | (codes >= sizes), sizes, codes)
