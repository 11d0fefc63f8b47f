"""Formula, mass, and how many rings, stereocentres, atoms and components, as prose has them.

"Two rings" refutes a molecule with one. Of one with three it may still be said, so support asks
for the exact number. What a dummy atom stands for may have whatever is missing.
"""

import re
from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem import Descriptors, rdMolDescriptors

from molcaption.claims.structure import Structure, read_formula

_CHARGE = re.compile(r"[+-]\d*$")
_HYDROGENS = {"D", "T"}
_TOLERANCE = (0.6, 0.005)  # Da, and share of the mass: people round, or give the isotopic mass


def rings_at_least(structure: Structure, n: int | str, kind: str) -> int:
    """``n`` rings (SSSR) of a kind: aromatic, heteroaromatic, heterocyclic, fused or any ("")."""
    return int(_rings(structure, kind) >= int(n) or structure.is_open)


def rings_exactly(structure: Structure, n: int | str, kind: str) -> int:
    """As `rings_at_least`, and no more than ``n``."""
    return int(_rings(structure, kind) == int(n))


def _rings(structure: Structure, kind: str) -> int:
    """Rings of a kind; of fused ones those of the largest system."""
    mol = structure.mol
    match kind.lower():
        case "aromatic":
            return int(rdMolDescriptors.CalcNumAromaticRings(mol))
        case "heteroaromatic":
            return int(rdMolDescriptors.CalcNumAromaticHeterocycles(mol))
        case "heterocyclic":
            return int(rdMolDescriptors.CalcNumHeterocycles(mol))
        case "fused":
            return max((s.n_rings for s in structure.ring_systems if s.n_rings > 1), default=0)
    return len(structure.rings)


def stereocentres_at_least(structure: Structure, n: int | str) -> int:
    """``n`` tetrahedral stereocentres, with or without a configuration."""
    return int(_stereocentres(structure)[1] >= int(n) or structure.is_open)


def stereocentres_exactly(structure: Structure, n: int | str) -> int:
    """``n`` tetrahedral stereocentres, or ``n`` with a configuration."""
    return int(int(n) in _stereocentres(structure))


def no_stereocentres(structure: Structure) -> int:
    """No atom has a configuration."""
    return int(_stereocentres(structure)[0] == 0)


def surely_no_stereocentres(structure: Structure) -> int:
    """No atom could have one."""
    return int(_stereocentres(structure)[1] == 0)


def _stereocentres(structure: Structure) -> tuple[int, int]:
    return structure.keep("stereocentres", lambda: _find_stereocentres(structure.mol))


def _find_stereocentres(mol: Chem.Mol) -> tuple[int, int]:
    """Atoms with a configuration, and all that could have one."""
    found = Chem.FindMolChiralCenters(
        Chem.Mol(mol), includeUnassigned=True, useLegacyImplementation=True
    )  # of a copy, since it writes labels
    return sum(label != "?" for _, label in found), len(found)


def heavy_atoms(structure: Structure, n: int | str) -> int:
    """Exactly ``n`` atoms that are not hydrogen."""
    return int(structure.mol.GetNumHeavyAtoms() == int(n) or structure.is_open)


def components(structure: Structure, n: int | str) -> int:
    """Exactly ``n`` covalent components."""
    return int(len(structure.fragments) == int(n))


def formula_is(structure: Structure, formula: str) -> int:
    """The record has the atoms and the charge of ``formula``, in whatever order that names them."""
    return int(
        _composition(rdMolDescriptors.CalcMolFormula(structure.mol)) == _composition(formula)
    )


def _composition(formula: str) -> tuple[dict[str, int], list[str]]:
    """Atoms of each element, and the charge as it is written ("+2")."""
    atoms = read_formula(formula)
    for isotope in _HYDROGENS & atoms.keys():
        atoms["H"] = atoms.get("H", 0) + atoms.pop(isotope)
    return atoms, _CHARGE.findall(formula)


def weighs(structure: Structure, mass: str) -> int:
    """The average or the monoisotopic mass is ``mass`` in Da, give or take rounding."""
    said = float(mass)
    allowed = max(_TOLERANCE[0], _TOLERANCE[1] * said)
    masses = Descriptors.MolWt(structure.mol), Descriptors.ExactMolWt(structure.mol)  # type: ignore[attr-defined]
    return int(any(abs(found - said) <= allowed for found in masses) or structure.is_open)


PREDICATES: dict[str, Callable[..., int]] = {
    "components": components,
    "formula_is": formula_is,
    "heavy_atoms": heavy_atoms,
    "no_stereocentres": no_stereocentres,
    "rings_at_least": rings_at_least,
    "rings_exactly": rings_exactly,
    "stereocentres_at_least": stereocentres_at_least,
    "stereocentres_exactly": stereocentres_exactly,
    "surely_no_stereocentres": surely_no_stereocentres,
    "weighs": weighs,
}
