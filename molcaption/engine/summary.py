"""What a captioning run did, for people and for programs."""

import json
import logging
import resource
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from molcaption.data.atomic import atomic_write
from molcaption.engine.tally import Tally
from molcaption.errors import CannotWriteError

_log = logging.getLogger(__name__)
_KIND = "molcaption.caption.summary"
_MOST_BYTES = 2**20
"""No summary of ours is larger."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        records: of the inputs, the rejected included.
        made: captions that the captioner wrote; those of other records were known already.
        refuted: captions with a claim that the structure contradicts.
        rejects: how many records were rejected for each reason.
        seconds: wall time.
        idle: share of the time between its first and its last caption in which the decoder waited;
            None if it wrote none.
        peak_mb: most memory that the decoding process has held so far, in 10⁶ bytes; its workers
            hold memory of their own.
    """

    records: int
    rejected: int
    made: int
    refuted: int
    rejects: dict[str, int]
    seconds: float
    idle: float | None = None
    peak_mb: float = 0.0

    @classmethod
    def of(cls, tally: Tally, made: int, seconds: float, idle: float | None = None) -> Self:
        """The summary of what was counted."""
        return cls(
            records=tally.records,
            rejected=tally.rejected,
            made=made,
            refuted=tally.status["contradicted"],
            rejects=tally.listed_reasons(),
            seconds=seconds,
            idle=idle,
            peak_mb=_peak_mb(),
        )

    def __add__(self, other: "Summary") -> "Summary":
        """Both runs as one; of the decoder's rests nothing is said."""
        counts = Counter(self.rejects) + Counter(other.rejects)
        return Summary(
            self.records + other.records, self.rejected + other.rejected, self.made + other.made,
            self.refuted + other.refuted, dict(counts), self.seconds + other.seconds,
            peak_mb=max(self.peak_mb, other.peak_mb),
        )  # fmt: skip

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
            "output": None if output is None else str(output),
            "n": self.records,
            "rejected": self.rejected,
            "made": self.made,
            "refuted": self.refuted,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 3),
            "peak_mb": self.peak_mb,
            "shard": facts.get("shard"),
        }
        _log.info(
            "%s%d records, %d rejected, %d captions written, %d with a refuted claim, "
            "%.0f s, %.1f/s",
            "" if output is None else f"{output}: ",
            self.records, self.rejected, self.made, self.refuted, self.seconds, self.rate,
            extra={"fields": fields},
        )  # fmt: skip
        if self.idle is not None:
            _log.debug("the decoder waited %.1f%% of its time", 100 * self.idle)
        if output is not None:
            content = {"kind": _KIND, "output": str(output), **asdict(self), "rate": self.rate}
            content |= facts
            with atomic_write(summary_path(output), "w") as file:
                file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _peak_mb() -> float:
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kibibytes * 1024 / 1e6, 1)


def summary_path(output: Path) -> Path:
    """Where the summary of ``output`` lies."""
    return output.with_name(f"{output.name}.summary.json")


def check_summary(output: Path) -> None:
    """Refuse to write over a file that is no summary of ours.

    Raises:
        CannotWriteError: naming it.
    """
    path = summary_path(output)
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
        ours = isinstance(content, dict) and content.get("kind") == _KIND
    except (OSError, ValueError, RecursionError):
        ours = False
    if not ours:
        raise CannotWriteError(
            f"{path}: is in the way, expected nothing there or a summary of an earlier run; "
            "move it, or give another output, or --force"
        )
