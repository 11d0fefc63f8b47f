"""Structural tests on acyl groups, oxylipins and the parts of complex lipids.

See `molcaption.claims.predicates`.
"""

from collections.abc import Callable

from rdkit import Chem

from molcaption.claims.predicates.chain_names import TIMES
from molcaption.claims.predicates.chain_walk import ACYL, chains
from molcaption.claims.predicates.core import count_sugar_rings
from molcaption.claims.predicates.lipids import glycero, glycerols, sphingo
from molcaption.claims.structure import Structure

# Abbreviations of oxygenated fatty acids: carbons and double bonds of the core, oxygen in front.
_CORES = {
    "ETE": (20, 4), "ETrE": (20, 3), "EPE": (20, 5), "EDE": (20, 2), "ODE": (18, 2),
    "OTrE": (18, 3), "OME": (18, 1), "DoHE": (22, 6), "DHE": (22, 6), "DPE": (22, 5),
    "DPA": (22, 5), "DTE": (22, 4), "ET": (20, 3), "HDoPE": (22, 5),
}  # fmt: skip
_OXYGEN = {"h": "Oo", "hp": "P", "ep": "e", "e": "e", "oxo": "K", "k": "K"}


def oxylipin(structure: Structure, times: str, oxygen: str, core: str) -> int:
    """Fatty acids abbreviated as "DiHETE", "HPETE", "EpOME": carbons, double bonds and oxygens."""
    carbons, double = _CORES[core]
    letters, least = (
        set(_OXYGEN[oxygen.lower().strip("-")]),
        {"d": 2, "t": 3}.get(str(times)[:1].lower(), int(times) if str(times).isdecimal() else 1),
    )
    return sum(
        len(c.path) == carbons
        and c.double == double
        and sum(bool(letters & set(at)) for at in c.bears[1:]) >= least
        for c in chains(structure)
        if c.head in ACYL
    )


def hydroxy_count(structure: Structure, times: str | int) -> int:
    """At least so many hydroxy groups (or their oxide ions) on carbons that are no carbonyls."""
    near, numbers = structure.near, structure.numbers
    return int(
        sum(
            number == 8
            and len(near[i]) == 1
            and numbers[near[i][0]] == 6
            and near[i][0] not in structure.carbonyls
            for i, number in enumerate(numbers)
        )
        >= _number(times)
    )


def _number(times: str | int) -> int:
    return times if isinstance(times, int) else TIMES.get(times, 1)


def glycerol_acyls(structure: Structure, times: str | int) -> int:
    """Glycerol units with exactly so many acyl groups."""
    return sum(code.count("A") == _number(times) for code in glycerols(structure))


def acyl_total(structure: Structure, times: str | int) -> int:
    """At least so many acyl groups bound to oxygen, nitrogen or sulfur."""
    found = {c.path[0] for c in chains(structure) if c.head in ACYL - {"acid", "anion"}}
    return int(len(found) >= _number(times) or structure.is_open)


def negative_atoms(structure: Structure, times: str | int) -> int:
    """At least so many negative charges in all."""
    charges = (atom.GetFormalCharge() for atom in structure.mol.GetAtoms())
    return int(-sum(charge for charge in charges if charge < 0) >= _number(times))


def phosphates(structure: Structure, times: str, more: str, besides: int) -> int:
    """So many phosphorus atoms, with ``besides`` others."""
    said: str | int = times or more
    wanted = said if isinstance(said, int) else {"bis": 2, "tris": 3}.get(said, 1)
    return int(structure.element_counts.get(15, 0) == wanted + besides)


def osylceramide(structure: Structure, sialo: str, times: str | int) -> int:
    """A glycosylceramide with so many sugar rings; sialic acids may be counted or not."""
    if not sphingo(structure, "..G"):
        return 0
    rings = count_sugar_rings(structure)
    acids = max(1, structure.count("sialic_acid")) if sialo else 0
    return int(rings - acids <= _number(times) <= rings)


def glycerol_phosphate(structure: Structure, place: int) -> int:
    """Glycerol phosphates by the place of the phosphate (1 and 3 are not told apart)."""
    return glycero(structure, ".P." if place == 2 else "P..")


_ACYLS = {
    name: smarts
    for names, smarts in {
        "formyl": "[CX3H1]",
        "acetyl": "[CH3][CX3]",
        "propionyl propanoyl": "[CH3][CH2][CX3]",
        "isobutyryl": "[CH3][CX4H]([CH3])[CX3]",
        "isovaleryl": "[CH3][CX4H]([CH3])[CH2][CX3]",
        "pivaloyl": "[CH3]C([CH3])([CH3])[CX3]",
        "acryloyl": "[CH2]=[CH][CX3]",
        "crotonoyl crotonyl": "[CH3][CH]=[CH][CX3]",
        "methacryloyl methacrylyl": "[CH2]=C([CH3])[CX3]",
        "tigloyl tiglyl": "[CH3][CH]=C([CH3])[CX3]",
        "oxalyl": "[#8]C(=O)[CX3]",
        "malonyl": "[#8]C(=O)[CH2][CX3]",
        "methylmalonyl": "[#8]C(=O)[CH]([CH3])[CX3]",
        "succinyl": "[#8]C(=O)[CH2][CH2][CX3]",
        "glutaryl": "[#8]C(=O)[CH2][CH2][CH2][CX3]",
        "adipoyl adipyl": "[#8]C(=O)[CH2][CH2][CH2][CH2][CX3]",
        "fumaroyl": "[#8]C(=O)[CH]=[CH][CX3]",
        "glutaconyl": "[#8]C(=O)[#6]~[#6]~[#6][CX3]",
        "acetoacetyl": "[CH3]C(~[#8])~[#6][CX3]",
        "lactoyl": "[CH3][CH]([OX2H1])[CX3]",
        "benzoyl": "c1ccccc1[CX3]",
        "phenylacetyl": "c1ccccc1[CH2][CX3]",
        "cinnamoyl": "c1ccccc1[CH]=[CH][CX3]",
        "4-coumaroyl": "[#8]c1ccc(cc1)[CH]=[CH][CX3]",
        "caffeoyl": "[OX2H1]c1ccc(cc1[OX2H1])[CH]=[CH][CX3]",
        "feruloyl": "[OX2H1]c1ccc(cc1O[CH3])[CH]=[CH][CX3]",
        "sinapoyl": "[OX2H1]c1c(O[CH3])cc(cc1O[CH3])[CH]=[CH][CX3]",
    }.items()
    for name in names.split()
}


def coa_acyl(structure: Structure, acyl: str) -> int:
    """The acyl group named, bound to sulfur."""
    query = Chem.MolFromSmarts(_ACYLS[acyl] + "(=O)[SX2][CH2][CH2][#7]")
    return int(structure.mol.HasSubstructMatch(query))


PREDICATES: dict[str, Callable[..., int]] = {
    "glycerol_acyls": glycerol_acyls,
    "acyl_total": acyl_total,
    "coa_acyl": coa_acyl,
    "glycerol_phosphate": glycerol_phosphate,
    "hydroxy_count": hydroxy_count,
    "negative_atoms": negative_atoms,
    "osylceramide": osylceramide,
    "oxylipin": oxylipin,
    "phosphates": phosphates,
}
