"""Structural tests on carboxylic acids, their anions and derivatives.

Which acid a molecule is, is a matter of counts (mono-, dicarboxylic) and of places counted along
the chain from the carboxy carbon, C1 ("2-oxo", "3-hydroxy"). See `molcaption.claims.predicates`.
"""

from collections.abc import Callable
from itertools import combinations

from rdkit import Chem

from molcaption.claims.queries import kept_query
from molcaption.claims.structure import Structure

_GREEK = {word: n for n, word in enumerate("alpha beta gamma delta epsilon".split(), 2)}
# What hangs on the chain: atomic numbers, by bond to the chain.
_HALOGENS = (9, 17, 35, 53)
_SINGLE = {
    "hydroxy": (8,), "amino": (7,), "halo": _HALOGENS, "fluoro": (9,), "chloro": (17,),
    "bromo": (35,), "iodo": (53,), "sulfanyl": (16,), "mercapto": (16,), "thio": (16,),
}  # fmt: skip
_CARBOXY = "[CX3;$(C[#6,#0,#15]),$([CH1])](=[OX1])[OX2H1,OX1-]"
_IONISED = "[CX3;$(C[#6,#0,#15]),$([CH1])](=[OX1])[OX1-]"
_ACYL = "[CX3;$(C[#6,#0]),$([CH1])](=[OX1])[OX2,OX1-,#7]"
_ACYLOXY = "[CX3;$(C[#6,#0]),$([CH1])](=[OX1])[OX2,OX1-]"
# Acyl parts of esters whose acid has further groups ("hydroxybenzoate ester").
_ACYLS = {
    "benzoate": "c1ccccc1", "cinnamate": "c1ccccc1[#6]=[#6]", "phenylacetate": "c1ccccc1[#6]",
    "acetate": "[#6]", "propanoate": "[#6]~[#6]", "propionate": "[#6]~[#6]",
    "butanoate": "[#6]~[#6]", "butyrate": "[#6]~[#6]", "succinate": "O=C[#6]~[#6]",
    "malonate": "O=C[#6]", "glutarate": "O=C[#6]~[#6]~[#6]", "phthalate": "O=Cc:c",
    "nicotinate": "c1cccnc1", "acrylate": "[#6]=[#6]", "but-2-enoate": "[#6][#6]=[#6]",
}  # fmt: skip


def _carbons(structure: Structure, smarts: str) -> list[int]:
    """First atoms of the matches, kept for the molecule."""
    if structure.element_counts.get(8, 0) < 1:
        return []
    return structure.keep(
        smarts, lambda: [m[0] for m in structure.mol.GetSubstructMatches(kept_query(smarts))]
    )


def carboxyls(structure: Structure) -> list[int]:
    """Carbons of carboxy and carboxylato groups (carbonic and carbamic acids have none)."""
    return _carbons(structure, _CARBOXY)


def acid_class(structure: Structure, times: int | str = "") -> int:
    """Carboxylic acid with so many carboxy groups, or any; a zwitterion is one, an anion is not.

    ``times`` is a number or, if empty, anything. A salt may be named after one component.
    """
    found = carboxyls(structure)
    if not found or (structure.charge < 0 and len(_carbons(structure, _IONISED)) == len(found)):
        return 0
    return int(not isinstance(times, int) or times in _totals(structure, found))


def _totals(structure: Structure, found: list[int]) -> set[int]:
    """Numbers of groups in the record and in each of its components."""
    if len(structure.fragments) < 2:
        return {len(found)}
    return {len(found), *(len(set(part).intersection(found)) for part in structure.fragments)}


def acid_anion(structure: Structure, times: int | str = "", charge: int | str = "") -> int:
    """Anion of an acid of so many carboxy groups, so many of them ionised (or that net charge).

    The charge may sit on another acidic group, and a zwitterion's ammonium group may hide it.
    """
    found, ionised = carboxyls(structure), len(_carbons(structure, _IONISED))
    if not found or (structure.charge >= 0 and not ionised):
        return 0
    if isinstance(times, int) and times not in _totals(structure, found):
        return 0
    return int(not isinstance(charge, int) or charge in (ionised, -structure.charge))


def acid_anion_of(structure: Structure, *times: int | str) -> int:
    """Anion of an acid of so many carboxy groups; the first number given counts."""
    return acid_anion(structure, next((n for n in times if isinstance(n, int)), ""))


def carboxylates(structure: Structure, times: int | str = "") -> int:
    """At least so many carboxylate groups: an acid's, its anion's or its ester's."""
    least = times if isinstance(times, int) else 1
    return int(len(_carbons(structure, _ACYLOXY)) >= least)


