"""The record of a training run: ``metrics.jsonl`` and TensorBoard, side by side.

``metrics.jsonl`` is the one that the reports read: one JSON object a line, each with its ``step``.
A resumed run first drops the lines after its checkpoint, so that a step is never told twice.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from torch.utils.tensorboard import SummaryWriter

from molcaption.data.atomic import atomic_write

METRICS_FILE = "metrics.jsonl"


class Tracker:
    """Appends what a run measures; use as a context manager."""

    def __init__(self, directory: Path, first_step: int) -> None:
        self._path = directory / METRICS_FILE
        self._keep_up_to(first_step)
        self._file = self._path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(directory / "tensorboard"), purge_step=first_step)

    def write(self, step: int, **values: Any) -> None:
        """One line; numbers also become TensorBoard scalars, lists of text its text."""
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, int | float):
                self._board.add_scalar(name, value, step)
            elif isinstance(value, list):
                self._board.add_text(name, "\n\n".join(map(str, value)), step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._board.close()

    def _keep_up_to(self, step: int) -> None:
        if not self._path.exists():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines()
        # A killed process may leave half a line at the end: it is dropped with the later steps.
        kept = [line for line in lines if (at := _step_of(line)) is not None and at <= step]
        if step == 0:
            kept = []
        with atomic_write(self._path) as file:
            file.write("".join(line + "\n" for line in kept).encode())


def _step_of(line: str) -> int | None:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return None
