"""Structural tests that SMARTS cannot say, named in the lexicon as ``builtin: [name, argument…]``.

Each takes a :class:`Structure` and the entry's arguments and returns how often the concept occurs
(0 for no). Adding one is a function and a line in ``PREDICATES``.
"""

from collections.abc import Callable

from rdkit import Chem

from molcaption.claims.predicates import rings
from molcaption.claims.structure import Structure, is_metal


def match_count(structure: Structure, concept: str, low: int, high: int) -> int:
    """The other concept occurs ``low`` to ``high`` times."""
    return int(low <= structure.count(concept) <= high)


def net_charge(structure: Structure, low: int, high: int) -> int:
    """A carbon-containing component, or the whole record, has a charge in the range.

    ChEBI gives ions alone, but a salt's caption may speak of its organic ion.
    """
    return int(low <= structure.charge <= high)


def charge_is(structure: Structure, charge: int | str) -> int:
    """The record's net charge is ``charge`` ("-1", "+2", 0)."""
    return int(structure.charge == int(charge))


def all_of(structure: Structure, *concepts: str) -> int:
    """Every one of the other concepts occurs."""
    return int(all(structure.count(concept) for concept in concepts))


def n_carbons(structure: Structure, low: int, high: int) -> int:
    """The record has ``low`` to ``high`` carbon atoms."""
    return int(low <= structure.element_counts.get(6, 0) <= high)


def n_rings(structure: Structure, low: int, high: int) -> int:
    """The record has ``low`` to ``high`` rings (SSSR)."""
    return int(low <= len(structure.rings) <= high)


def metal(structure: Structure) -> int:
    """Any metal atom."""
    return int(structure.has_metal)


def metal_carbon_bond(structure: Structure) -> int:
    """Bonds between carbon and a metal."""
    if not structure.has_metal:
        return 0
    return sum(
        sorted((is_metal(b.GetBeginAtom()), is_metal(b.GetEndAtom()))) == [False, True]
        and 6 in (b.GetBeginAtom().GetAtomicNum(), b.GetEndAtom().GetAtomicNum())
        for b in structure.mol.GetBonds()
    )


def hydrate(structure: Structure) -> int:
    """Water molecules beside something else."""
    if len(structure.fragments) < 2:
        return 0
    fragments = structure.fragments
    return sum(_is_lone(structure, f, 8) and structure.charge_of(f) == 0 for f in fragments)


def hydrochloride(structure: Structure) -> int:
    """Lone chlorine (HCl or chloride) beside an organic component."""
    if 6 not in structure.element_counts:
        return 0
    return sum(_is_lone(structure, fragment, 17) for fragment in structure.fragments)


def _is_lone(structure: Structure, fragment: tuple[int, ...], number: int) -> bool:
    atom = structure.mol.GetAtomWithIdx(fragment[0])
    return len(fragment) == 1 and atom.GetAtomicNum() == number


def zwitterion(structure: Structure) -> int:
    """One neutral component with a cationic and an anionic atom that are not neighbours."""
    if not structure.has_charges:
        return 0
    for fragment, charge in zip(structure.fragments, structure.fragment_charges, strict=True):
        atoms = [structure.mol.GetAtomWithIdx(i) for i in fragment]
        positive = [a for a in atoms if a.GetFormalCharge() > 0 and not _paired(a)]
        negative = [a for a in atoms if a.GetFormalCharge() < 0 and not _paired(a)]
        if charge == 0 and positive and negative:
            return 1
    return 0


def _paired(atom: Chem.Atom) -> bool:
    """True if a neighbour has the opposite charge, as in nitro groups and N-oxides."""
    return any(n.GetFormalCharge() * atom.GetFormalCharge() < 0 for n in atom.GetNeighbors())


def salt(structure: Structure) -> int:
    """More than one component, one of them charged, a metal, or a halogen acid."""
    if len(structure.fragments) < 2:
        return 0
    if any(structure.fragment_charges) or structure.has_metal:
        return 1
    # Two neutral molecules may be a salt whose proton was left on the acid (CN.Cl, CN.OC(C)=O).
    acidic = {9, 15, 16, 17, 35, 53}
    single = [f for f in structure.fragments if len(f) == 1]
    if any(structure.mol.GetAtomWithIdx(f[0]).GetAtomicNum() in acidic for f in single):
        return 1
    return int(structure.count("carboxylic_acid") + structure.count("sulfonic_acid") > 0)


def sugar_rings(structure: Structure, low: int, high: int) -> int:
    """Oxane or oxolane rings that look like a sugar's."""
    return int(low <= count_sugar_rings(structure) <= high)


def count_sugar_rings(structure: Structure) -> int:
    """Rings of the record that look like a sugar's, see `_is_sugar`."""
    return structure.once("sugar_rings", _count_sugar_rings)


