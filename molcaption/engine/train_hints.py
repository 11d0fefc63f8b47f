"""Trains the hints of a recipe, and writes what the prompts of its training pairs will show.

``RUN/hints/`` receives the classifier over all pairs (``hints.json``, ``hints.npz``: for molecules
never seen) and ``evidence.jsonl`` (for the training pairs themselves, see data/evidence.py).
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from molcaption.claims import Profile, load_lexicon
from molcaption.data.evidence import Evidence, write_evidence
from molcaption.data.hints import Hinter, HintVocabulary, said_phrases
from molcaption.data.memory import (
    Memory,
    Vector,
    VectorTable,
    profiles_of,
    skeleton,
    vectors_of,
)
from molcaption.data.pairs import Pair
from molcaption.data.prompt import Neighbour
from molcaption.engine.checkpoint import seed_everything
from molcaption.engine.loop import LoopSettings, fit
from molcaption.engine.stage_hints import Arrays, HintObjective
from molcaption.nn.hints import HintClassifier

_log = logging.getLogger(__name__)
HINTS = "hints"
"""Folder of a run that holds all this."""
_Trainer = Callable[[Sequence[int], str], Hinter]
"""Trains on the chosen of the pairs learnt from; the text names the folder."""


@dataclass(frozen=True)
class HintSettings:
    """What a recipe says about hints.

    Attributes:
        hints, neighbours: the most that a prompt shows of each.
        styles: of the pairs to learn from and to find neighbours among; all if None.
        hidden: H of the classifier.
        folds: K; each classifier of the cross-fitting sees (K - 1) / K of the skeletons.
    """

    hints: int
    neighbours: int
    styles: Sequence[str] | None
    hidden: int
    folds: int
    batch_size: int
    seed: int
    loop: LoopSettings


@dataclass(frozen=True)
class _Known:
    """Pairs with what is computed from their structures."""

    pairs: Sequence[Pair]
    profiles: list[Profile]
    skeletons: list[str]

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "_Known":
        smiles = [pair.smiles for pair in pairs]
        return cls(pairs, profiles_of(smiles, load_lexicon()), [skeleton(s) for s in smiles])

    def select(self, chosen: Sequence[int]) -> "_Known":
        return _Known(
            [self.pairs[i] for i in chosen],
            [self.profiles[i] for i in chosen],
            [self.skeletons[i] for i in chosen],
        )

    def vectors(self) -> list[Vector]:
        return vectors_of([pair.smiles for pair in self.pairs], self.profiles)

    @cached_property
    def said(self) -> list[set[str]]:
        lexicon = load_lexicon()
        return [said_phrases(pair.description, lexicon) for pair in self.pairs]


def train_hints(
    directory: Path, pairs: Sequence[Pair], dev: Sequence[Pair], settings: HintSettings, key: str
) -> None:
    """Fill ``directory``; goes on from the checkpoints of an interrupted run.

    Args:
        pairs: of all styles; each gets evidence.
        dev: pairs to measure on.
        key: names the recipe's settings, see `checkpoint.load`.
    """
    unique = list({pair.smiles: pair for pair in pairs}.values())
    _log.info("hints: reading the structures of %d molecules", len(unique))
    everyone, held_out = _Known.of(unique), _Known.of(dev)
    place = {pair.smiles: i for i, pair in enumerate(unique)}
    wanted = [p for p in pairs if settings.styles is None or p.style in settings.styles]
    learnt = replace(everyone.select([place[pair.smiles] for pair in wanted]), pairs=wanted)
    vocabulary = HintVocabulary.learn(learnt.profiles, learnt.said, load_lexicon())
    _log.info("hints: %d phrases, %d features", len(vocabulary.keys), len(vocabulary.features))

    features, targets = _arrays(vocabulary, learnt)
    dev_arrays = _arrays(vocabulary, held_out)

    def trained(chosen: Sequence[int], label: str) -> Hinter:
        part = features[list(chosen)], targets[list(chosen)]
        return _train(vocabulary, part, dev_arrays, settings, directory / label, key)

    hints = _cross_fitted(everyone, learnt, trained, settings)
    final = trained(range(len(learnt.pairs)), "all")
    hints += [final.hints(profile, settings.hints) for profile in held_out.profiles]
    neighbours = _neighbours([everyone, held_out], learnt, settings.neighbours)
    write_evidence(
        directory,
        {
            pair.smiles: Evidence(shown, near)
            for pair, shown, near in zip([*unique, *dev], hints, neighbours, strict=True)
        },
    )
    final.save(directory)


def _train(
    vocabulary: HintVocabulary,
    train: Arrays,
    dev: Arrays,
    settings: HintSettings,
    directory: Path,
    key: str,
) -> Hinter:
    seed_everything(settings.seed)
    model = HintClassifier(len(vocabulary.features), settings.hidden, len(vocabulary.keys))
    objective = HintObjective(model, train, dev, batch_size=settings.batch_size, seed=settings.seed)
    fit(objective, settings.loop, directory, key=key, label=f"hints {directory.name}")
    return Hinter(vocabulary, model.arrays())


def _arrays(vocabulary: HintVocabulary, known: _Known) -> Arrays:
    inputs = np.stack([vocabulary.inputs(profile) for profile in known.profiles])
    return inputs, vocabulary.targets(known.said)


def _cross_fitted(
    everyone: _Known, learnt: _Known, trained: _Trainer, settings: HintSettings
) -> list[tuple[str, ...]]:
    """Hints of everyone, each from a classifier that never saw its skeleton."""
    mine = np.array([_fold(s, settings.folds) for s in learnt.skeletons])
    theirs = np.array([_fold(s, settings.folds) for s in everyone.skeletons])
    hints: list[tuple[str, ...]] = [()] * len(everyone.pairs)
    for fold in range(settings.folds):
        hinter = trained(np.flatnonzero(mine != fold).tolist(), f"fold-{fold}")
        for i in np.flatnonzero(theirs == fold).tolist():
            hints[i] = hinter.hints(everyone.profiles[i], settings.hints)
    return hints


def _fold(skeleton: str, folds: int) -> int:
    return int(hashlib.sha256(skeleton.encode()).hexdigest(), 16) % folds


def _neighbours(
    groups: Sequence[_Known], learnt: _Known, limit: int
) -> list[tuple[Neighbour, ...]]:
    """Of each molecule, the nearest ones of another skeleton among those learnt from."""
    if not limit:
        return [()] * sum(len(known.pairs) for known in groups)
    memory = Memory(
        VectorTable.of(learnt.vectors()),
        [pair.description for pair in learnt.pairs],
        learnt.skeletons,
    )
    return [
        memory.neighbours(query, limit, without=own)
        for known in groups
        for query, own in zip(known.vectors(), known.skeletons, strict=True)
    ]