def ester_count(structure: Structure, times: int) -> int:
    """At least ``times`` ester groups, of inorganic acids too."""
    return int(structure.count("ester_any") >= times)


def _depths(structure: Structure, start: int) -> dict[int, int]:
    """Chain position of carbons reached from C1, the shortest way."""
    place, queue = {start: 1}, [start]
    numbers, near = structure.numbers, structure.near
    for atom in queue:
        for other in near[atom]:
            if numbers[other] == 6 and other not in place:
                place[other] = place[atom] + 1
                queue.append(other)
    return place


def acid_bears(structure: Structure, at: int | str, group: str, sure: str = "") -> int:
    """Carboxy groups with such a group at the place: a number, a Greek letter or anywhere.

    An oxo group may be drawn as its enol or be an ester's, unless ``sure``.
    """
    group = str(group).lower()
    place = _GREEK.get(str(at).lower(), at)
    apart = _carbons(structure, _ACYL) if sure else carboxyls(structure)
    return sum(
        any(
            _bears(structure, atom, group, bool(sure))
            for atom, number in _depths(structure, start).items()
            if atom not in {start, *apart} and (number == place or not isinstance(place, int))
        )
        for start in _carbons(structure, _ACYLOXY)
    )


def surely_acid_bears(structure: Structure, at: int | str, group: str) -> int:
    """`acid_bears` with a carboxy group and no tautomers."""
    return acid_bears(structure, at, group, "sure") if carboxyls(structure) else 0


def _bears(structure: Structure, index: int, group: str, sure: bool) -> bool:
    atom = structure.mol.GetAtomWithIdx(index)
    wanted = (8,) if group in ("oxo", "keto") else _SINGLE.get(group, ())
    for bond in atom.GetBonds():
        other = bond.GetOtherAtom(atom)
        if other.GetAtomicNum() not in wanted:
            continue
        double = bond.GetBondType() == Chem.BondType.DOUBLE
        if group in ("oxo", "keto"):
            enol = atom.GetHybridization() != Chem.HybridizationType.SP3 and other.GetDegree() == 1
            if double or (enol and not sure):
                return True
        elif not double and (group != "hydroxy" or other.GetDegree() == 1 or not sure):
            return True
    return False


def ester_of(structure: Structure, acid: str) -> int:
    """Esters of an acid whose acyl part is ``acid``'s with any substituents."""
    query = kept_query(_ACYLS[acid.lower()] + "C(=O)[OX2;H0][!#1]")
    return len(structure.mol.GetSubstructMatches(query))


def hydroxybenzoic(structure: Structure, times: int) -> int:
    """Benzene rings that bear a carboxy group and ``times`` free hydroxy groups."""
    near, mol = structure.near, structure.mol
    hydroxyls = {m[0] for m in mol.GetSubstructMatches(kept_query("c[OX2H1,OX1-]"))}
    found = set(carboxyls(structure))
    return sum(
        len(ring) == 6 and len(ring & hydroxyls) == times
        and any(found.intersection(near[i]) for i in ring)
        for ring in structure.rings
    )  # fmt: skip


def acids_apart(structure: Structure, carbons: int | str) -> int:
    """Pairs of carboxy groups that end a chain of so many carbons, in the whole or between them."""
    pairs = combinations(carboxyls(structure), 2)
    if structure.element_counts.get(6, 0) == carbons:
        return len(list(pairs))
    return sum(_depths(structure, one).get(other, 0) == carbons for one, other in pairs)


def acid_and(structure: Structure, acids: int, concept: str, times: int) -> int:
    """Acyl groups: at least ``acids`` carboxy groups and ``times`` of the concept."""
    return int(len(carboxyls(structure)) >= acids and structure.count(concept) >= times)


def of_two_acids(structure: Structure, concept: str) -> int:
    """``concept`` once or more and another acyl group (acid, ester, amide) beside it."""
    return int(structure.count(concept) > 0 and len(_carbons(structure, _ACYL)) > 1)


PREDICATES: dict[str, Callable[..., int]] = {
    "acid_and": acid_and,
    "acid_anion": acid_anion,
    "acid_anion_of": acid_anion_of,
    "acid_bears": acid_bears,
    "acid_class": acid_class,
    "acids_apart": acids_apart,
    "carboxylates": carboxylates,
    "ester_count": ester_count,
    "ester_of": ester_of,
    "hydroxybenzoic": hydroxybenzoic,
    "of_two_acids": of_two_acids,
    "surely_acid_bears": surely_acid_bears,
}
