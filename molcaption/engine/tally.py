"""What a run has seen so far, and whether too much of it could not be read."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from molcaption.errors import BadDataError, UsageError

Allowed = tuple[float, bool] | None
"""Most rejects that are fine, and whether that is a percentage; None for any number."""
_REASONS = 20
"""Kinds of rejects that a summary lists; the rest are counted together."""


@dataclass(slots=True)
class Tally:
    """Counts while the run goes on.

    Attributes:
        status: rows by ``validity_status``.
        reasons: rejects by what was wrong with them.
        example: the first reject, as "source:record: reason".
    """

    records: int = 0
    rejected: int = 0
    status: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count some output rows more."""
        self.records += len(rows)
        for row in rows:
            if row["error"] is None:
                self.status[row["validity_status"]] += 1
                continue
            self.rejected += 1
            self.reasons[row["error"]] += 1
            self.example = self.example or f"{row['source']}:{row['record']}: {row['error']}"

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.records + other.records, self.rejected + other.rejected,
            self.status + other.status, self.reasons + other.reasons,
            self.example or other.example,
        )  # fmt: skip

    def to_json(self) -> str:
        """All of it, for `from_json`."""
        return json.dumps({f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        told = json.loads(text)
        counters = {name: Counter(told[name]) for name in ("status", "reasons")}
        return cls(**told | counters)

    def listed_reasons(self) -> dict[str, int]:
        """The commonest reasons, and "other" for the rest."""
        listed = dict(self.reasons.most_common(_REASONS))
        rest = self.rejected - sum(listed.values())
        return {**listed, "other": rest} if rest else listed


def parse_max_rejects(text: str | None) -> Allowed:
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


def check_rejects(tally: Tally, allowed: Allowed, output: str | Path) -> None:
    """Complain of too many rejects, once the output is written.

    Raises:
        BadDataError: more than ``allowed``, see `parse_max_rejects`; None allows any number.
    """
    if allowed is None or not tally.rejected:
        return
    number, percent = allowed
    most = number / 100 * tally.records if percent else number
    if tally.rejected > most:
        raise BadDataError(
            f"{tally.rejected} of {tally.records} records rejected, --max-rejects allows "
            f"{number:g}{'%' if percent else ''}; the first is {tally.example}; "
            f"all are in {output}"
        )
