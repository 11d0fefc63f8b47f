"""Structural tests on peptides, see `molcaption.claims.predicates`."""

from collections import Counter
from collections.abc import Callable

from molcaption.claims.predicates import amino_units
from molcaption.claims.predicates.amino_acids import units
from molcaption.claims.predicates.amino_names import LOOSE, Named, list_total, read_acids
from molcaption.claims.predicates.amino_units import count_named, fits
from molcaption.claims.predicates.peptide_walk import rings_of, walk
from molcaption.claims.structure import Structure


def residues_named(structure: Structure, text: str, full: str = "") -> int:
    """Every amino acid of ``text`` occurs as often as said; if ``full``, a list names all."""
    loose = LOOSE.search(text)
    acids = read_acids(text)
    if loose:  # what follows describes a change
        acids = read_acids(text[: loose.start()]) or acids[:1]
    if not _enough(structure, acids, sure=False, loose=bool(loose)):
        return 0
    total = list_total(text) if full else 0
    found = walk(structure)
    return int(not total or found.low <= total <= found.high)


def surely_residues_named(structure: Structure, text: str, full: str = "") -> int:
    """As `residues_named`, with every residue known, unmodified, and drawn in its series."""
    acids = read_acids(text)
    if not acids or not _enough(structure, acids, sure=True):
        return 0
    total = list_total(text) if full else 0
    return int(not total or walk(structure).main == total)


def _enough(
    structure: Structure, acids: tuple[Named, ...], sure: bool, loose: bool = False
) -> bool:
    wanted = Counter[tuple[str | None, str, bool]]()
    for one in acids:
        wanted[one.key, one.series, one.modified] += one.count
    return all(
        count_named(structure, one, sure, not loose) >= wanted[one.key, one.series, one.modified]
        for one in acids
    )


def joined(structure: Structure, acyl: str, amine: str) -> int:
    """The acid that one text names acylates the nitrogen of the one that the other names."""
    first, second = read_acids(acyl), read_acids(amine)
    if not first or not second or None in (first[-1].key, second[0].key):
        return 1
    left, right = _pieces_of(structure, first[-1]), _pieces_of(structure, second[0])
    return sum(a in left and n in right for a, n, amide in walk(structure).bonds if amide)


def surely_joined(structure: Structure, acyl: str, amine: str) -> int:
    """As `joined`, with both residues known."""
    acids = [*read_acids(acyl)[-1:], *read_acids(amine)[:1]]
    known = len(acids) == 2 and all(count_named(structure, one, sure=True) for one in acids)
    return joined(structure, acyl, amine) if known else 0


def peptide(structure: Structure, low: int, high: int) -> int:
    """The record can be said to have ``low`` to ``high`` amino-acid residues."""
    found = walk(structure)
    return int(found.low <= int(high) and int(low) <= found.high)


def surely_peptide(structure: Structure, low: int, high: int) -> int:
    """Amide bonds hold ``low`` to ``high`` residues together, and there are no others."""
    found = walk(structure)
    return int(int(low) <= found.main <= int(high) and found.low <= found.main)


def cyclic_peptide(structure: Structure, kind: str) -> int:
    """Rings of peptides: ``any``; ``homodetic`` of amides alone; ``heterodetic``; ``depsi``."""
    if walk(structure).high < 2:
        return 0
    rings = rings_of(structure)
    if kind == "homodetic":
        return sum(set(joints) == {"amide"} for joints, _ in rings)
    if kind == "depsi":
        return sum("ester" in joints for joints, _ in rings)
    if kind == "heterodetic":
        return sum(set(joints) != {"amide"} for joints, _ in rings)
    return len(rings)


def peptide_ring(structure: Structure, size: int | str) -> int:
    """Rings of ``size`` atoms or residues with amide and ester joints."""
    sizes = [{n, len(joints)} for joints, n in rings_of(structure) if "ester" in joints]
    return sum(_number(size) in one for one in sizes)


def peptide_size(structure: Structure, n: int | str) -> int:
    """`peptide` of exactly ``n`` residues; other words than numbers pass."""
    size = _number(n)
    return peptide(structure, size, size) if size else 1


