"""What the encoder must know about a structure: bits, groups and descriptors from RDKit.

Multi-task structural targets in the manner of Hu et al. ("Strategies for Pre-training Graph
Neural Networks", ICLR 2020, section 3.2): everything here is computed, nothing is labelled by hand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Crippen, rdFingerprintGenerator, rdMolDescriptors

from molcaption.claims import group_counts, load_lexicon

FINGERPRINT_BITS = 1024
_morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=FINGERPRINT_BITS)
_ELEMENTS = (6, 7, 8, 9, 15, 16, 17, 35, 53)


@dataclass(frozen=True, slots=True)
class StructureTargets:
    """Targets of one molecule.

    Shapes: ``fingerprint`` [1024] in {0, 1}, ``groups`` [number of concepts] in {0, 1},
    ``descriptors`` [number of descriptors], signed logarithms of counts and sums.
    """

    fingerprint: NDArray[np.uint8]
    groups: NDArray[np.uint8]
    descriptors: NDArray[np.float32]


def structure_targets(mol: Chem.Mol) -> StructureTargets:
    """Morgan bits (radius 2), presence of each lexicon concept, and descriptors of ``mol``."""
    counts = group_counts(mol, load_lexicon())
    return StructureTargets(
        fingerprint=_morgan.GetFingerprintAsNumPy(mol).astype(np.uint8),
        groups=np.array([count > 0 for count in counts.values()], dtype=np.uint8),
        descriptors=_descriptors(mol),
    )


def _descriptors(mol: Chem.Mol) -> NDArray[np.float32]:
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    values: list[float] = [numbers.count(element) for element in _ELEMENTS]
    values += [
        mol.GetNumAtoms(),
        Chem.GetFormalCharge(mol),
        len(Chem.GetMolFrags(mol)),
        rdMolDescriptors.CalcNumRings(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        sum(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in mol.GetAtoms()),
        rdMolDescriptors.CalcTPSA(mol) / 10,
        Crippen.MolLogP(mol),  # type: ignore[attr-defined]
    ]
    array = np.array(values, dtype=np.float32)
    return np.sign(array) * np.log1p(np.abs(array))
