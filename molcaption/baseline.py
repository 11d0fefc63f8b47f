"""`baseline`: captions without a model, for every system to be compared with.

The caption of the nearest training molecule, by fingerprint (`nearest`), by what the claims engine
finds in both (`profile`) or by a captioner's own encoder (`embedding`); one constant caption for
all; or a random training caption. A captioner that does not beat `nearest` has learnt to look up;
one near `constant` has learnt the phrases of its corpus only. What `embedding` finds is what the
encoder alone knows, without a decoder.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molcaption import __version__
from molcaption.chem.graph import featurise
from molcaption.chem.molecule import Molecule, Reject, parse_smiles
from molcaption.claims import load_lexicon
from molcaption.data.captioned import read_captioned
from molcaption.data.features import Features, features_of
from molcaption.data.memory import VectorTable, vector
from molcaption.data.readers import read_molecules
from molcaption.data.windows import windows
from molcaption.data.writers import check_target, open_writer
from molcaption.engine.graph_vectors import load_graph_vectors
from molcaption.errors import UsageError
from molcaption.metrics.medoid import medoid
from molcaption.metrics.retrieval import FingerprintIndex, Neighbour, VectorIndex
from molcaption.metrics.tokenizers import split_words

log = logging.getLogger(__name__)
WINDOW = 1000  # rows per write


@dataclass(frozen=True)
class Training:
    """The captioned molecules that baselines copy from, and how they are asked.

    ``seed`` is for `random`, ``model`` for `embedding`.
    """

    molecules: Sequence[Molecule]
    index: FingerprintIndex
    seed: int
    model: str | Path | None

    def captions(self) -> list[str]:
        """One description per molecule."""
        return [molecule.description or "" for molecule in self.molecules]

    def measured(self, molecule: Molecule, index: int) -> Neighbour:
        """The training molecule at ``index`` with its Tanimoto similarity to ``molecule``."""
        return Neighbour(index, self.index.similarity(molecule.mol, index))


Choose = Callable[[Sequence[Molecule]], list[Neighbour]]


def choose_nearest(training: Training) -> Choose:
    """The most similar training molecule by Morgan fingerprint; of equals the first."""
    return lambda molecules: [training.index.nearest(molecule.mol)[0] for molecule in molecules]


def choose_by_profile(training: Training) -> Choose:
    """The molecule that `caption --memory` takes for the nearest (see data/memory.py)."""
    lexicon = load_lexicon()

    def read(molecules: Sequence[Molecule]) -> list[Features]:
        return [vector(f) for f in features_of([m.smiles for m in molecules], lexicon)]

    table = VectorTable.of(read(training.molecules))
    return lambda molecules: [
        training.measured(molecule, int(table.products(query).argmax()))
        for molecule, query in zip(molecules, read(molecules), strict=True)
    ]


def choose_by_embedding(training: Training) -> Choose:
    """The training molecule nearest in an encoder's space, by cosine similarity."""
    assert training.model is not None  # `baseline` has seen to that
    vectors = load_graph_vectors(training.model)

    def embed(molecules: Sequence[Molecule]) -> npt.NDArray[np.float64]:
        # The graph of the canonical SMILES, as when captioning
        return vectors([featurise(parse_smiles(molecule.smiles)) for molecule in molecules])

    known = VectorIndex(embed(training.molecules))

    def choose(molecules: Sequence[Molecule]) -> list[Neighbour]:
        if not molecules:
            return []
        places = known.nearest(embed(molecules)).tolist()
        return [training.measured(*pair) for pair in zip(molecules, places, strict=True)]

    return choose


def choose_constant(training: Training) -> Choose:
    """The training caption with the highest corpus BLEU-4 (word tokens) against all of them."""
    best, bleu4 = medoid(split_words(training.captions()))
    log.info("constant caption: BLEU-4 %.4f against its own corpus", bleu4)
    return lambda molecules: [training.measured(molecule, best) for molecule in molecules]


def choose_random(training: Training) -> Choose:
    """A training caption drawn by seed and record number, whatever else is in the input."""

    def choose(molecule: Molecule) -> Neighbour:
        drawn = random.Random(f"{training.seed}:{molecule.record}")
        return training.measured(molecule, drawn.randrange(len(training.molecules)))

    return lambda molecules: [choose(molecule) for molecule in molecules]


KINDS: dict[str, Callable[[Training], Choose]] = {
    "nearest": choose_nearest,
    "profile": choose_by_profile,
    "embedding": choose_by_embedding,
    "constant": choose_constant,
    "random": choose_random,
}


def baseline(
    train: str | Path,
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    kind: str = "nearest",
    model: str | Path | None = None,
    styles: Sequence[str] | None = None,
    seed: int = 0,
    smiles_column: str | None = None,
    id_column: str | None = None,
    description_column: str | None = None,
    limit: int | None = None,
) -> int:
    """Write one caption per record of ``input``, copied from ``train``; the number of records.

    Columns: ``record``, ``id``, ``smiles``, ``caption``, ``similarity`` (Tanimoto to the molecule
    copied from), ``neighbour`` (its id), ``error``. A record that cannot be read gets a row with
    its reason and no caption.

    Args:
        train: molecules with descriptions.
        kind: a name from `KINDS`.
        model: for ``embedding`` only: a bundle, a merged model or the folder of a run.
        styles: copy only from rows whose ``style`` column is one of these.
        seed: for ``random`` only.

    Raises:
        UsageError: no such kind, or ``embedding`` without a model, or a model without it.
        MissingError: no such model.
        BadDataError: no training row has a description, or none is of the styles.
    """
    if kind not in KINDS:
        raise UsageError(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    if (kind == "embedding") != (model is not None):
        raise UsageError("kind embedding needs a model, and no other kind does")
    read = partial(read_molecules, smiles_column=smiles_column, id_column=id_column)
    paths = [input] if isinstance(input, str | Path) else input
    check_target(output, [train, *paths])
    metadata = {
        "molcaption": __version__,
        "baseline": kind,
        "train": str(train),
        "model": "" if model is None else str(model),
        "styles": ",".join(styles or ()),
        "seed": str(seed),
    }
    n_records = n_rejects = 0
    # Opened first: an output that cannot be written should not cost the reading of the training.
    with open_writer(output, metadata=metadata) as writer:
        molecules = read_captioned(
            train,
            styles,
            smiles_column=smiles_column,
            id_column=id_column,
            description_column=description_column,
        )
        training = Training(molecules, FingerprintIndex(m.mol for m in molecules), seed, model)
        choose = KINDS[kind](training)
        for window in windows(read(paths, limit=limit), WINDOW):
            found = iter(choose([record for record in window if isinstance(record, Molecule)]))
            writer.write([_row(record, found, training) for record in window])
            n_records += len(window)
            n_rejects += sum(isinstance(record, Reject) for record in window)
    log.info("%d records, %d rejected", n_records, n_rejects)
    return n_records


def _row(
    record: Molecule | Reject, found: Iterator[Neighbour], training: Training
) -> dict[str, Any]:
    """One row of the output; ``found`` holds a neighbour for each molecule to come."""
    row: dict[str, Any] = {"record": record.record, "id": record.id}
    if isinstance(record, Reject):
        empty = dict.fromkeys(("caption", "similarity", "neighbour"))
        return {**row, "smiles": record.text, **empty, "error": record.reason}
    copied = next(found)
    source = training.molecules[copied.index]
    return {
        **row,
        "smiles": record.smiles,
        "caption": source.description,
        "similarity": copied.similarity,
        "neighbour": source.id,
        "error": None,
    }
