"""Records to captions: what is not known yet is asked of the captioner, once for each structure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from molcaption.chem.molecule import Molecule, Reject, parse_smiles
from molcaption.claims import Lexicon
from molcaption.data.features import features_of
from molcaption.data.memory import Memory
from molcaption.engine.choice import NEIGHBOURS, choose
from molcaption.engine.mend import mend
from molcaption.engine.questions import questions
from molcaption.engine.runtimes import Generation, Runtime
from molcaption.engine.store import CaptionStore


@dataclass(frozen=True, slots=True)
class Decoding:
    """How captions are made.

    Attributes:
        draws: candidates beside the greedy one.
        mend: put captions together from all candidates, without what is refuted.
        batch_size: captions decoded together; never changes a caption.
        max_new_tokens: longest caption; None for the model's own limit.
    """

    draws: int
    mend: bool
    batch_size: int
    max_new_tokens: int | None


class Captioning:
    """A captioner with all that decides its captions, and the store of those it has made.

    A caption is a function of the canonical SMILES, whatever file its molecule comes from.

    Attributes:
        made: captions that the captioner wrote in this run; the others came from the store.
    """

    def __init__(
        self,
        runtime: Runtime,
        memory: Memory | None,
        lexicon: Lexicon,
        decoding: Decoding,
        store: CaptionStore,
    ) -> None:
        self._runtime = runtime
        self._memory = memory
        self._lexicon = lexicon
        self._decoding = decoding
        self._store = store
        self.made = 0

    def captions(self, records: Sequence[Molecule | Reject]) -> Iterator[Generation]:
        """Captions of the molecules among ``records``, in order."""
        asked = [record.smiles for record in records if isinstance(record, Molecule)]
        known = self._store.known(list(dict.fromkeys(asked)))
        for smiles, caption in self._write([s for s in dict.fromkeys(asked) if s not in known]):
            known[smiles] = caption
            self._store.add(smiles, caption)
            self.made += 1
        return (known[smiles] for smiles in asked)

    def _write(self, smiles: Sequence[str]) -> Iterator[tuple[str, Generation]]:
        """New captions, each as soon as it is done."""
        memory, vocabulary = self._memory, self._runtime.vocabulary
        found = features_of(smiles, self._lexicon) if memory or vocabulary else []
        made = self._runtime.stream(
            questions(smiles, vocabulary, self._lexicon, found),
            draws=self._decoding.draws,
            batch_size=self._decoding.batch_size,
            max_new_tokens=self._decoding.max_new_tokens,
        )
        decide = mend if self._decoding.mend else choose
        for place, candidates in made:
            near = memory.neighbours(found[place], NEIGHBOURS) if memory else ()
            mol = parse_smiles(smiles[place])
            yield smiles[place], decide(candidates, near, mol, self._lexicon)
