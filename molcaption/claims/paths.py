"""Which small skeletons of elements a molecule holds, as a set that can be compared at once.

RDKit's path-based fingerprint (Daylight's, with branches), asked of elements and connectivity
alone: what a query draws is then among what every match of it has, whatever its bonds, charges and
hydrogens are.
"""

from collections.abc import Sequence

from rdkit import Chem, DataStructs

N_PATHS = 4096
"""Bits of a fingerprint. Two skeletons that share one can only hide that something is missing."""
EVERY_PATH = (1 << N_PATHS) - 1
_MOST_BONDS = 6
"""Of a skeleton: longer ones tell little more (measured on the built-in lexicon), and cost more."""
_MOST_NEIGHBOURS = 12
"""Of an atom. The ways to choose six bonds of twenty take milliseconds, of a hundred for ever."""


def paths_of(mol: Chem.Mol, numbers: Sequence[int]) -> int:
    """The fingerprint, as the bits of an integer; all bits where that would take too long, or where
    atoms or bonds are open (``~`` in a SMILES), which RDKit leaves out.

    Args:
        numbers: atomic number of each atom.
    """
    is_crowded = any(atom.GetDegree() > _MOST_NEIGHBOURS for atom in mol.GetAtoms())
    is_open = any(part.HasQuery() for parts in (mol.GetAtoms(), mol.GetBonds()) for part in parts)
    return EVERY_PATH if is_crowded or is_open else _fingerprint(mol, numbers)


def paths_drawn(query: Chem.Mol, numbers: Sequence[int]) -> int:
    """The same for what a query draws.

    Args:
        numbers: atomic number of each atom, 0 where that is open.
    """
    drawn = Chem.RWMol()
    places = {i: drawn.AddAtom(Chem.Atom(n)) for i, n in enumerate(numbers) if n}
    for bond in query.GetBonds():
        begin, end = places.get(bond.GetBeginAtomIdx()), places.get(bond.GetEndAtomIdx())
        if begin is not None and end is not None:
            drawn.AddBond(begin, end, Chem.BondType.SINGLE)
    return _fingerprint(drawn, [n for n in numbers if n]) if drawn.GetNumBonds() else 0


def _fingerprint(mol: Chem.Mol, numbers: Sequence[int]) -> int:
    bits = Chem.RDKFingerprint(
        mol,
        minPath=1,
        maxPath=_MOST_BONDS,
        fpSize=N_PATHS,
        nBitsPerHash=1,
        branchedPaths=True,
        useBondOrder=False,
        atomInvariants=list(numbers),
    )
    return int.from_bytes(DataStructs.BitVectToBinaryText(bits), "little")