def surely_peptide_size(structure: Structure, n: int | str) -> int:
    """`surely_peptide` of exactly ``n`` residues."""
    size = _number(n)
    return surely_peptide(structure, size, size) if size else 0


def peptide_ion(structure: Structure, n: int | str, kind: str) -> int:
    """`peptide_size` as a zwitterion, cation or anion."""
    known = kind not in structure.lexicon.concepts or structure.count(kind)
    return int(bool(known) and peptide_size(structure, n))


def surely_peptide_ion(structure: Structure, n: int | str, kind: str) -> int:
    """`surely_peptide_size` as a drawn zwitterion, cation or anion."""
    known = kind in structure.lexicon.concepts and structure.supports(kind)
    return int(known and surely_peptide_size(structure, n))


_TEENS = dict(
    zip("thir four fif six seven eigh nine".split(), range(13, 20), strict=True)
) | {"twenty": 20}  # fmt: skip


def _number(said: int | str) -> int:
    if isinstance(said, int):
        return said
    return _TEENS.get(said.lower().removesuffix("teen"), 0)


def sequence(structure: Structure, text: str) -> int:
    """The residues of "Gly-Leu-Phe" are joined in this order."""
    return int(_in_order(structure, text, sure=False))


def surely_sequence(structure: Structure, text: str) -> int:
    """As `sequence`, with every residue known."""
    return int(_in_order(structure, text, sure=True))


def _in_order(structure: Structure, text: str, sure: bool) -> bool:
    named = read_acids(text)
    if not all(count_named(structure, one, sure=False) for one in named):
        return False
    if any(one.key is None or one.modified for one in named):
        return not sure
    places = [_pieces_of(structure, one) for one in named]
    after: dict[int, set[int]] = {}
    for first, second, amide in walk(structure).bonds:
        if amide:
            after.setdefault(first, set()).add(second)
    reached = places[0]
    for here in places[1:]:
        reached = {j for i in reached for j in after.get(i, ()) if j in here}
    return bool(reached)


def _pieces_of(structure: Structure, named: Named) -> set[int]:
    """Pieces of the walk in which the amino acid stands."""
    found = units(structure, named.key or "", intact=not named.modified)
    wanted = "" if named.modified else named.series
    atoms = {n for n, _, series in found if fits(series, wanted, sure=False)}
    pieces = walk(structure).pieces
    return {i for i, piece in enumerate(pieces) if not atoms.isdisjoint(piece.atoms)}


def depsipeptide(structure: Structure) -> int:
    """An amide joint and a residue of a hydroxy acid, whether its hydroxy is acylated or free."""
    found = walk(structure)
    if not any(amide for *_, amide in found.bonds):
        return 0
    if not all(amide for *_, amide in found.bonds):
        return 1
    acids = (piece for piece in found.pieces if piece.acyls and not piece.nitrogens)
    return int(any(_has_alcohol(structure, piece.atoms) for piece in acids))


def _has_alcohol(structure: Structure, atoms: frozenset[int]) -> bool:
    """An oxygen with one neighbour, a carbon that is no acyl carbon."""
    ends = [i for i in atoms if structure.numbers[i] == 8 and len(structure.near[i]) == 1]
    return any(structure.near[i][0] not in structure.carbonyls for i in ends)


PREDICATES: dict[str, Callable[..., int]] = amino_units.PREDICATES | {
    "cyclic_peptide": cyclic_peptide,
    "depsipeptide": depsipeptide,
    "joined": joined,
    "peptide": peptide,
    "peptide_ion": peptide_ion,
    "peptide_ring": peptide_ring,
    "peptide_size": peptide_size,
    "residues_named": residues_named,
    "sequence": sequence,
    "surely_joined": surely_joined,
    "surely_peptide": surely_peptide,
    "surely_peptide_ion": surely_peptide_ion,
    "surely_peptide_size": surely_peptide_size,
    "surely_residues_named": surely_residues_named,
    "surely_sequence": surely_sequence,
}
