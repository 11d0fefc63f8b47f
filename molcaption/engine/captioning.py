"""Records to captions: what is not known yet is asked of the captioner, once for each structure.

Workers look at the structures of a window of records, the captioner writes candidates, and workers
choose among them. Structures go to the captioner as soon as it wants some that have been looked at,
so that it never waits for the rest of a window, neither before it begins nor for its last captions;
a window comes out once all its captions are chosen. A structure that a worker is lost on becomes a
reject.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from molcaption.chem.molecule import Molecule, Record, parse_smiles
from molcaption.claims import Lexicon
from molcaption.data.features import Features, FeatureVocabulary, MoleculeView, features_of, views
from molcaption.data.memory import Memory, Neighbour
from molcaption.data.memory_file import load_memory
from molcaption.data.windows import one_ahead
from molcaption.engine.choice import NEIGHBOURS, choose
from molcaption.engine.mend import mend
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Beams, CaptionQueue, Generation, Runtime, load_runtime
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


Captions = list[Generation | Lost]
"""Those of the molecules of a window, in order."""
_HELD = 2
"""Windows whose captions are in the making: a second one fills the slots that the first leaves."""


@dataclass(slots=True)
class _Window:
    """Records whose captions are being made.

    Attributes:
        fresh: structures that no earlier window asked for.
        unseen: those of them, at the end, that nobody has looked at yet.
        missing: how many of them have no caption yet.
    """

    records: Sequence[Record]
    fresh: Sequence[str]
    looks: Batch[Look]
    unseen: deque[str]
    missing: int


class _Asked(NamedTuple):
    """A structure that the captioner was asked about."""

    window: _Window
    smiles: str
    features: Features


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
        self._windows: deque[_Window] = deque()
        self._asked: dict[int, _Asked] = {}
        self._places = count()
        self._choices: deque[tuple[_Asked, Batch[Generation]]] = deque()
        self._in_flight: set[str] = set()
        self._lost: dict[str, Lost] = {}
        self._rested: float | None = None
        self._idle = self._busy = 0.0
        self.made = 0

    @property
    def idle_share(self) -> float | None:
        """Share of the time between its first and its last caption in which the decoder waited."""
        return self._idle / (self._idle + self._busy) if self._busy else None

    def captions(self, records: Sequence[Record]) -> Captions:
        """Captions of the molecules among ``records``, in order."""
        ((_, captions),) = self.run([records])
        return captions

    def run(
        self, windows: Iterable[Sequence[Record]]
    ) -> Iterator[tuple[Sequence[Record], Captions]]:
        """Each window with its captions, in order."""
        decoding = self._decoding
        queue = self._runtime.queue(
            draws=decoding.draws,
            beams=decoding.beams,
            batch_size=decoding.batch_size,
            max_new_tokens=decoding.max_new_tokens,
        )
        for window in one_ahead(map(self._begin, windows)):
            self._windows.append(window)
            yield from self._complete()
            while window.unseen or len(self._windows) > _HELD:
                if window.unseen and queue.hungry:
                    queue.add(self._questions(window, wait=queue.empty))
                self._advance(queue)
                yield from self._complete()
        while self._windows:
            self._advance(queue)
            yield from self._complete()

    def _begin(self, records: Sequence[Record]) -> _Window:
        """Find out which structures are new, and have them looked at."""
        asked = _structures(records)
        known = self._store.known(asked)
        skipped = known.keys() | self._in_flight | self._lost.keys()
        fresh = [smiles for smiles in asked if smiles not in skipped]
        self._in_flight.update(fresh)
        question = partial(
            look, vocabulary=self._runtime.vocabulary, compared=self._memory is not None
        )
        looks = self._workers.submit(question, fresh)
        return _Window(records, fresh, looks, deque(fresh), len(fresh))

    def _questions(self, window: _Window, *, wait: bool) -> list[Question]:
        """What to ask the captioner next: structures that have been looked at, if there are any."""
        questions: list[Question] = []
        for found in window.looks.take(wait=wait):
            smiles = window.unseen.popleft()
            if isinstance(found, Lost):
                self._lost[smiles] = found
                window.missing -= 1
                continue
            view, features = found
            self._asked[next(self._places)] = _Asked(window, smiles, features)
            questions.append((view, smiles))
        return questions

    def _advance(self, queue: CaptionQueue) -> None:
        """One step of the captioner; once it has nothing to do, wait for a caption."""
        if not queue.empty:
            for place, candidates in self._timed(queue):
                self._choose(self._asked.pop(place), candidates)
        elif self._choices:
            self._keep()
        while self._choices and self._choices[0][1].done():
            self._keep()

    def _choose(self, asked: _Asked, candidates: Sequence[Generation]) -> None:
        """Have the workers decide which candidate becomes the caption."""
        near = self._memory.neighbours(asked.features, NEIGHBOURS) if self._memory else ()
        chosen = self._workers.submit(
            partial(decide, mended=self._decoding.mend),
            [(asked.smiles, candidates, near)],
            urgent=True,
        )
        self._choices.append((asked, chosen))

    def _keep(self) -> None:
        """Store the caption that was asked for longest ago."""
        asked, batch = self._choices.popleft()
        (chosen,) = batch.results()
        if isinstance(chosen, Lost):
            self._lost[asked.smiles] = chosen
        else:
            self._store.add(asked.smiles, chosen)
            self.made += 1
        asked.window.missing -= 1

    def _complete(self) -> Iterator[tuple[Sequence[Record], Captions]]:
        """The windows whose captions are all there, but for those behind one that waits."""
        while self._windows and not self._windows[0].missing:
            window = self._windows.popleft()
            self._in_flight.difference_update(window.fresh)
            known: dict[str, Generation | Lost] = {}
            known.update(self._store.known(_structures(window.records)))
            known.update(self._lost)
            records = window.records
            yield records, [known[r.smiles] for r in records if isinstance(r, Molecule)]

    def _timed(self, queue: CaptionQueue) -> list[tuple[int, list[Generation]]]:
        """A step of the captioner, with its working time and the rest before it counted."""
        start = time.monotonic()
        if self._rested is not None:
            self._idle += start - self._rested
        made = queue.step()
        self._rested = time.monotonic()
        self._busy += self._rested - start
        return made


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
