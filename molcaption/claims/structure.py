"""One molecule with everything that structural tests ask of it, computed once and on demand.

A caption mentions a handful of concepts and a molecule is asked about each several times (class,
parents, counts), so ring systems, charges and matches are cached per molecule, never per caption.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

if TYPE_CHECKING:
    from molcaption.claims.entry import Concept, StructuralTest
    from molcaption.claims.lexicon import Lexicon

MAX_MATCHES = 5_000
Kept = TypeVar("Kept")
Filled = tuple[tuple[str, Any], ...]
# Hydrogen, noble gases, non-metals and metalloids: every other element is a metal.
_NON_METALS = frozenset(
    [0, 1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 51, 52, 53, 54, 85, 86]
)


def is_metal(atom: Chem.Atom) -> bool:
    """True for every element but hydrogen, non-metals, metalloids and noble gases."""
    return atom.GetAtomicNum() not in _NON_METALS


_CARBONYL = Chem.MolFromSmarts("[#6]=,:[#8]")
_NUMBERS = {Chem.GetPeriodicTable().GetElementSymbol(n): n for n in range(119)}
_ELEMENT = re.compile(r"([A-Z][a-z]?|\*)(\d*)")


def read_formula(text: str) -> dict[str, int]:
    """Atoms of each element of a molecular formula, in whatever order that names them."""
    atoms: dict[str, int] = {}
    for element, n in _ELEMENT.findall(text):
        atoms[element] = atoms.get(element, 0) + int(n or 1)
    return atoms


def _element_counts(mol: Chem.Mol) -> dict[int, int]:
    """Atomic number to number of atoms; hydrogens only where they are atoms of their own.

    Read from the formula, which RDKit makes ten times faster than a loop over atoms here.
    """
    formula = read_formula(rdMolDescriptors.CalcMolFormula(mol))
    counts = {_NUMBERS[element]: n for element, n in formula.items() if element != "H"}
    if hydrogens := mol.GetNumAtoms() - sum(counts.values()):
        counts[1] = hydrogens
    return counts


class RingSystem:
    """Rings joined through shared bonds (fused or bridged) or, if ``spiro``, shared atoms."""

    __slots__ = ("atoms", "hetero", "n_rings")

    def __init__(self, mol: Chem.Mol, rings: list[frozenset[int]]) -> None:
        self.n_rings = len(rings)
        self.atoms = frozenset().union(*rings)
        self.hetero = any(mol.GetAtomWithIdx(i).GetAtomicNum() != 6 for i in self.atoms)


class Structure:
    """A molecule seen through a lexicon.

    ``mol`` may be unsanitised or odd (metals, dummies, no atoms): every property answers.
    """

    def __init__(self, mol: Chem.Mol, lexicon: "Lexicon") -> None:
        self.mol = mol
        self.lexicon = lexicon
        self._counts: dict[tuple[str, Filled], int] = {}
        self._proven: dict[tuple[str, Filled], int] = {}
        self._memo: dict[str, Any] = {}
        if mol.NeedsUpdatePropertyCache():
            mol.UpdatePropertyCache(strict=False)
        try:
            mol.GetRingInfo().NumRings()
        except RuntimeError:  # never sanitised: rings were not perceived
            Chem.FastFindRings(mol)
        self.charge: int = Chem.GetFormalCharge(mol)
        self.element_counts = _element_counts(mol)

    @property
    def is_open(self) -> bool:
        """Whether a dummy atom leaves open what part of the molecule is."""
        return 0 in self.element_counts

    @cached_property
    def numbers(self) -> list[int]:
        """Atomic number of each atom."""
        atom = self.mol.GetAtomWithIdx
        return [atom(i).GetAtomicNum() for i in range(self.mol.GetNumAtoms())]

    @cached_property
    def near(self) -> list[list[int]]:
        """Bonded atoms of each atom; plain lists, since walks over RDKit's atoms are slow."""
        near: list[list[int]] = [[] for _ in self.numbers]
        rows, columns = Chem.GetAdjacencyMatrix(self.mol).nonzero()
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
            near[i].append(j)
        return near

    @cached_property
    def carbonyls(self) -> frozenset[int]:
        """Carbons with a double or aromatic bond to oxygen."""
        matches = self.mol.GetSubstructMatches(_CARBONYL, maxMatches=MAX_MATCHES)
        return frozenset(carbon for carbon, _ in matches)

    @cached_property
    def has_charges(self) -> bool:
        """Whether any atom has a formal charge."""
        return any(atom.GetFormalCharge() for atom in self.mol.GetAtoms())

    @cached_property
    def n_radicals(self) -> int:
        """Atoms with unpaired electrons."""
        return sum(atom.GetNumRadicalElectrons() > 0 for atom in self.mol.GetAtoms())

    def keep(self, key: str, compute: Callable[[], Kept]) -> Kept:
        """The result of ``compute``, kept under ``key`` for this molecule."""
        if key not in self._memo:
            self._memo[key] = compute()
        found: Kept = self._memo[key]
        return found

    def once(self, key: str, compute: "Callable[[Structure], int]") -> int:
        """The result of ``compute`` on this molecule, kept under ``key``."""
        return self.keep(key, lambda: compute(self))

    @cached_property
    def fragments(self) -> list[tuple[int, ...]]:
        """Atom indices of each component."""
        return list(Chem.GetMolFrags(self.mol))

    @cached_property
    def fragment_charges(self) -> list[int]:
        """Net charge of each component."""
        charge = [atom.GetFormalCharge() for atom in self.mol.GetAtoms()]
        return [sum(charge[i] for i in fragment) for fragment in self.fragments]

    def charge_of(self, fragment: tuple[int, ...]) -> int:
        """Net charge of some atoms."""
        return sum(self.mol.GetAtomWithIdx(i).GetFormalCharge() for i in fragment)

    @cached_property
    def rings(self) -> list[frozenset[int]]:
        """Atom indices of each ring (SSSR)."""
        return [frozenset(ring) for ring in self.mol.GetRingInfo().AtomRings()]

    @cached_property
    def ring_systems(self) -> list[RingSystem]:
        """Fused and bridged systems: rings that share at least one bond."""
        return self._join_rings(min_shared=2)

    @cached_property
    def spiro_systems(self) -> list[RingSystem]:
        """As ``ring_systems``, with spiro-joined rings counted together."""
        return self._join_rings(min_shared=1)

    def _join_rings(self, min_shared: int) -> list[RingSystem]:
        groups: list[list[frozenset[int]]] = []
        for ring in self.rings:
            touching = [g for g in groups if any(len(ring & other) >= min_shared for other in g)]
            merged = [ring] + [other for g in touching for other in g]
            groups = [g for g in groups if not any(g is t for t in touching)] + [merged]
        return [RingSystem(self.mol, group) for group in groups]

    @cached_property
    def has_metal(self) -> bool:
        """Whether any atom is a metal."""
        return any(number not in _NON_METALS for number in self.element_counts)

    def count(self, concept_id: str, filled: Filled = ()) -> int:
        """How often the concept occurs: 0 refutes it (1 stands for "yes" if not countable).

        ``filled`` pairs each argument of a parametric test ("$n") with what the caption gave.
        """
        key = (concept_id, filled)
        found = self._counts.get(key)
        if found is None:
            concept = self.lexicon.concepts[concept_id]
            found = self._counts[key] = self._refuting(concept, filled)
        return found

    def proven(self, concept_id: str, filled: Filled = ()) -> int:
        """How often the concept certainly occurs: its exact test's hits, or its stricter one's."""
        key = (concept_id, filled)
        found = self._proven.get(key)
        if found is None:
            concept = self.lexicon.concepts[concept_id]
            found = self._proven[key] = self._proving(concept, filled)
        return found

    def supports(self, concept_id: str) -> bool:
        """Whether the structure proves the concept."""
        return self.proven(concept_id) > 0

    def _refuting(self, concept: "Concept", filled: Filled) -> int:
        if concept.parametric and not filled:
            return 0  # nothing to test without a caption
        for parent in concept.parents:
            if not self.count(parent):
                return 0
        return 1 if concept.test is None else self._run(concept.test, concept.countable, filled)

    def _proving(self, concept: "Concept", filled: Filled) -> int:
        hits = self.count(concept.id, filled)
        test = concept.sure or concept.test
        if not hits or (test and test.predicate and self.is_open):
            return 0  # what a dummy atom stands for is open, and computed tests let it pass
        if concept.sure is not None:
            return self._run(concept.sure, concept.countable, filled)
        if concept.strength == "necessary":
            return 0
        if concept.test is None:
            return int(all(self.proven(parent) for parent in concept.parents))
        return hits

    def _run(self, test: "StructuralTest", countable: bool, filled: Filled) -> int:
        if test.predicate is not None:
            if not filled:
                return test.predicate(self, *test.arguments)
            given = dict(filled)
            return test.predicate(self, *[given.get(a, a) for a in test.arguments])
        assert test.query is not None  # a test has a predicate or a query
        needs, present = test.needs, self.element_counts
        if needs.rings > len(self.rings):
            return 0
        for number, n in needs.atoms.items():
            if present.get(number, 0) < n:
                return 0
        if not countable:
            return int(self.mol.HasSubstructMatch(test.query))
        return len(self.mol.GetSubstructMatches(test.query, maxMatches=MAX_MATCHES))
