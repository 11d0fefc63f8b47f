"""Molecules for encoder pretraining: graph, structural targets and, for some, the words of a text.

Computed when first asked for and kept: one pass over RDKit costs about as much as a training step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from molcaption.chem.graph import Graph, featurise
from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.data.pairs import Pair
from molcaption.data.targets import StructureTargets, structure_targets
from molcaption.data.words import hashed_words


@dataclass(frozen=True, slots=True)
class StructureExample:
    """``words`` is empty for a structure without text."""

    graph: Graph
    targets: StructureTargets
    words: list[int]


class StructureDataset:
    """Examples by index; None for a structure that RDKit cannot read."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._made: dict[int, StructureExample | None] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> StructureExample | None:
        if index not in self._made:
            self._made[index] = _example(self._pairs[index])
        return self._made[index]


def _example(pair: Pair) -> StructureExample | None:
    try:
        mol = parse_smiles(pair.smiles)
    except InvalidMolecule:
        return None
    words = hashed_words(pair.description) if pair.description else []
    return StructureExample(featurise(mol), structure_targets(mol), words)
