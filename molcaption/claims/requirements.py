"""What a query needs of a molecule at the very least: a look at that before a search for matches.

Most of the lexicon's tests miss, and a search that misses costs ten times as much as this look; for
all tests together there is a quicker one (screen.py).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, reduce

from rdkit import Chem

from molcaption.claims.paths import paths_drawn
from molcaption.claims.queries import strict_query

_TABLE = Chem.GetPeriodicTable()
_ELEMENTS = {_TABLE.GetElementSymbol(n): n for n in range(2, 119)}
_AROMATIC = {s.lower(): _ELEMENTS[s] for s in ("B", "C", "N", "O", "P", "S", "As", "Se", "Te")}
_ELEMENTS |= _AROMATIC | {f"#{n}": n for n in range(1, 119)}
"""Atomic number by what SMARTS calls the element; ``H`` is not among them: it counts hydrogens."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Without these nothing matches.

    Attributes:
        atoms: number of atoms by atomic number; hydrogens are atoms of their own.
        rings: bonds beyond those of a tree.
        paths: small skeletons of elements, as bits (paths.py), where they were asked for.
    """

    atoms: dict[int, int] = field(default_factory=dict)
    rings: int = 0
    paths: int = 0

    def __or__(self, other: "Requirement") -> "Requirement":
        """Both are needed, and may share their atoms."""
        numbers = self.atoms | other.atoms
        atoms = {n: max(self.atoms.get(n, 0), other.atoms.get(n, 0)) for n in numbers}
        return Requirement(atoms, max(self.rings, other.rings), self.paths | other.paths)

    def __and__(self, other: "Requirement") -> "Requirement":
        """What both need, where either will do."""
        shared = self.atoms.keys() & other.atoms.keys()
        atoms = {n: min(self.atoms[n], other.atoms[n]) for n in shared}
        return Requirement(atoms, min(self.rings, other.rings), self.paths & other.paths)


@dataclass(frozen=True, slots=True)
class _Atom:
    """A query atom: its atomic number, 0 if that is open, and what it needs around it."""

    number: int = 0
    around: Requirement = field(default_factory=Requirement)

    def __or__(self, other: "_Atom") -> "_Atom":
        return _Atom(self.number or other.number, self.around | other.around)

    def __and__(self, other: "_Atom") -> "_Atom":
        number = self.number if self.number == other.number else 0
        return _Atom(number, self.around & other.around)


def requirement(query: Chem.Mol, *, paths: bool = False) -> Requirement:
    """What every match of ``query`` needs; recursive SMARTS count, whichever alternative holds.

    Args:
        paths: tell of them too; that takes most of the time.
    """
    return _whole(query, _atoms(query, paths), paths)


def _atoms(query: Chem.Mol, paths: bool) -> list[_Atom]:
    return [_read(atom.GetSmarts(), paths) for atom in query.GetAtoms()]


def _whole(query: Chem.Mol, atoms: list[_Atom], paths: bool) -> Requirement:
    numbers = [atom.number for atom in atoms]
    counts = Counter(number for number in numbers if number)
    rings = query.GetNumBonds() - query.GetNumAtoms() + len(Chem.GetMolFrags(query))
    drawn = Requirement(dict(counts), rings, paths_drawn(query, numbers) if paths else 0)
    return reduce(Requirement.__or__, (atom.around for atom in atoms), drawn)


@lru_cache(maxsize=8192)
def _read(smarts: str, paths: bool) -> _Atom:
    """An atom's own SMARTS: ``;`` binds weaker than ``,``, and that weaker than ``&``."""
    inside = smarts[1:-1] if smarts.startswith("[") else smarts
    return _all(
        reduce(
            _Atom.__and__,
            (_all(_term(text, paths) for text in _split(one, "&")) for one in _split(part, ",")),
        )
        for part in _split(inside, ";")
    )


def _all(atoms: Iterable[_Atom]) -> _Atom:
    return reduce(_Atom.__or__, atoms, _Atom())


def _term(text: str, paths: bool) -> _Atom:
    """An element, or ``$(…)``, whose first atom this is; all else asks for no atom or ring."""
    if not text.startswith("$("):
        return _Atom(_ELEMENTS.get(text, 0))
    query = strict_query(text[2:-1])
    atoms = _atoms(query, paths)
    return _Atom(atoms[0].number, _whole(query, atoms, paths))


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts of ``text`` between separators that are in no brackets."""
    start = depth = 0
    for i, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == separator and not depth:
            yield text[start:i]
            start = i + 1
    yield text[start:]
