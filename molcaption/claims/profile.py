"""Everything that the lexicon finds in one molecule, as a bag of named features.

Computed once per molecule and read by whoever needs to compare or to learn: the captioner's second
bridge (data/features.py) and the search for similar molecules (data/memory.py).
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims.lexicon import Lexicon
from molcaption.claims.structure import Structure

_MOST_CHARGE = 4
_OF_CONCEPTS = ("has", "proves", "number")
"""First words of the features that tell of a concept; its id follows."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a structure holds.

    Attributes:
        counts: of each concept that the structure does not refute; 1 if it is not countable.
        proven: the concepts among them that it certainly has.
        charge: net charge.
        heavy_atoms: their number.
        components: disconnected parts.
    """

    counts: dict[str, int]
    proven: frozenset[str]
    charge: int
    heavy_atoms: int
    components: int

    def features(self) -> dict[str, float]:
        """Name to weight: presence, proof and (log2) number of concepts, charge, size, parts."""
        has, proves, number = _OF_CONCEPTS
        found = {f"{has} {key}": 1.0 for key in self.counts}
        found |= {f"{proves} {key}": 1.0 for key in self.proven}
        found |= {f"{number} {key}": math.log2(n) for key, n in self.counts.items() if n > 1}
        charge = max(-_MOST_CHARGE, min(_MOST_CHARGE, self.charge))
        found[f"charge {charge}"] = 1.0
        found[f"size {int(2 * math.log2(1 + self.heavy_atoms))}"] = 1.0
        found["components"] = float(self.components - 1)
        return found


def concepts_of(features: Iterable[str]) -> frozenset[str]:
    """Ids of the concepts that features of these names tell of."""
    parts = (name.partition(" ") for name in features)
    return frozenset(key for kind, _, key in parts if kind in _OF_CONCEPTS)


def profile(mol: Chem.Mol, lexicon: Lexicon, *, concepts: Collection[str] | None = None) -> Profile:
    """The profile of ``mol``, whatever RDKit can hold; 5 to 15 ms with the built-in lexicon.

    Args:
        concepts: ids of those to look for; all by default.
    """
    structure = Structure(mol, lexicon)
    left = lexicon.screen.left(structure)
    asked = left if concepts is None else (key for key in left if key in concepts)
    counts = {key: count for key in asked if (count := structure.count(key))}
    return Profile(
        counts=counts,
        proven=frozenset(key for key in counts if structure.proven(key)),
        charge=structure.charge,
        heavy_atoms=mol.GetNumHeavyAtoms(),
        components=len(structure.fragments),
    )
