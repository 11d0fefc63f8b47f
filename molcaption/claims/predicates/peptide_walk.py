"""Residues of a peptide: a molecule cut at its amide, ester and disulfide bonds.

A piece with an amino nitrogen and an acyl carbon a short way apart is an amino-acid residue; one
with a hydroxy oxygen in the nitrogen's place is a hydroxy-acid residue (of a depsipeptide). Pieces
whose acid was reduced or replaced (alcohols, ketones, boronic acids, nitriles, thiazoles) may be
counted or not, so a walk gives a range.
"""

from collections import Counter
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims.structure import MAX_MATCHES, Structure

# An acyl carbon, or one of an imidic acid, and the atom that it is joined to.
_JOINT = Chem.MolFromSmarts(
    "[$([CX3]=[O,S;D1]),$([CX3]([O;H1,-])=[#7])]!:[$([#7;!D1]),$([O;D2]),$([S;D2])]"
)
_ACYL = Chem.MolFromSmarts("[CX3;$(C=[O;D1]),$(C([O;H1,-])=[#7])]")
_DISULFIDE = Chem.MolFromSmarts("[#16D2]-[#16D2]")
# Amino nitrogens: on a saturated or olefinic carbon, or on a benzene ring; no amide's NH2.
_AMINO = Chem.MolFromSmarts(
    "[#7;!$([#7]=[#6;!$(C[OH,O-])]);!$([#7;D1]C=[O,S]);!$([#7]=,:[#8]);!$([#7+]-[#8-])]-[#6]"
)
# What is left of an acid at the C-terminal end.
_WORN = Chem.MolFromSmarts("[$([CH2][OH]),$([CH]=O),$([BX3]),$([BX4]),$(C#N),$(P=O),$(c(n)s)]")
Bond = tuple[int, int, bool]  # acyl piece, nitrogen or oxygen piece, is an amide
_FAR = 7  # longest way from N to acyl carbon, in bonds


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece: its atoms, amino nitrogens, acyl carbons and hydroxy oxygens that are acylated."""

    atoms: frozenset[int]
    nitrogens: frozenset[int]
    acyls: frozenset[int]
    oxygens: frozenset[int]
    alphas: frozenset[int]
    way: int  # bonds between the nearest nitrogen and acyl carbon, 0 for none
    worn: bool
    firm: bool  # an acid or its derivative, no ketone or aldehyde

    @property
    def is_residue(self) -> bool:
        """An amino acid: nitrogen and acyl carbon a short way apart."""
        return 0 < self.way <= _FAR


@dataclass(frozen=True, slots=True)
class Walk:
    """Pieces and the bonds between them, the fewest and most residues, and those of one peptide."""

    pieces: tuple[Piece, ...]
    bonds: tuple[Bond, ...]
    low: int
    high: int
    main: int


def walk(structure: Structure) -> Walk:
    """The residues of the record, cut once."""
    return structure.keep("peptide_walk", lambda: _walk(structure))


def _pairs(structure: Structure, query: Chem.Mol) -> list[tuple[int, ...]]:
    return list(structure.mol.GetSubstructMatches(query, uniquify=False, maxMatches=MAX_MATCHES))


def _walk(structure: Structure) -> Walk:
    if 7 not in structure.element_counts or not structure.carbonyls:
        return Walk((), (), 0, 0, 0)
    joints = _pairs(structure, _JOINT)
    bridges = {frozenset(pair) for pair in _pairs(structure, _DISULFIDE)}
    cuts = {frozenset(pair) for pair in joints} | bridges
    owner, members = _components(structure, cuts)
    acyls = {i for (i,) in _pairs(structure, _ACYL)}
    nitrogens = {pair[0] for pair in _pairs(structure, _AMINO)}
    worn = {i for (i,) in _pairs(structure, _WORN)}
    oxygens = {j for _, j in joints if structure.numbers[j] == 8}
    pieces = tuple(_piece(structure, m, acyls, nitrogens, oxygens, worn, cuts) for m in members)
    bonds = tuple((owner[c], owner[x], structure.numbers[x] == 7) for c, x in joints)
    low, high = _low(pieces), _high(pieces, bonds)
    return Walk(pieces, bonds, low, high, _main(pieces, bonds))


def _components(
    structure: Structure, cuts: set[frozenset[int]]
) -> tuple[dict[int, int], list[list[int]]]:
    """Piece of each atom, and the atoms of each piece."""
    owner: dict[int, int] = {}
    members: list[list[int]] = []
    for start in range(len(structure.numbers)):
        if start in owner:
            continue
        owner[start] = len(members)
        queue = [start]
        for atom in queue:
            for other in structure.near[atom]:
                if other not in owner and frozenset((atom, other)) not in cuts:
                    owner[other] = len(members)
                    queue.append(other)
        members.append(queue)
    return owner, members


def _piece(
    structure: Structure,
    atoms: list[int],
    acyls: set[int],
    nitrogens: set[int],
    oxygens: set[int],
    worn: set[int],
    cuts: set[frozenset[int]],
) -> Piece:
    inside = frozenset(atoms)
    amines, ends = inside & nitrogens, _acids(structure, inside & acyls)
    alphas = frozenset(
        i
        for i in atoms
        if structure.numbers[i] == 6
        and not amines.isdisjoint(structure.near[i])
        and not ends.isdisjoint(structure.near[i])
    )
    way = _way(structure, amines, ends, inside) if amines and ends else 0
    firm = any(
        sum(structure.numbers[n] in (7, 8, 16) for n in structure.near[end]) > 1 for end in ends
    )
    spent = not worn.isdisjoint(inside)
    return Piece(inside, amines, ends, inside & oxygens, alphas, way, spent, firm)


def _acids(structure: Structure, acyls: frozenset[int]) -> frozenset[int]:
    """Acyl carbons with a carbon neighbour: not those of carbamates and ureas."""
    return frozenset(
        i for i in acyls if any(structure.numbers[n] in (0, 6) for n in structure.near[i])
    )


def _way(
    structure: Structure, amines: frozenset[int], ends: frozenset[int], inside: frozenset[int]
) -> int:
    """Bonds on the shortest way from a nitrogen to an acyl carbon of the piece, over carbon."""
    depth = dict.fromkeys(amines, 0)
    queue = list(amines)
    for atom in queue:
        for other in structure.near[atom]:
            if other in depth or other not in inside or structure.numbers[other] != 6:
                continue
            depth[other] = depth[atom] + 1
            if other in ends:
                return depth[other]
            queue.append(other)
    return 0


def _low(pieces: tuple[Piece, ...]) -> int:
    """Fewest residues that the record can be said to have: alpha-amino acids, no ketones."""
    return sum(bool(piece.alphas) and piece.firm for piece in pieces)


def _high(pieces: tuple[Piece, ...], bonds: tuple[Bond, ...]) -> int:
    """Most residues: all amino acids, joined hydroxy acids, and worn ends."""
    joined = {i for bond in bonds for i in bond[:2]}
    total = 0
    for number, piece in enumerate(pieces):
        if piece.is_residue:
            total += max(1, len(piece.alphas))
        elif number in joined:
            total += bool(piece.oxygens and piece.acyls) or bool(piece.nitrogens and piece.worn)
    return total


def _main(pieces: tuple[Piece, ...], bonds: tuple[Bond, ...]) -> int:
    """Residues of the largest part that amide bonds hold together."""
    part = list(range(len(pieces)))
    for acyl, other, amide in bonds:
        if amide and part[acyl] != part[other]:
            old, new = part[acyl], part[other]
            part = [new if one == old else one for one in part]
    sizes = Counter(p for p, piece in zip(part, pieces, strict=True) if piece.is_residue)
    return max(sizes.values(), default=0)


def rings_of(structure: Structure) -> list[tuple[list[str], int]]:
    """Rings with an amide or ester joint between residues: their joints ("amide", "ester",
    "disulfide") and their size.
    """

    def find() -> list[tuple[list[str], int]]:
        kinds = {frozenset(p): "disulfide" for p in _pairs(structure, _DISULFIDE)}
        for c, x in _pairs(structure, _JOINT):
            kinds[frozenset((c, x))] = "amide" if structure.numbers[x] == 7 else "ester"
        found = []
        for ring in structure.mol.GetRingInfo().AtomRings():
            bonds = zip(ring, ring[1:] + ring[:1], strict=True)
            joints = [kinds[key] for key in map(frozenset, bonds) if key in kinds]
            if "amide" in joints and len(joints) > 1:
                found.append((joints, len(ring)))
        return found

    return structure.keep("peptide_rings", find)
