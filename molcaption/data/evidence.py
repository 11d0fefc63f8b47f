"""What the prompts of training pairs show beside the SMILES: hints and similar captions.

Both must look as they will for an unseen molecule. So a pair's hints come from a classifier that
never saw its skeleton (k-fold), and its neighbours never share its skeleton.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from molcaption.data.atomic import atomic_write
from molcaption.data.prompt import Neighbour
from molcaption.errors import BadDataError, MissingError

TRAINING = "evidence.jsonl"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hints and neighbours of one molecule."""

    hints: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


NONE = Evidence()


@dataclass(frozen=True, slots=True)
class Showing:
    """How much of its evidence a training prompt shows, so that a captioner needs none of it.

    Attributes:
        hint_dropout: share of the hints left out; as often, a prompt shows none at all.
        neighbour_share: probability that neighbours are shown, the nearest one or all.
    """

    hint_dropout: float = 0.0
    neighbour_share: float = 1.0

    def choose(self, evidence: Evidence, rng: random.Random) -> Evidence:
        """What one showing of a molecule reveals."""
        hints, neighbours = evidence.hints, evidence.neighbours
        if rng.random() < self.hint_dropout:
            hints = ()
        if rng.random() >= self.neighbour_share:
            neighbours = ()
        return Evidence(
            tuple(hint for hint in hints if rng.random() >= self.hint_dropout),
            neighbours[: rng.randint(1, max(1, len(neighbours)))],
        )


ALL = Showing()
WITHOUT_NEIGHBOURS = Showing(neighbour_share=0.0)


def write_evidence(directory: Path, evidence: Mapping[str, Evidence]) -> None:
    """Write ``evidence.jsonl``, one molecule (canonical SMILES) a line."""
    with atomic_write(directory / TRAINING, "w") as file:
        for smiles, known in evidence.items():
            row = {"smiles": smiles, **asdict(known)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_evidence(directory: Path) -> dict[str, Evidence]:
    """Evidence by canonical SMILES.

    Raises:
        MissingError: the hints have not been trained.
        BadDataError: the file is damaged.
    """
    path = directory / TRAINING
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return {row["smiles"]: _evidence(row) for row in map(json.loads, lines)}
    except FileNotFoundError as error:
        raise MissingError(f"{path}: no such file; run `molcaption pretrain RECIPE`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError(f"{path}: damaged ({error}); train the hints again") from error


def _evidence(row: Mapping[str, Any]) -> Evidence:
    neighbours: Sequence[Mapping[str, Any]] = row["neighbours"]
    return Evidence(tuple(row["hints"]), tuple(Neighbour(**near) for near in neighbours))
