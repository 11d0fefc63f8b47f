"""Structural tests on single amino acids, see `molcaption.claims.predicates`.

What a drawing leaves open fits L and D alike but proves neither.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from rdkit import Chem

from molcaption.claims.predicates.amino_acids import acid, series_of, units
from molcaption.claims.predicates.amino_names import Named, read_acids
from molcaption.claims.predicates.peptide_walk import walk
from molcaption.claims.queries import strict_query
from molcaption.claims.structure import MAX_MATCHES, Structure

# Nitrogen, alpha carbon, acid carbon. The states of both ends, as environments of the atom.
_UNIT = "[{n}]-[#6;!a;!$([#6]=[#8])]-[{c}]"
_NITROGENS = {
    "any": "#7",
    "amine": "#7;!$([#7]=,:*);!$([#7][#6,#16]=[O,S])",
    "free": "#7;!$([#7;!R][#6]=[O,S])",
    "acyl": "#7;$([#7][#6,#16,#15]=[O,S,#7])",
    "formyl": "#7;$([#7][CH]=O)",
    "acetyl": "#7;$([#7]C(=O)[CH3])",
    "hydroxy": "#7;$([#7]~[#8])",
    "dihydroxy": "#7;$([#7]([OH,O-])[OH,O-])",
    "methyl": "#7;$([#7][CH3])",
}
_ACIDS = {
    "any": "#6;$([#6](=,:[#8,#16])),$([CX3]([OH])=[#7])",
    "acid": "#6;$(C(=O)[OH,O-])",
    "anion": "#6;$(C(=O)[O-])",
    "ester": "#6;$(C(=O)[O,S;D2])",
    "amide": "#6;$(C(=O)[#7]),$(C([OH])=[#7])",
    "carboxyl": "#6;$(C(=O)[O,S,#7])",
}


@lru_cache(maxsize=64)
def _unit(nitrogen: str, end: str) -> Chem.Mol:
    return strict_query(_UNIT.format(n=_NITROGENS[nitrogen], c=_ACIDS[end]))


def alpha_units(
    structure: Structure, nitrogen: str = "any", end: str = "any", series: str = "", sure: str = ""
) -> int:
    """Alpha-amino acid units with such a nitrogen and such an acid end, of the series L or D."""
    if 7 not in structure.element_counts or not structure.carbonyls:
        return 0
    key = f"alpha_units {nitrogen} {end}"
    hits = structure.keep(
        key,
        lambda: structure.mol.GetSubstructMatches(_unit(nitrogen, end), maxMatches=MAX_MATCHES),
    )
    wanted = series.upper()
    drawn = (_series(structure, *hit) for hit in hits) if wanted else hits
    return sum(not wanted or one == wanted or (one == "?" and not sure) for one in drawn)


def _series(structure: Structure, n: int, ca: int, c: int) -> str:
    """L, D, ? (not drawn) or nothing (no centre) at an alpha carbon."""
    sides = [i for i in structure.near[ca] if i not in (n, c)]
    if not sides or structure.mol.GetAtomWithIdx(ca).GetTotalDegree() < 4:
        return ""
    side = max(sides, key=lambda i: (structure.numbers[i] > 1, len(structure.near[i])))
    return series_of(structure.mol, n, ca, c, side)


def fits(drawn: str, wanted: str, sure: bool) -> bool:
    """Whether a series may be, or surely is, the one wanted."""
    return not wanted or drawn == wanted or (not drawn) or (drawn == "?" and not sure)


def count_named(structure: Structure, named: Named, sure: bool, strictly: bool = True) -> int:
    """Units of a named amino acid, intact unless its name says that it is modified."""
    if named.key is None:
        return 0 if sure else named.count
    if named.modified and sure:
        return 0
    intact = sure or (strictly and not named.modified)
    found = units(structure, named.key, intact)
    wanted = "" if named.modified else named.series
    return sum(fits(series, wanted, sure) for _, _, series in found)


def acid_intact(structure: Structure, text: str) -> int:
    """As `acid_named`, with nothing on the carbons that the name does not tell."""
    acids = read_acids(text)
    return count_named(structure, acids[-1], sure=False) if acids else 1


def _skeletons(structure: Structure, text: str) -> int:
    """Units of the last amino acid that ``text`` names, whatever its carbons carry."""
    acids = read_acids(text)
    return count_named(structure, acids[-1], sure=False, strictly=False) if acids else 1


def acid_mirrored(structure: Structure, text: str) -> int:
    """As `acid_named`, of the other series."""
    return acid_named(structure, _mirror(text))


def surely_acid_mirrored(structure: Structure, text: str) -> int:
    """As `surely_acid_named`, of the other series."""
    return surely_acid_named(structure, _mirror(text))


def _mirror(text: str) -> str:
    return re.sub(r"(?<![A-Za-z])[LD](?=-)", lambda m: "D" if m[0] == "L" else "L", text)


def acid_named(structure: Structure, text: str) -> int:
    """The skeleton of the last amino acid that ``text`` names occurs, in its series.

    "N-acyl-", the ester, the amide and the ion that the text speaks of must be there too.
    """
    if not _skeletons(structure, text):
        return 0
    return int(
        all(structure.mol.HasSubstructMatch(query) for words, query in _SAID if words.search(text))
    )


_SAID = tuple(
    (re.compile(words), strict_query(query))
    for words, query in (
        (r"(?:^|[^a-z])N(?:\(\d\)|alpha)?-(?:\(fatty )?(?:acyl|acetyl|benzoyl)\b",
         "[#6,#16,#15](=[O,S,#7])[#7;!$([#7]=*)][#6]"),
        (r"ester$", "[#6](=O)[#8,#16;D2]"),
        (r"amide$", "[#6](~[#8])~[#7]"),
        (r"zwitterion$", "[+].[-]"),
        (r"(?:in|an)ate(?:\(\d-\))?$|anion$", "[-]"),
        (r"inium(?:\(\d\+\))?$|cation$", "[+]"),
    )
)  # fmt: skip
_ACYLATED = strict_query("[#6,#16,#15](=[O,S,#7])[#7;!$([#7]=*)][#6]")


def surely_acid_named(structure: Structure, text: str) -> int:
    """As `acid_named`, with the residue intact and its series drawn."""
    acids = read_acids(text)
    return count_named(structure, acids[-1], sure=True) if acids else 0


_PROTEIN = (
    "glycine,alanine,valine,leucine,isoleucine,serine,threonine,cysteine,methionine,phenylalanine,"
    "tyrosine,tryptophan,histidine,lysine,arginine,asparagine,glutamine,proline,selenocysteine,"
    "pyrrolysine,aspartic acid,glutamic acid"
).split(",")


def _is_whole(structure: Structure, key: str, sure: bool) -> bool:
    """The record is the free amino acid, L or without a drawn centre."""
    found = acid(key)
    if structure.mol.GetNumAtoms() != found.intact.GetNumAtoms() + 1:
        return False
    return any(fits(series, "L", sure) for *_, series in units(structure, key, True))


def proteinogenic(structure: Structure) -> int:
    """The record is one of the 22 amino acids of proteins in any ionic form."""
    return int(any(_is_whole(structure, key, sure=False) for key in _PROTEIN))


def non_proteinogenic(structure: Structure) -> int:
    """The record is not surely an amino acid of proteins."""
    return int(not any(_is_whole(structure, key, sure=True) for key in _PROTEIN))


def surely_non_proteinogenic(structure: Structure, series: str = "") -> int:
    """An alpha-amino acid of the series that is none of proteins."""
    unit = alpha_units(structure, "amine", "acid", series, "sure")
    return int(unit > 0 and not proteinogenic(structure) and walk(structure).main < 2)


def whole_acid(structure: Structure, *keys: str) -> int:
    """The record is one of the amino acids."""
    return int(any(_is_whole(structure, key, sure=False) for key in keys))


def any_acid(structure: Structure, *keys: str) -> int:
    """One of the amino acids occurs, as it is."""
    return sum(len(units(structure, key, True)) for key in keys)


def acyl_amino_acid(structure: Structure) -> int:
    """Acylated nitrogens a short way from an acid."""
    residues = sum(piece.is_residue for piece in walk(structure).pieces)
    return int(residues > 0 and structure.mol.HasSubstructMatch(_ACYLATED))


def acylglycine(structure: Structure, carbons: int, bonds: int) -> int:
    """N-acylglycines whose acyl group has so many carbons and double bonds."""
    hits = alpha_units(structure, "acyl", "carboxyl")
    doubles = len(structure.mol.GetSubstructMatches(_OLEFIN))
    return int(
        hits > 0 and structure.element_counts[6] == int(carbons) + 2 and doubles == int(bonds)
    )


_OLEFIN = strict_query("[#6]=[#6]")


def acid_of_series(structure: Structure, text: str, series: str) -> int:
    """`acid_named` in the series L or D."""
    return acid_named(structure, f"{series.upper()}-{text}")


def surely_acid_of_series(structure: Structure, text: str, series: str) -> int:
    """`surely_acid_named` in the series L or D."""
    return surely_acid_named(structure, f"{series.upper()}-{text}")


PREDICATES: dict[str, Callable[..., int]] = {
    "acid_intact": acid_intact,
    "acid_mirrored": acid_mirrored,
    "acid_named": acid_named,
    "acid_of_series": acid_of_series,
    "acyl_amino_acid": acyl_amino_acid,
    "acylglycine": acylglycine,
    "alpha_units": alpha_units,
    "any_acid": any_acid,
    "non_proteinogenic": non_proteinogenic,
    "proteinogenic": proteinogenic,
    "surely_acid_mirrored": surely_acid_mirrored,
    "surely_acid_named": surely_acid_named,
    "surely_acid_of_series": surely_acid_of_series,
    "surely_non_proteinogenic": surely_non_proteinogenic,
    "whole_acid": whole_acid,
}
