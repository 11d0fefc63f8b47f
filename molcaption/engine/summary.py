"""What a captioning run did, for people and for programs."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from molcaption.data.atomic import atomic_write
from molcaption.engine.tally import Tally

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        records: of the inputs, the rejected included.
        made: captions that the captioner wrote; those of other records were known already.
        refuted: captions with a claim that the structure contradicts.
        rejects: how many records were rejected for each reason.
        seconds: wall time.
    """

    records: int
    rejected: int
    made: int
    refuted: int
    rejects: dict[str, int]
    seconds: float

    @classmethod
    def of(cls, tally: Tally, made: int, seconds: float) -> Self:
        """The summary of what was counted."""
        return cls(
            records=tally.records,
            rejected=tally.rejected,
            made=made,
            refuted=tally.status["contradicted"],
            rejects=tally.listed_reasons(),
            seconds=seconds,
        )

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / max(self.seconds, 1e-9)

    def tell(self, output: Path | None, facts: Mapping[str, Any]) -> None:
        """One line in the log; for an output that is a file also ``OUT.summary.json``.

        Args:
            facts: what else programs want to know of the run.
        """
        fields = {
            "n": self.records,
            "rejected": self.rejected,
            "made": self.made,
            "refuted": self.refuted,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 3),
        }
        _log.info(
            "%d records, %d rejected, %d captions written, %d with a refuted claim, %.0f s, %.1f/s",
            self.records, self.rejected, self.made, self.refuted, self.seconds, self.rate,
            extra={"fields": fields},
        )  # fmt: skip
        if output is not None:
            content = {"output": str(output), **asdict(self), "rate": self.rate, **facts}
            with atomic_write(f"{output}.summary.json", "w") as file:
                file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
