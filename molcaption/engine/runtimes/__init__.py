"""Ways to run a captioner: one protocol, one class per engine, chosen by what a path holds.

Runtimes are imported when they are asked for: captioning with a bundle must not import torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, Self

from molcaption.data.features import FeatureVocabulary
from molcaption.engine import BATCH_SIZE, bundle
from molcaption.engine.hashes import directory_sha256
from molcaption.engine.questions import Question
from molcaption.errors import MissingError, UsageError

RUNTIMES = {
    "manifest.json": ("molcaption.engine.runtimes.onnx", "OnnxRuntime"),
    "captioner.json": ("molcaption.engine.runtimes.torch", "TorchRuntime"),
}
"""File that marks a kind of model -> module and class that run it."""
_STRONGEST = 10
"""Beyond such a penalty nothing but length would matter."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One caption.

    Attributes:
        text: the caption, without special tokens.
        confidence: exp of the mean log-probability of its tokens, the end token included; None for
            a caption that the captioner did not write but found in a memory.
        ended: False where the token limit cut it off.
    """

    text: str
    confidence: float | None
    ended: bool


@dataclass(frozen=True, slots=True)
class Beams:
    """How a molecule's first caption is searched for.

    Attributes:
        width: hypotheses that are followed at a time; 1 is greedy search.
        length_penalty: of captions, the one with the largest log-probability / length ** penalty
            wins: above 0 longer ones are favoured, as transformers defines it.
    """

    width: int = 1
    length_penalty: float = 1.0

    @classmethod
    def of(cls, width: int, length_penalty: float | None) -> Self:
        """What a user asks for.

        Raises:
            UsageError: no beams, or a length penalty that would change nothing or overflow.
        """
        if width < 1:
            raise UsageError(f"--beams {width}: expected 1 or more")
        if length_penalty is None:
            return cls(width)
        if width == 1:
            raise UsageError("--length-penalty chooses among beams: say how many with --beams")
        if not abs(length_penalty) <= _STRONGEST:
            raise UsageError(
                f"--length-penalty {length_penalty}: expected -{_STRONGEST} to {_STRONGEST}"
            )
        return cls(width, length_penalty)


GREEDY = Beams()


class CaptionQueue(Protocol):
    """Molecules in, captions out, each as soon as it is done."""

    @property
    def hungry(self) -> bool:
        """Whether there could soon be room for more molecules than wait."""
        ...

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing is in the making."""
        ...

    def add(self, molecules: Sequence[Question]) -> None:
        """Put molecules at the end."""
        ...

    def step(self) -> list[tuple[int, list[Generation]]]:
        """Go on with a queue that is not empty; the captions that this completes, often none.

        Molecules are told by their places, counted from the first that was ever added. Of each the
        greedy caption, or that of the beams, then the drawn ones (engine/draws.py).
        """
        ...


class Runtime(Protocol):
    """A loaded captioner. A caption never depends on its batch-mates.

    Attributes:
        name: of the captioner.
        model_hash: changes with anything that could change a caption.
        vocabulary: the features that it reads; None for one that looks at graphs alone.
        draws: candidates beside the greedy one that its maker found best.
    """

    name: str
    model_hash: str
    vocabulary: FeatureVocabulary | None
    draws: int

    def queue(
        self,
        *,
        draws: int = 0,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> CaptionQueue:
        """A queue of its own; one at a time.

        Args:
            batch_size: hypotheses in the making at a time.

        Raises:
            UsageError: more ``max_new_tokens`` than the model has positions for.
        """
        ...

    def candidates(
        self,
        molecules: Sequence[Question],
        *,
        draws: int = 0,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> list[list[Generation]]:
        """All candidates of each molecule, in the order of ``molecules``."""
        queue = self.queue(
            draws=draws,
            beams=beams,
            batch_size=min(batch_size, len(molecules) * (beams.width + draws)),
            max_new_tokens=max_new_tokens,
        )
        queue.add(molecules)
        made: dict[int, list[Generation]] = {}
        while not queue.empty:
            made.update(queue.step())
        return [made[place] for place in range(len(molecules))]

    def generate(
        self,
        molecules: Sequence[Question],
        *,
        beams: Beams = GREEDY,
        batch_size: int = BATCH_SIZE,
        max_new_tokens: int | None = None,
    ) -> list[Generation]:
        """The first caption of each molecule, in the order of ``molecules``."""
        made = self.candidates(
            molecules, beams=beams, batch_size=batch_size, max_new_tokens=max_new_tokens
        )
        return [first for (first,) in made]

    def score(
        self, molecules: Sequence[Question], caption: str, *, batch_size: int = BATCH_SIZE
    ) -> list[float]:
        """Log-probability of one caption given each molecule, in nats, the end token included.

        The captioner is led through the caption token by token (teacher forcing). Scored is the
        distribution that it was trained on: the ban on repeated runs is a rule of decoding, and a
        caption from elsewhere may break it. Of a caption beyond `max_new_tokens` the rest is cut.
        """
        ...


def load_runtime(path: str | Path, *, threads: int | None = None) -> Runtime:
    """Load whatever captioner lies at ``path``.

    Args:
        threads: CPU threads; all cores if None.

    Raises:
        MissingError: neither a bundle nor a model directory.
        BadDataError: it is damaged.
    """
    module, name = RUNTIMES[_marker(path)]
    runtime: Runtime = getattr(import_module(module), name).load(path, threads=threads)
    return runtime


def model_hash(path: str | Path) -> str:
    """The ``model_hash`` of the runtime that would be loaded from ``path``, without loading it.

    Raises:
        MissingError, BadDataError: as `load_runtime`.
    """
    if _marker(path) == bundle.MANIFEST:
        return bundle.load_manifest(path).model_hash
    return directory_sha256(Path(path))


def can_use_gpu(path: str | Path) -> bool:
    """Whether the runtime that would be loaded from ``path`` runs on a GPU where there is one.

    Raises:
        MissingError: as `load_runtime`.
    """
    return _marker(path) != bundle.MANIFEST


def _marker(path: str | Path) -> str:
    for marker in RUNTIMES:
        if (Path(path) / marker).is_file():
            return marker
    what = "has no manifest.json" if Path(path).is_dir() else "is no directory"
    raise MissingError(
        f"model {path}: {what}; give a bundle (made by `molcaption export`) or a merged model "
        "directory (made by `molcaption merge`)"
    )
