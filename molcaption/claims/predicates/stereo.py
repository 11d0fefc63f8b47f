"""Stereochemistry that a caption states: CIP labels, double-bond geometry, conjugates.

Labels come from RDKit's legacy assignment, made when the molecule was parsed, and where that would
refute from the newer, slower one (Hanson et al., J. Chem. Inf. Model. 2018, 58, 1755): only what
both deny is denied. Centres and bonds without a label may still be what the caption says.
"""

import re
from collections import Counter
from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from molcaption.claims.queries import strict_query
from molcaption.claims.structure import Structure

_LABEL = re.compile(r"(?<![A-Za-z])\d*[a-z]?'*([RSEZ])(?![A-Za-z])")
_MIRROR = str.maketrans("RS", "SR")
GEOMETRY = {
    Chem.BondStereo.STEREOE: "E",
    Chem.BondStereo.STEREOTRANS: "E",
    Chem.BondStereo.STEREOZ: "Z",
    Chem.BondStereo.STEREOCIS: "Z",
}
_MOST_ATOMS = 150  # larger molecules keep the legacy labels alone: the new ones may take seconds


def stereo_labels(structure: Structure, text: str) -> int:
    """As many centres and bonds have the labels of ``text`` ("2R,3S", "9Z,12Z") as it names."""
    wanted = Counter(_LABEL.findall(text))
    return int(bool(wanted) and _possible(structure, wanted))


def surely_stereo_labels(structure: Structure, text: str) -> int:
    """As `stereo_labels`, and every such label is drawn."""
    wanted = Counter(_LABEL.findall(text))
    drawn = _drawn(structure)
    return int(bool(wanted) and all(drawn[label] >= n for label, n in wanted.items()))


def mirrored_labels(structure: Structure, text: str) -> int:
    """`stereo_labels` of an enantiomer: R and S change places."""
    return stereo_labels(structure, text.translate(_MIRROR))


def surely_mirrored_labels(structure: Structure, text: str) -> int:
    """`surely_stereo_labels` of an enantiomer."""
    return surely_stereo_labels(structure, text.translate(_MIRROR))


def _possible(structure: Structure, wanted: Counter[str]) -> bool:
    drawn = _drawn(structure)
    if all(drawn[label] >= n for label, n in wanted.items()):
        return True
    unset = _unset(structure)
    if _enough(drawn, unset, wanted):
        return True
    if structure.mol.GetNumAtoms() > _MOST_ATOMS:
        return any(drawn[label] for label in wanted)
    return _enough(_newer(structure), unset, wanted)


def _enough(found: Counter[str], unset: Counter[str], wanted: Counter[str]) -> bool:
    """Whether what is drawn and what is left open leave room for every label."""
    open_sites = {label: unset["RS" if label in "RS" else "EZ"] for label in wanted}
    return all(found[label] + open_sites[label] >= n for label, n in wanted.items())


def _drawn(structure: Structure) -> Counter[str]:
    """R, S, E and Z as RDKit's legacy code labelled them."""

    def count() -> Counter[str]:
        found = _labelled_atoms(structure.mol)
        if not found and any(atom.GetChiralTag() for atom in structure.mol.GetAtoms()):
            mol = Chem.Mol(structure.mol)  # a mol that was pickled has lost its labels
            Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
            found = _labelled_atoms(mol)
        for bond in map(structure.mol.GetBondWithIdx, range(structure.mol.GetNumBonds())):
            if label := GEOMETRY.get(bond.GetStereo()):
                found[label] += 1
        return found

    return structure.keep("stereo_drawn", count)


def _labelled_atoms(mol: Chem.Mol) -> Counter[str]:
    atoms = map(mol.GetAtomWithIdx, range(mol.GetNumAtoms()))  # faster than GetAtoms()
    return Counter(a.GetProp("_CIPCode").upper() for a in atoms if a.HasProp("_CIPCode"))


def _unset(structure: Structure) -> Counter[str]:
    """Stereocentres and double bonds that are drawn without a configuration."""

    def count() -> Counter[str]:
        found: Counter[str] = Counter()
        for element in Chem.FindPotentialStereo(Chem.Mol(structure.mol)):
            if element.specified != Chem.StereoSpecified.Specified:
                bond = element.type == Chem.StereoType.Bond_Double
                found["EZ" if bond else "RS"] += 1
        return found

    return structure.keep("stereo_unset", count)


def _newer(structure: Structure) -> Counter[str]:
    def count() -> Counter[str]:
        mol = Chem.Mol(structure.mol)
        try:
            rdCIPLabeler.AssignCIPLabels(mol, maxRecursiveIterations=100_000)
        except (RuntimeError, ValueError):
            return Counter()
        found: Counter[str] = Counter()
        for part in mol.GetBonds():
            if part.HasProp("_CIPCode"):
                found[part.GetProp("_CIPCode").upper()] += 1
        return found + _labelled_atoms(mol)

    return structure.keep("stereo_newer", count)


_SUFFIX = re.compile(r"\((\d+)([+-])\)")
_CATION = re.compile(r"ium(?: ion| cation)?$|ammoni[ou]|azaniumyl|(?:an|phin|larg|tun|alv)idin\b")
_TWICE = re.compile("di(?:ammonio|azaniumyl)")
_ANION = re.compile(
    r"(?:[ai]te|(?<!os)(?<!am)(?<!ot)(?<!pt)ide|anion|ate\)?)$|ate-[\w-]*lactone$"
    r"|ate (?:[\w-]* )?(?:semialdehyde|oxime|ester|\()"
)


_FIXED = strict_query("[#7,#15,#16;+;H0;!$([#7+]-[O-]);!$([#7+]=[#7])]")
_ACIDIC = strict_query("[OX2H1][!#6,$([#6]=O)]")


def conjugate(structure: Structure, kind: str, partner: str) -> int:
    """A conjugate base is more negative than its acid, a conjugate acid more positive.

    The partner's charge is read from its name: "(2-)", "…ium"; "…ate" is an anion's as well as a
    neutral ester's, so it only bounds the charge.
    """
    charge = _charge_of(partner.strip(" ."), kind)
    if structure.has_metal:
        return 1  # complexes are drawn with all charges or with none
    if kind == "base":
        # Cholines go by names that do not tell their charge: their betaines are bases of cations.
        fixed = charge == structure.charge == 0 and structure.mol.HasSubstructMatch(_FIXED)
        return int(structure.charge < charge or fixed)
    # "…ate" may have lost several protons: an anion that still has one can be its acid.
    acidic = structure.charge == charge == -1 and structure.mol.HasSubstructMatch(_ACIDIC)
    return int(structure.charge > charge or (acidic and not _SUFFIX.search(partner)))


def _charge_of(name: str, kind: str) -> int:
    if said := _SUFFIX.findall(name):
        return sum(int(size) * (1 if sign == "+" else -1) for size, sign in said)
    cation, anion = _CATION.search(name), _ANION.search(name)
    if "betaine" in name or "zwitterion" in name:
        return 0
    if cation and anion:
        return len(_TWICE.findall(name))
    return 1 if cation else -1 if kind == "acid" and anion else 0


PREDICATES: dict[str, Callable[..., int]] = {
    "conjugate": conjugate,
    "mirrored_labels": mirrored_labels,
    "stereo_labels": stereo_labels,
    "surely_mirrored_labels": surely_mirrored_labels,
    "surely_stereo_labels": surely_stereo_labels,
}
