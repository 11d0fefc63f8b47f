"""Records to captions: what is not known yet is asked of the captioner, once for each structure.

A window of records goes through three stations, so that the decoder need not wait for the rest:
`begin` has the workers look at its structures, `decode` runs the captioner and hands the candidates
of each molecule to the workers, which choose, and `finish` collects. While one window is decoded
the workers look at the next one. A structure that a worker is lost on becomes a reject.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from molcaption.chem.molecule import Molecule, Record, parse_smiles
from molcaption.claims import Lexicon
from molcaption.data.features import Features, FeatureVocabulary, MoleculeView, features_of, views
from molcaption.data.memory import Memory, Neighbour
from molcaption.data.memory_file import load_memory
from molcaption.engine.choice import NEIGHBOURS, choose
from molcaption.engine.mend import mend
from molcaption.engine.runtimes import Beams, Generation, Runtime, load_runtime
from molcaption.engine.store import CaptionStore
from molcaption.workers import Batch, Lost, Workers

Look = tuple[MoleculeView, Features]
"""What the captioner sees of a structure, and what its neighbours are found by, if they are."""
Candidates = tuple[str, Sequence[Generation], Sequence[Neighbour]]
"""A structure, the captioner's captions of it, and captions of similar molecules."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How captions are made.

    Attributes:
        draws: drawn candidates beside the first.
        beams: how the first candidate is found.
        mend: put captions together from all candidates, without what is refuted.
        batch_size: captions decoded together; never changes a caption.
        max_new_tokens: longest caption; None for the model's own limit.
    """

    draws: int
    beams: Beams
    mend: bool
    batch_size: int
    max_new_tokens: int | None


class LoadedCaptioner(NamedTuple):
    """A model, the captions that it knows beside, and how to decode."""

    runtime: Runtime
    memory: Memory | None
    decoding: Decoding


def load_captioner(
    directory: Path,
    lexicon: Lexicon,
    *,
    memory: str | Path | None,
    memory_styles: Sequence[str] | None,
    draws: int | None,
    beams: Beams,
    mend: bool,
    batch_size: int,
    max_new_tokens: int | None,
    threads: int | None,
) -> LoadedCaptioner:
    """Load a captioner; the options are those of `molcaption.caption.caption`.

    Raises:
        MissingError, BadDataError: as `load_runtime`.
        NoInputError, BadDataError: as `load_memory`.
    """
    runtime = load_runtime(directory, threads=threads)
    known = None if memory is None else load_memory(memory, lexicon, memory_styles)
    drawn = runtime.draws if draws is None else draws
    decoding = Decoding(drawn, beams, mend, batch_size, max_new_tokens)
    return LoadedCaptioner(runtime, known, decoding)


@dataclass(frozen=True, slots=True)
class Window:
    """Records whose new structures are being looked at."""

    records: Sequence[Record]
    fresh: Sequence[str]
    looks: Batch[Look]


class Captioning:
    """A captioner with all that decides its captions, and the store of those it has made.

    A caption is a function of the canonical SMILES, whatever file its molecule comes from.

    Args:
        workers: share the lexicon; by default there are none.

    Attributes:
        made: captions that the captioner wrote in this run; the others came from the store.
    """

    def __init__(
        self,
        captioner: LoadedCaptioner,
        lexicon: Lexicon,
        store: CaptionStore,
        workers: Workers[Lexicon] | None = None,
    ) -> None:
        self._runtime, self._memory, self._decoding = captioner
        self._store = store
        self._workers = workers or Workers(0, lambda: lexicon)
        self._choices: deque[tuple[str, Batch[Generation]]] = deque()
        self._in_flight: set[str] = set()
        self._lost: dict[str, Lost] = {}
        self._rested: float | None = None
        self._idle = self._busy = 0.0
        self.made = 0

    @property
    def idle_share(self) -> float | None:
        """Share of the time between its first and its last caption in which the decoder waited."""
        return self._idle / (self._idle + self._busy) if self._busy else None

    def captions(self, records: Sequence[Record]) -> Iterator[Generation | Lost]:
        """Captions of the molecules among ``records``, in order."""
        window = self.begin(records)
        self.decode(window)
        return self.finish(window)

    def begin(self, records: Sequence[Record]) -> Window:
        """Find out which structures are new, and have them looked at."""
        asked = _structures(records)
        known = self._store.known(asked)
        skipped = known.keys() | self._in_flight | self._lost.keys()
        fresh = [smiles for smiles in asked if smiles not in skipped]
        self._in_flight.update(fresh)
        question = partial(
            look, vocabulary=self._runtime.vocabulary, compared=self._memory is not None
        )
        return Window(records, fresh, self._workers.submit(question, fresh))

    def decode(self, window: Window) -> None:
        """Write the captions of the new structures; which candidate it is, the workers decide."""
        looks = dict(zip(window.fresh, window.looks.results(), strict=True))
        self._lost |= {s: found for s, found in looks.items() if isinstance(found, Lost)}
        seen = [(s, found) for s, found in looks.items() if not isinstance(found, Lost)]
        if not seen:
            return
        made = self._runtime.stream(
            [(view, smiles) for smiles, (view, _) in seen],
            draws=self._decoding.draws,
            beams=self._decoding.beams,
            batch_size=self._decoding.batch_size,
            max_new_tokens=self._decoding.max_new_tokens,
        )
        for place, candidates in self._timed(made):
            smiles, (_, features) = seen[place]
            near = self._memory.neighbours(features, NEIGHBOURS) if self._memory else ()
            question = (smiles, candidates, near)
            chosen = self._workers.submit(
                partial(decide, mended=self._decoding.mend), [question], urgent=True
            )
            self._choices.append((smiles, chosen))
            while self._choices and self._choices[0][1].done():
                self._keep()

    def finish(self, window: Window) -> Iterator[Generation | Lost]:
        """Captions of the molecules of a decoded window, in order; windows finish in order too."""
        while self._choices:
            self._keep()
        self._in_flight.difference_update(window.fresh)
        known: dict[str, Generation | Lost] = {}
        known.update(self._store.known(_structures(window.records)))
        known.update(self._lost)
        return iter([known[r.smiles] for r in window.records if isinstance(r, Molecule)])

    def _keep(self) -> None:
        """Store the caption that was chosen longest ago."""
        smiles, batch = self._choices.popleft()
        (chosen,) = batch.results()
        if isinstance(chosen, Lost):
            self._lost[smiles] = chosen
        else:
            self._store.add(smiles, chosen)
            self.made += 1

    def _timed(
        self, made: Iterator[tuple[int, list[Generation]]]
    ) -> Iterator[tuple[int, list[Generation]]]:
        """What the runtime makes, with its working time and its rests counted."""
        while True:
            start = time.monotonic()
            if self._rested is not None:
                self._idle += start - self._rested
            item = next(made, None)
            self._rested = time.monotonic()
            self._busy += self._rested - start
            if item is None:
                return
            yield item


def look(
    smiles: str, lexicon: Lexicon, *, vocabulary: FeatureVocabulary | None, compared: bool
) -> Look:
    """What a captioner with ``vocabulary`` sees of a structure, and all features for a comparison.

    The graph is made of the SMILES, as in training (engine/questions.py).
    """
    features: Features = {}
    if compared or vocabulary is not None:
        (features,) = features_of([smiles], lexicon, None if compared else vocabulary)
    (view,) = views([smiles], vocabulary, [features])
    # Names are long, and the view holds what the captioner reads of them.
    return view, features if compared else {}


def decide(question: Candidates, lexicon: Lexicon, *, mended: bool) -> Generation:
    """The best candidate, or what is put together from all."""
    smiles, candidates, near = question
    return (mend if mended else choose)(candidates, near, parse_smiles(smiles), lexicon)


def _structures(records: Sequence[Record]) -> list[str]:
    """Each structure once, in order."""
    return list(dict.fromkeys(r.smiles for r in records if isinstance(r, Molecule)))
