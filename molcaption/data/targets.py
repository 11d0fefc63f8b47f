"""What the encoder must know about a structure: bits, groups and descriptors from RDKit.

Multi-task structural targets in the manner of Hu et al. ("Strategies for Pre-training Graph
Neural Networks", ICLR 2020, section 3.2): everything here is computed, nothing is labelled by hand.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Crippen, rdFingerprintGenerator, rdMolDescriptors

from molcaption.claims import load_lexicon
from molcaption.claims.structure import Structure

FINGERPRINT_BITS = 1024
_morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=FINGERPRINT_BITS)
_RARE = 0.02
"""Concepts of fewer molecules make four fifths of the lexicon, and few examples to learn from."""
_ELEMENTS = (6, 7, 8, 9, 15, 16, 17, 35, 53)


@dataclass(frozen=True, slots=True)
class StructureTargets:
    """Targets of one molecule.

    Shapes: ``fingerprint`` [1024] in {0, 1}, ``groups`` [number of telling concepts] in {0, 1},
    ``descriptors`` [number of descriptors], signed logarithms of counts and sums.
    """

    fingerprint: NDArray[np.uint8]
    groups: NDArray[np.uint8]
    descriptors: NDArray[np.float32]


@cache
def _telling() -> tuple[str, ...]:
    """Concepts that neither nearly all molecules have nor nearly none."""
    lexicon = load_lexicon()
    return tuple(
        key
        for key, concept in lexicon.concepts.items()
        if not concept.parametric and _RARE <= lexicon.base_rate(key) <= 1 - _RARE
    )


def structure_targets(mol: Chem.Mol) -> StructureTargets:
    """Morgan bits (radius 2), presence of each telling concept, and descriptors of ``mol``."""
    structure = Structure(mol, load_lexicon())
    return StructureTargets(
        fingerprint=_morgan.GetFingerprintAsNumPy(mol).astype(np.uint8),
        groups=np.array([structure.count(key) > 0 for key in _telling()], dtype=np.uint8),
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
