"""One training loop for every stage.

A stage is an `Objective`: a module whose forward gives losses, with a way to make batches and to
evaluate itself. The loop does what is the same for all: accelerate, gradient accumulation,
clipping, warm-up and cosine, checkpoints that resume bit-equal, metrics, samples, progress, and a
clean stop on SIGINT and SIGTERM.
"""

import logging
import math
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from molcaption.data.collate import to_device
from molcaption.engine import checkpoint
from molcaption.engine.checkpoint import Position
from molcaption.engine.tracker import Tracker
from molcaption.errors import MissingError
from molcaption.log import progress

_log = logging.getLogger(__name__)
_LOG_EVERY = 20
_BETAS = (0.9, 0.95)
"""Runs here are short: the second moment must forget the first steps sooner than with 0.999."""
_FLOOR = 0.05
"""The cosine ends at this share of the peak learning rate, so that the last steps still learn."""


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast a stage trains; the recipe's Stage in plain values."""

    steps: int
    lr: float
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    accumulate: int = 1
    eval_every: int = 500
    save_every: int = 500
    precision: str = "fp32"

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From a recipe's stage; what only the stage itself knows is left out."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})


@dataclass
class Evaluation:
    """What a stage finds on held-out data: numbers, and a few texts to read."""

    metrics: dict[str, float]
    samples: list[str] = field(default_factory=list)


class Objective(Protocol):
    """What the loop asks of a stage; implementations are ``nn.Module``s."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Trainable parameters for AdamW; a group may carry its own ``lr``."""

    def batches(self, epoch: int) -> Sequence[Sequence[int]]:
        """Index lists of one epoch: a pure function of the stage's seed and ``epoch``."""

    def collate(self, indices: Sequence[int], epoch: int) -> dict[str, Any]:
        """Tensors of one batch: a pure function of its arguments and the stage's seed."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Named losses; ``loss`` is minimised."""

    def evaluate(self) -> Evaluation:
        """Measure on held-out data."""


def fit(objective: Any, settings: LoopSettings, directory: Path, *, key: str, label: str) -> None:
    """Train ``objective`` to ``settings.steps``, from ``directory``'s checkpoint if there is one.

    Raises:
        KeyboardInterrupt, SystemExit: a signal came; the checkpoint is written first.
        MissingError: a batch does not fit in the GPU's memory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(mixed_precision="bf16" if settings.precision == "bf16" else "no")
    optimizer = torch.optim.AdamW(
        objective.parameter_groups(),
        lr=settings.lr,
        betas=_BETAS,
        weight_decay=settings.weight_decay,
    )
    schedule = LambdaLR(optimizer, lambda step: _cosine(step, settings))
    objective, optimizer = accelerator.prepare(objective, optimizer)
    bare = accelerator.unwrap_model(objective)
    parts = {"optimizer": optimizer, "schedule": schedule}
    position = checkpoint.load(directory, key, bare, **parts) or Position()
    if position.step:
        _log.info("%s: goes on from step %d", label, position.step)

    def save() -> None:
        checkpoint.save(directory, key, position, bare, **parts)

    with (
        Tracker(directory, position.step) as tracker,
        progress(settings.steps, label, done=position.step) as bar,
        _stop_on_signal() as stopped,
    ):
        meter = _Meter()
        stream = _stream(bare, position)
        bare.train()
        while position.step < settings.steps:
            norm = _step(objective, stream, optimizer, accelerator, settings, meter)
            schedule.step()
            position.step += 1
            bar.advance(1)
            if position.step % _LOG_EVERY == 0:
                rate = schedule.get_last_lr()[0]
                tracker.write(position.step, epoch=position.epoch, lr=rate,
                              grad_norm=norm, **meter.take())  # fmt: skip
            if position.step % settings.eval_every == 0 or position.step == settings.steps:
                _evaluate(bare, tracker, position.step, label)
            if position.step % settings.save_every == 0 or stopped:
                save()
            if stopped:
                _log.warning("%s: stopped at step %d; run again to go on", label, position.step)
                _raise_signal(stopped[0])
        save()


def _step(
    objective: Any,
    stream: Iterator[dict[str, Any]],
    optimizer: Any,
    accelerator: Accelerator,
    settings: LoopSettings,
    meter: "_Meter",
) -> float:
    """One optimizer step over ``accumulate`` batches; the gradient's norm before clipping."""
    for _ in range(settings.accumulate):
        batch = to_device(next(stream), accelerator.device)
        try:
            with accelerator.autocast():
                losses = objective(batch)
            accelerator.backward(losses["loss"] / settings.accumulate)
        except torch.cuda.OutOfMemoryError as error:
            raise MissingError(
                "GPU: out of memory in training; divide the stage's batch_tokens (or batch_size) "
                f"by 2 and set its accumulate to {2 * settings.accumulate}: a step sees as much"
            ) from error
        meter.add(losses, batch)
    norm = accelerator.clip_grad_norm_(_trainable(optimizer), settings.clip)
    optimizer.step()
    optimizer.zero_grad()
    return float(norm)


def _stream(objective: Objective, position: Position) -> Iterator[dict[str, Any]]:
    """Batches without end from ``position`` on, which is kept up to date."""
    while True:
        batches = objective.batches(position.epoch)
        while position.batch < len(batches):
            batch = objective.collate(batches[position.batch], position.epoch)
            position.batch += 1
            yield batch
        position.epoch, position.batch = position.epoch + 1, 0


def _evaluate(objective: Any, tracker: Tracker, step: int, label: str) -> None:
    objective.eval()
    with torch.no_grad():
        result = objective.evaluate()
    objective.train()
    tracker.write(step, **{f"dev/{k}": v for k, v in result.metrics.items()},
                  samples=result.samples)  # fmt: skip
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items())
    _log.info("%s step %d: %s", label, step, numbers)


def _cosine(step: int, settings: LoopSettings) -> float:
    """Share of the peak learning rate: linear warm-up, then half a cosine down to the floor."""
    warm = max(1, round(settings.warmup * settings.steps))
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(1, settings.steps - warm)
    return _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * min(1.0, done))) / 2


class _Meter:
    """Means of the losses and the token rate since the last look."""

    def __init__(self) -> None:
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._count, self._tokens, self._since = 0, 0, time.monotonic()

    def add(self, losses: dict[str, Tensor], batch: dict[str, Any]) -> None:
        for name, value in losses.items():
            self._sums[name] += float(value.detach())
        self._count += 1
        if "attention_mask" in batch:
            self._tokens += int(batch["attention_mask"].sum())

    def take(self) -> dict[str, float]:
        seconds = time.monotonic() - self._since
        values = {name: total / self._count for name, total in self._sums.items()}
        if self._tokens:
            values["tokens_per_s"] = self._tokens / seconds
        self.__init__()  # type: ignore[misc]
        return values


def _trainable(optimizer: Any) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


@contextmanager
def _stop_on_signal() -> Iterator[list[int]]:
    """A list that holds the first SIGINT or SIGTERM once it came; a second one acts as usual."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    caught: list[int] = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in caught}

    def note(number: int, _: Any) -> None:
        came.append(number)
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, note)
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_signal(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