def _count_sugar_rings(structure: Structure) -> int:
    """Five- to seven-membered rings with one oxygen, an anomeric and another outer heteroatom.

    C-glycosides lack the anomeric one and need three others (two on a five-membered ring).
    """
    if structure.element_counts.get(8, 0) < 2:
        return 0
    return sum(_is_sugar(structure.mol, ring) for ring in structure.mol.GetRingInfo().AtomRings())


def _is_sugar(mol: Chem.Mol, ring: tuple[int, ...]) -> bool:
    if len(ring) not in (5, 6, 7):
        return False
    atoms = [mol.GetAtomWithIdx(i) for i in ring]
    if sum(a.GetAtomicNum() == 8 for a in atoms) != 1:
        return False
    carbons = [a for a in atoms if a.GetAtomicNum() == 6]
    if len(carbons) != len(ring) - 1 or any(a.GetIsAromatic() for a in atoms):
        return False
    inside = set(ring)
    outer = [
        any(n.GetAtomicNum() in (7, 8, 16) and n.GetIdx() not in inside for n in a.GetNeighbors())
        for a in carbons
    ]
    beside_oxygen = [any(n.GetAtomicNum() == 8 and n.GetIdx() in inside for n in a.GetNeighbors())
                     for a in carbons]  # fmt: skip
    anomeric = any(o and b for o, b in zip(outer, beside_oxygen, strict=True))
    return sum(outer) >= (2 if anomeric or len(ring) == 5 else 3)


def longest_carbon_chain(structure: Structure) -> int:
    """Atoms in the longest path of acyclic, non-aromatic carbon, branches left aside."""
    return structure.once("longest_carbon_chain", _longest_carbon_chain)


def _longest_carbon_chain(structure: Structure) -> int:
    mol = structure.mol
    carbon = {a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() == 6 and not a.IsInRing()}
    links = {
        i: [n.GetIdx() for n in mol.GetAtomWithIdx(i).GetNeighbors() if n.GetIdx() in carbon]
        for i in carbon
    }
    best, seen = 0, set[int]()
    for start in sorted(carbon):
        if start in seen:
            continue
        far, _, reached = _farthest(links, start)
        seen |= reached
        best = max(best, _farthest(links, far)[1])
    return best


def _farthest(links: dict[int, list[int]], start: int) -> tuple[int, int, set[int]]:
    """Farthest carbon of a tree from ``start``, the atoms on the way, and all that is reached."""
    depth = {start: 1}
    queue = [start]
    for atom in queue:
        for other in links[atom]:
            if other not in depth:
                depth[other] = depth[atom] + 1
                queue.append(other)
    return queue[-1], depth[queue[-1]], set(depth)


def acyl_chain(structure: Structure, low: int, high: int) -> int:
    """The longest acyclic carbon chain has ``low`` to ``high`` atoms."""
    return int(low <= longest_carbon_chain(structure) <= high)


def fatty_chain(structure: Structure, low: int, high: int) -> int:
    """An acyclic record that is one carbon chain of ``low`` to ``high`` atoms."""
    return int(
        not structure.rings
        and longest_carbon_chain(structure) == structure.element_counts.get(6, 0)
        and low <= longest_carbon_chain(structure) <= high
    )


def radical(structure: Structure) -> int:
    """Atoms with unpaired electrons."""
    return structure.n_radicals


def only_elements(structure: Structure, *symbols: str) -> int:
    """No other elements than these, hydrogen only if it is named."""
    table = Chem.GetPeriodicTable()
    allowed = {table.GetAtomicNumber(s) for s in symbols}
    return int(bool(structure.element_counts) and set(structure.element_counts) <= allowed)


def alkane(structure: Structure) -> int:
    """Acyclic saturated hydrocarbon."""
    if not only_elements(structure, "C", "H") or structure.rings:
        return 0
    return int(all(b.GetBondTypeAsDouble() == 1.0 for b in structure.mol.GetBonds()))


PREDICATES: dict[str, Callable[..., int]] = rings.PREDICATES | {
    "acyl_chain": acyl_chain,
    "alkane": alkane,
    "all_of": all_of,
    "charge_is": charge_is,
    "fatty_chain": fatty_chain,
    "hydrate": hydrate,
    "hydrochloride": hydrochloride,
    "match_count": match_count,
    "metal": metal,
    "metal_carbon_bond": metal_carbon_bond,
    "n_carbons": n_carbons,
    "n_rings": n_rings,
    "net_charge": net_charge,
    "only_elements": only_elements,
    "radical": radical,
    "salt": salt,
    "sugar_rings": sugar_rings,
    "zwitterion": zwitterion,
}
