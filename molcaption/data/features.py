"""What a captioner reads beside the graph: the molecule's profile and its Morgan counts.

A graph neural network learns chemistry from its training molecules; the lexicon of the claims
engine knows it already. So the captioner gets both: what the lexicon finds in the structure, and
circular substructures (Morgan counts with chirality, radius 3, folded) for what has no name.

Dims: M molecules, F features.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molcaption.chem.graph import Graph, featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import Lexicon, concepts_of, profile
from molcaption.data.atomic import atomic_write
from molcaption.errors import BadDataError, MissingError
from molcaption.processes import map_rows

VOCABULARY = "features.json"
Features = dict[str, float]
"""Name to value; a feature that is not there is 0."""

_MIN_ROWS = 50  # a process: they take half a second
_MIN_MOLECULES = 3
"""A feature of fewer molecules teaches nothing that would carry over."""
_LENGTH = 10.0
"""Norm of a feature vector: molecules with many groups must not shout down the others."""
_MOST_RAISED = 10.0
"""Rare features are raised to unit variance, but no further than by this factor."""
_MORGAN_NAME = "morgan "
_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=3, fpSize=4096, includeChirality=True)


def is_morgan(name: str) -> bool:
    """Whether a feature is a circular substructure, not something with a name."""
    return name.startswith(_MORGAN_NAME)


def features_of(
    smiles: Sequence[str], lexicon: Lexicon, vocabulary: "FeatureVocabulary | None" = None
) -> list[Features]:
    """The features of each structure, on all cores; some 10 ms a molecule and core.

    Args:
        vocabulary: concepts that it does not know are not looked for.
    """
    concepts = None if vocabulary is None else vocabulary.concepts

    def part(texts: Sequence[str]) -> NDArray[np.object_]:
        made = np.empty(len(texts), object)
        for i, text in enumerate(texts):
            mol = parse_smiles(text)
            made[i] = profile(mol, lexicon, concepts=concepts).features() | _morgan_counts(mol)
        return made

    return list(map_rows(part, smiles, min_rows=_MIN_ROWS)) if len(smiles) else []


def _morgan_counts(mol: Chem.Mol) -> Features:
    """Logarithms of how often each circular substructure occurs."""
    counts = _MORGAN.GetCountFingerprint(mol).GetNonzeroElements()
    return {f"{_MORGAN_NAME}{bit}": math.log2(1 + n) for bit, n in counts.items()}


@dataclass(frozen=True, slots=True)
class SparseRow:
    """Places and values of the features that are not 0, of ``width`` in all; shapes [n], [n]."""

    places: NDArray[np.int32]
    values: NDArray[np.float32]
    width: int


@dataclass(frozen=True, slots=True)
class MoleculeView:
    """A molecule as a captioner sees it; ``features`` is None where it looks at the graph alone."""

    graph: Graph
    features: SparseRow | None = None


@dataclass(frozen=True)
class FeatureVocabulary:
    """The features that a captioner knows, in their order, and what each is multiplied by."""

    names: list[str]
    scales: list[float]

    @classmethod
    def learn(cls, molecules: Sequence[Features]) -> Self:
        """Features of at least three molecules, scaled towards unit variance."""
        count, total, squares = Counter[str](), Counter[str](), Counter[str]()
        for features in molecules:
            count.update(features.keys())
            total.update(features)
            squares.update({name: value * value for name, value in features.items()})
        names = sorted(name for name, n in count.items() if n >= _MIN_MOLECULES)
        means = {name: total[name] / len(molecules) for name in names}
        spread = [math.sqrt(max(0.0, squares[n] / len(molecules) - means[n] ** 2)) for n in names]
        return cls(names, [round(1 / min(1.0, max(1 / _MOST_RAISED, s)), 4) for s in spread])

    def row(self, features: Features) -> SparseRow:
        """One molecule as the captioner reads it, of norm 10; features unknown to it are lost."""
        known = sorted(
            (place, value * self.scales[place])
            for name, value in features.items()
            if (place := self._places.get(name)) is not None
        )
        values = np.array([value for _, value in known], np.float32)
        scaled = _LENGTH * values / max(float(np.linalg.norm(values)), 1e-6)
        places = np.array([place for place, _ in known], np.int32)
        return SparseRow(places, scaled, len(self.names))

    def save(self, directory: Path) -> None:
        """Write ``features.json``."""
        with atomic_write(directory / VOCABULARY, "w") as file:
            file.write(json.dumps(asdict(self), ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingError: there is none.
            BadDataError: it is damaged.
        """
        path = directory / VOCABULARY
        try:
            vocabulary = cls(**json.loads(path.read_text(encoding="utf-8")))
            if len(vocabulary.names) != len(vocabulary.scales):
                raise ValueError(f"{len(vocabulary.names)} names, {len(vocabulary.scales)} scales")
        except FileNotFoundError as error:
            raise MissingError(f"{path}: no such file; make the model again") from error
        except (ValueError, TypeError) as error:
            raise BadDataError(f"{path}: damaged: {error}; make the model again") from error
        return vocabulary

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Ids of the lexicon's concepts that it knows."""
        return concepts_of(self.names)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


def dense(rows: Sequence[SparseRow]) -> NDArray[np.float32]:
    """At least one row as a matrix [M, F]."""
    matrix = np.zeros((len(rows), rows[0].width), np.float32)
    for line, row in zip(matrix, rows, strict=True):
        line[row.places] = row.values
    return matrix


def views(
    smiles: Sequence[str],
    vocabulary: FeatureVocabulary | None,
    found: Sequence[Features] | None,
) -> list[MoleculeView]:
    """What a captioner sees of each molecule; features only where it has a vocabulary."""
    graphs = [featurise(parse_smiles(text)) for text in smiles]
    if vocabulary is None or found is None:
        return [MoleculeView(graph) for graph in graphs]
    return [MoleculeView(g, vocabulary.row(f)) for g, f in zip(graphs, found, strict=True)]
