"""Captioning on a Ray cluster, as a pipeline of Ray Data.

One task reads the inputs, as a run on one machine does, and cuts them into windows; actors, each
with a model, caption a window and write it as a part of the output (engine/parts.py). Rows stay
where they are made: what comes back of a part is its number and its cost. If a process or a machine
dies, Ray has its windows captioned once more, elsewhere. No data is lost or doubled by that, since
a part is whole or absent, and the same whoever writes it.
"""

import os
import pickle
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from molcaption.claims import Lexicon
from molcaption.data.readers import read_records
from molcaption.data.readers.opening import STDIN
from molcaption.data.readers.raw import RawRecord
from molcaption.engine.bulk import cut, open_workers
from molcaption.engine.cluster import connected
from molcaption.engine.job import Job
from molcaption.engine.outputs import is_folder
from molcaption.engine.parts import part_path, write_part
from molcaption.engine.runtimes import can_use_gpu
from molcaption.errors import MissingError, MolcaptionError, UsageError
from molcaption.log import progress
from molcaption.workers import Workers

_NEEDED = ("ray", "pandas")
"""Ray Data needs the second, which Ray itself does not bring."""
_TRIES = 5
"""How often actors may die of the same window, as of one that fills the memory, or at the start."""
_READING = -1
"""In the place of a part's number: of an error in the inputs."""
_SENT = pa.schema(
    [("part", pa.int64()), ("last", pa.bool_()), ("records", pa.binary()), ("error", pa.binary())]
)
_RETURNED = pa.schema(
    [("part", pa.int64()), ("records", pa.int64()), ("made", pa.int64()), ("error", pa.binary())]
)


@dataclass(frozen=True)
class Plan:
    """What the machines of a cluster need to know.

    Attributes:
        job: options alone (see `Job`).
        inputs, folder: as the user gave them, seen from ``cwd``.
        key: of the output.
        context: of the job, on the machine that gave the command.
        done: parts that are there already.
    """

    job: Job
    inputs: Sequence[str]
    folder: Path
    key: str
    context: str
    done: frozenset[int]
    cwd: str


def check_request(inputs: Sequence[str], output: str | Path, cache: str | Path | None) -> None:
    """Refuse what cannot be done on a cluster.

    Raises:
        UsageError: standard input, an output that is no folder, or a cache.
        MissingError: Ray is not installed.
    """
    if not is_folder(output):
        raise UsageError(
            f"{output}: --engine ray writes a folder of Parquet files: give -o captions/"
        )
    if STDIN in inputs:
        raise UsageError("-: --engine ray cannot read standard input: give a file")
    if cache is not None:
        raise UsageError(
            f"--cache {cache}: is a database for one machine; leave it out with --engine ray"
        )
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise MissingError(
            f"{missing[0]} is not installed; --engine ray needs pip install 'molcaption[ray]'"
        )


def caption_parts(
    job: Job, inputs: Sequence[str], folder: Path, key: str, done: Iterable[int]
) -> int:
    """Write all parts but those that are ``done``; how many captions were made.

    Ray's own rules choose the cluster: RAY_ADDRESS, else one that runs on this machine, else one
    that is started for the time of the call.

    Args:
        key: of the output.

    Raises:
        MolcaptionError: what was wrong with the inputs, once all before it is written; or with a
            part.
        MissingError: no cluster, or its machines differ, or actors die again and again.
    """
    # An actor takes one core, and one more process can be stopped when a molecule spins.
    n_workers = 1 if job.workers is None else job.workers
    sent = replace(job, threads=job.threads or 1, workers=n_workers)
    plan = Plan(sent, inputs, folder, key, job.context, frozenset(done), str(Path.cwd()))
    failure: MolcaptionError | None = None
    made = 0
    with connected(), progress(job.reading["limit"], "captioning") as shown:
        for row in _pipeline(plan).iter_rows():
            if row["error"] is not None:
                error: MolcaptionError = pickle.loads(row["error"])
                if row["part"] != _READING:
                    raise error
                failure = error
            made += row["made"]
            shown.advance(row["records"])
    if failure is not None:
        raise failure
    return made


def _pipeline(plan: Plan) -> Any:
    """The Ray dataset whose rows are of the form `_RETURNED`."""
    import ray.data

    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # a block is what is sent to an actor, and lost with it
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # a large model needs its time
    context.max_consecutive_actor_init_deaths = _TRIES
    with ray.data.DataContext.current(context):
        windows = ray.data.from_items([0], override_num_blocks=1).map_batches(
            _read, fn_kwargs={"plan": plan}, batch_format="pyarrow", num_cpus=0
        )
        return windows.map_batches(
            _Captioner, fn_constructor_args=[plan], batch_size=1, batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1), max_task_retries=_TRIES,
            **_resources(plan.job),
        )  # fmt: skip


def _resources(job: Job) -> dict[str, int]:
    """What Ray is to reserve for an actor."""
    import ray

    if can_use_gpu(job.model) and ray.cluster_resources().get("GPU"):
        return {"num_gpus": 1}
    return {"num_cpus": job.threads or 1}


def _read(_: pa.Table, plan: Plan) -> Iterator[pa.Table]:
    """The windows of the inputs, but for those whose parts are done, or an error."""
    try:
        _go_to(plan.cwd)
        windows = cut(read_records(plan.inputs, **plan.job.reading), plan.job.window)
        for number, window, last in _numbered(windows):
            if number not in plan.done:
                sent = {"part": number, "last": last, "records": pickle.dumps(window)}
                yield pa.Table.from_pylist([sent], _SENT)
    except MolcaptionError as error:
        yield pa.Table.from_pylist([{"part": _READING, "error": pickle.dumps(error)}], _SENT)


def _go_to(folder: str) -> None:
    """Where the command was given, so that relative paths mean the same here."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise MissingError(
            f"{platform.node()}: {folder}: {error.strerror}; give the command in a folder that all "
            "machines of the cluster see"
        ) from error


def _numbered(
    windows: Iterator[list[RawRecord]],
) -> Iterator[tuple[int, list[RawRecord], bool]]:
    """Each window with its number and whether it is the last; an empty one if there is none."""
    window = next(windows, [])
    for number in count():
        after = next(windows, None)
        yield number, window, after is None
        if after is None:
            return
        window = after


class _Captioner:
    """An actor: it keeps its model and its worker processes for all windows that it gets."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Write one part; what a machine cannot do is told, and not raised, as Ray would wrap
        it."""
        (given,) = batch.to_pylist()
        told = {"part": given["part"], "records": 0, "made": 0, "error": given["error"]}
        if given["error"] is None:
            records = pickle.loads(given["records"])
            try:
                told["made"] = self._write(records, given["part"], given["last"])
                told["records"] = len(records)
            except MolcaptionError as error:
                told["error"] = pickle.dumps(error)
        return pa.Table.from_pylist([told], _RETURNED)

    def _write(self, records: Sequence[RawRecord], number: int, last: bool) -> int:
        plan = self._plan
        _go_to(plan.cwd)
        if plan.job.context != plan.context:
            raise MissingError(
                f"{platform.node()}: the model, the memory or the version of molcaption is another "
                "one here; install the same on all machines of the cluster"
            )
        return write_part(
            plan.job, records, part_path(plan.folder, number), self._workers,
            inputs=plan.inputs, key=plan.key, last=last,
        )  # fmt: skip

    @cached_property
    def _workers(self) -> Workers[Lexicon]:
        return open_workers(self._plan.job.workers, self._plan.job.molecule_timeout)
