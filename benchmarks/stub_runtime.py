"""A captioner that costs nothing, to measure all the rest of `caption`.

`use_stub` puts it in the place of the model for this process.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from molcaption.data.features import FeatureVocabulary
from molcaption.engine import captioning, job
from molcaption.engine.questions import Question
from molcaption.engine.runtimes import Generation, Runtime
from molcaption.engine.runtimes.lots import LotQueue

CAPTION = (
    "The molecule is a monocarboxylic acid that is acetic acid substituted by a phenyl group. It "
    "is a member of benzenes, a primary alcohol and a ketone. It is a conjugate acid of an anion."
)


class StubRuntime(Runtime):
    """Says nearly the same of every molecule, at once."""

    name, model_hash, draws = "stub", "stub", 0
    vocabulary: FeatureVocabulary | None = None

    def queue(self, *, draws: int = 0, **_: Any) -> LotQueue:
        """See `Runtime.queue`."""

        def make(molecules: Sequence[Question]) -> Iterator[tuple[int, list[Generation]]]:
            for place, (_, smiles) in enumerate(molecules):
                texts = [f"{CAPTION} It is written {smiles}." + " It is an ester." * n
                         for n in range(1 + draws)]  # fmt: skip
                yield place, [Generation(text, 0.5, True) for text in texts]

        return LotQueue(make)


def use_stub() -> dict[str, Any]:
    """Have `caption` use the stub; the options to call it with."""
    captioning.load_runtime = lambda *_, **__: StubRuntime()
    job.model_hash = lambda _: "stub"
    return {"model": Path("stub")}
