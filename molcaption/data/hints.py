"""Hints: the phrases that a molecule's description is likely to hold, learnt from its structure.

A small classifier (two matrices, trained by nn/hints.py) reads the molecule's profile, that is what
the claims engine finds in the structure, and gives each phrase of the training descriptions a
probability. A phrase whose class the structure refutes is never hinted at. The likeliest phrases go
into the prompt, where the backbone takes them up or leaves them.

Dims: M molecules, F features, H hidden width, P phrases.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molcaption.claims import Lexicon, Profile
from molcaption.claims.entry import Concept
from molcaption.claims.grammar import find_mentions
from molcaption.data.atomic import atomic_write
from molcaption.data.phrases import phrases
from molcaption.errors import BadDataError, MissingError

VOCABULARY, WEIGHTS = "hints.json", "hints.npz"
FILES = (VOCABULARY, WEIGHTS)
MIN_PROBABILITY = 0.06
"""Below it a phrase is more noise than hint."""
_MIN_MOLECULES = 3
"""A feature or a phrase of fewer molecules teaches nothing that would carry over."""
_LENGTH = 10.0
"""Norm of a feature vector: molecules with many groups must not shout down the others."""
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class HintVocabulary:
    """What the classifier reads and says.

    Attributes:
        features: names, see `Profile.features`.
        texts: of each phrase, as a prompt shows it.
        keys: what `targets` calls it: the phrase itself, or "concept ID" for a group it names.
        needs: concepts that a structure must not refute for the phrase to be hinted at.
    """

    features: list[str]
    texts: list[str]
    keys: list[str]
    needs: list[list[str]]

    @classmethod
    def learn(cls, profiles: Sequence[Profile], said: Sequence[set[str]], lexicon: Lexicon) -> Self:
        """Features and phrases that enough molecules have; ``said`` as `said_phrases` gives it."""
        features = Counter(name for profile in profiles for name in profile.features())
        common = Counter(phrase for phrases in said for phrase in phrases)
        frequent = {key for key, n in common.items() if n >= _MIN_MOLECULES}
        keys = sorted(key for key in frequent if not _named_twice(key, frequent, lexicon))
        return cls(
            features=sorted(name for name, n in features.items() if n >= _MIN_MOLECULES),
            texts=[_text(key, lexicon) for key in keys],
            keys=keys,
            needs=[_needs(key, lexicon) for key in keys],
        )

    def inputs(self, profile: Profile) -> FloatArray:
        """Features of one molecule, scaled to equal length: [F]."""
        values = np.zeros(len(self.features), np.float32)
        for name, value in profile.features().items():
            if (place := self._places.get(name)) is not None:
                values[place] = value
        scaled: FloatArray = _LENGTH * values / max(float(np.linalg.norm(values)), 1e-6)
        return scaled

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.features)}

    def targets(self, said: Sequence[set[str]]) -> FloatArray:
        """Which phrases each description holds: [M, P] of 0 and 1."""
        return np.array([[key in held for key in self.keys] for held in said], np.float32)

    def possible(self, profile: Profile) -> NDArray[np.bool_]:
        """Phrases that the structure does not refute: [P]."""
        return np.array([all(c in profile.counts for c in needed) for needed in self.needs], bool)


_CONCEPT = "concept "


def said_phrases(description: str, lexicon: Lexicon) -> set[str]:
    """Phrases of a description, and "concept ID" of each class and group that it names."""
    named = {
        _CONCEPT + mention.concept
        for mention in find_mentions(description, lexicon)
        if mention.concept in lexicon.concepts
        and mention.reason is None
        and mention.polarity != "negative"
        and mention.scope in ("class", "body")
        and _can_be_named(lexicon.concepts[mention.concept])
    }
    return phrases(description) | named


def _can_be_named(concept: Concept) -> bool:
    return not concept.parametric and bool(concept.names or concept.groups)


def _named_twice(key: str, others: Collection[str], lexicon: Lexicon) -> bool:
    """Whether a concept is among ``others`` under one of its names already."""
    concept = lexicon.concepts.get(key.removeprefix(_CONCEPT)) if _CONCEPT in key else None
    return concept is not None and any(name in others for name in (*concept.names, concept.say))


def _text(key: str, lexicon: Lexicon) -> str:
    if not key.startswith(_CONCEPT):
        return key
    concept = lexicon.concepts[key.removeprefix(_CONCEPT)]
    return concept.say if concept.names else f"{concept.say} group"


def _needs(key: str, lexicon: Lexicon) -> list[str]:
    """Concepts that a phrase asserts; none for roles and the like."""
    if key.startswith(_CONCEPT):
        return [key.removeprefix(_CONCEPT)]
    named = said_phrases(f"The molecule is a {key}.", lexicon)
    return sorted(k.removeprefix(_CONCEPT) for k in named if k.startswith(_CONCEPT))


class Hinter:
    """The trained classifier, in numpy.

    Args:
        weights: ``first`` [F, H], ``first_bias`` [H], ``second`` [H, P], ``second_bias`` [P].
    """

    def __init__(self, vocabulary: HintVocabulary, weights: dict[str, FloatArray]) -> None:
        self.vocabulary = vocabulary
        self._weights = weights

    def probabilities(self, profile: Profile) -> FloatArray:
        """Of each phrase, 0 where the structure refutes it: [P].

        One molecule at a time: products of whole batches round differently with their size.
        """
        w = self._weights
        hidden = np.maximum(self.vocabulary.inputs(profile) @ w["first"] + w["first_bias"], 0)
        chances: FloatArray = 1 / (1 + np.exp(-(hidden @ w["second"] + w["second_bias"])))
        return chances * self.vocabulary.possible(profile)

    def hints(self, profile: Profile, limit: int) -> tuple[str, ...]:
        """The likeliest phrases, at most ``limit``, the likeliest first."""
        chances = self.probabilities(profile)
        best = np.argsort(-chances, kind="stable")[:limit]
        return tuple(self.vocabulary.texts[i] for i in best if chances[i] > MIN_PROBABILITY)

    def save(self, directory: Path) -> None:
        """Write ``hints.json`` and ``hints.npz`` (float16)."""
        with atomic_write(directory / VOCABULARY, "w") as file:
            file.write(json.dumps(asdict(self.vocabulary), ensure_ascii=False) + "\n")
        halves = {name: array.astype(np.float16) for name, array in self._weights.items()}
        with atomic_write(directory / WEIGHTS) as file:
            np.savez(file, **halves)  # type: ignore[arg-type]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingError: a file is missing.
            BadDataError: a file is damaged.
        """
        for name in FILES:
            if not (directory / name).is_file():
                raise MissingError(f"{directory}: {name} is missing; run the stage again")
        try:
            stored = json.loads((directory / VOCABULARY).read_text(encoding="utf-8"))
            vocabulary = HintVocabulary(**stored)
            content = io.BytesIO((directory / WEIGHTS).read_bytes())
            with np.load(content, allow_pickle=False) as arrays:
                weights = {name: arrays[name].astype(np.float32) for name in arrays.files}
            hinter = cls(vocabulary, weights)
            hinter.hints(Profile({}, frozenset(), 0, 0, 1), 1)
        except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile) as error:
            raise BadDataError(f"{directory}: damaged hints: {error}") from error
        return hinter
