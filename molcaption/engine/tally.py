"""How many records a run has seen, how many it could not read, and how many of these are fine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molcaption.chem.molecule import Molecule, Reject
from molcaption.errors import BadDataError, UsageError


@dataclass(slots=True)
class Tally:
    """Counts while the run goes on; ``example`` is the first reject."""

    records: int = 0
    rejected: int = 0
    example: Reject | None = None

    def add(self, records: Sequence[Molecule | Reject]) -> None:
        """Count some records more."""
        rejects = [record for record in records if isinstance(record, Reject)]
        self.records += len(records)
        self.rejected += len(rejects)
        if self.example is None and rejects:
            self.example = rejects[0]


def parse_max_rejects(text: str | None) -> tuple[float, bool] | None:
    """``5`` as (5, False), ``5%`` as (5, True).

    Raises:
        UsageError: neither.
    """
    if text is None:
        return None
    try:
        number = float(text.removesuffix("%")) if text.endswith("%") else int(text)
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise UsageError(f"--max-rejects {text!r}: expected a count such as 10, or a share as 5%")
    return number, text.endswith("%")


def check_rejects(tally: Tally, allowed: tuple[float, bool] | None, output: str | Path) -> None:
    """Complain of too many rejects, once the output is written.

    Raises:
        BadDataError: more than ``allowed``, see `parse_max_rejects`; None allows any number.
    """
    if allowed is None or tally.example is None:
        return
    number, percent = allowed
    most = number / 100 * tally.records if percent else number
    if tally.rejected > most:
        example = tally.example
        raise BadDataError(
            f"{tally.rejected} of {tally.records} records rejected, --max-rejects allows "
            f"{number:g}{'%' if percent else ''}; the first is {example.source}:{example.record}: "
            f"{example.reason}; all are in {output}"
        )
