"""Work on many items in processes that can be killed and replaced.

RDKit can spin or crash on a single record, and no signal handler of Python runs inside its C++. So
items are worked on elsewhere (pebble's `ProcessPool`, which replaces what dies), and the system
ends a worker that computes too long on one. What counts is processor time: a busy or a sleeping
machine must not cost a record. Workers are forked from a small server process and not from this
one, so they hold none of its threads, locks or open files, and end by themselves without it.

Items travel in chunks. What fails in a chunk is tried once more alone, and lost if it fails again.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from molcaption.errors import MissingError
from molcaption.worker_process import prepare, work

if TYPE_CHECKING:
    from pebble import ProcessPool

CHUNK = 32
"""Items that travel together: small enough to go round, large enough for the way to cost little."""
_QUEUED = 2
"""Chunks of the backlog that wait in the pool for each worker: urgent ones pass the rest."""
_REVIVALS = 3
"""Pools that may break one after another, without a result in between."""
_LOOK_AFTER = 1.0
"""Seconds between looks at whether the pool still works."""
_PATIENCE = 30
"""A chunk may take so many times the limit of an item by the clock: for what sleeps instead."""
S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Lost:
    """Stands for the result of an item that has none; ``reason`` is one line."""

    reason: str


class Batch(Generic[R]):
    """Results that are being made, in the order of their items."""

    def __init__(self, chunks: Sequence["_Chunk[R]"]) -> None:
        self._chunks = chunks
        self._taken = 0

    def done(self) -> bool:
        """Whether `results` would not wait for the first attempts."""
        return all(chunk.outcome.done() for chunk in self._chunks)

    def results(self) -> list[R | Lost]:
        """One result for each item; waits for them.

        Raises:
            MissingError: no worker can be had.
        """
        return [result for chunk in self._chunks for result in chunk.results()]

    def take(self, *, wait: bool) -> list[R | Lost]:
        """The next results, of those that were not taken yet; none if there are none yet.

        Args:
            wait: until there are some.

        Raises:
            MissingError: no worker can be had.
        """
        taken: list[R | Lost] = []
        for chunk in self._chunks[self._taken :]:
            if not chunk.outcome.done() and (taken or not wait):
                break
            taken += chunk.results()
            self._taken += 1
        return taken


class Workers(Generic[S]):
    """Some worker processes, as a context manager; without any, the caller's process does it all.

    Args:
        n: processes; 0 for none, and then no time limit.
        share: makes what each call gets as its second argument, once in each process. It and the
            functions must be importable by name.
        timeout: seconds of processor time for an item; None for no limit.
        preload: module that the server process imports once for all workers.
    """

    def __init__(
        self, n: int, share: Callable[[], S], *, timeout: float | None = None, preload: str = ""
    ) -> None:
        self._n, self._share, self.timeout = n, share, timeout
        self._preload = [preload] if preload else []
        self._pool: ProcessPool | None = None
        self._backlog: deque[_Chunk[Any]] = deque()
        self._lock = threading.RLock()
        self._queued = 0
        self._filling = False
        self._flying: set[_Chunk[Any]] = set()
        self._broken = 0
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
        self._backlog.clear()
        self._stop()

    def submit(
        self, function: Callable[[T, S], R], items: Sequence[T], *, urgent: bool = False
    ) -> Batch[R]:
        """Start ``function(item, shared)`` for each item; does not wait.

        Args:
            urgent: before all that is not.
        """
        if not self._n:
            done = _Chunk(self, function, items)
            done.outcome.set_result([function(item, self._own) for item in items])
            return Batch([done])
        parts = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        chunks = [_Chunk(self, function, part) for part in parts]
        if urgent:
            for chunk in chunks:
                self.start(chunk)
        else:
            self._backlog.extend(chunks)
            self._fill()
        return Batch(chunks)

    def warm(self) -> None:
        """Have the processes start while the caller does something else; does not wait."""

        def start() -> None:
            with self._lock, suppress(Exception):  # who submits the first items meets it again
                if not self._over:
                    self._running()

        if self._n:
            threading.Thread(target=start, daemon=True).start()

    @cached_property
    def _own(self) -> S:
        """What is shared, where this process does it all."""
        return self._share()

    def start(self, chunk: "_Chunk[Any]") -> None:
        """Put a chunk into the pool; its ``outcome`` tells what became of it."""
        task = (chunk.function, chunk.items)
        longest = None if self.timeout is None else _PATIENCE * self.timeout
        chunk.pool = self._running()
        self._flying.add(chunk)
        chunk.outcome.add_done_callback(lambda _: self._flying.discard(chunk))
        try:
            future = chunk.pool.schedule(work, task, timeout=longest)
        except RuntimeError as error:  # pebble's word for a pool that has broken
            chunk.outcome.set_exception(BrokenProcessPool(str(error)))
            return
        future.add_done_callback(chunk.take)

    def heal(self) -> None:
        """Replace the pool if it has broken, and give back what it held.

        A pool breaks when a worker dies that had nothing to do, or that held a lock of the pool.

        Raises:
            MissingError: every new one breaks too.
        """
        pool = self._pool
        if pool is None or pool.active:
            return
        self._broken += 1
        if self._broken > _REVIVALS:
            raise MissingError(
                "worker processes die as soon as they start; do without them: --workers 0 "
                '(in Python, call from under `if __name__ == "__main__"`)'
            )
        self._stop()
        for chunk in [chunk for chunk in self._flying if chunk.pool is pool]:
            if not chunk.outcome.done():
                chunk.outcome.set_exception(BrokenProcessPool("the pool has broken"))

    def survived(self) -> None:
        """A chunk came back: the pool works."""
        self._broken = 0

    def _running(self) -> "ProcessPool":
        with self._lock:
            if self._pool is None:
                from pebble import ProcessPool

                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload(self._preload)
                given = [self._share, self.timeout]
                pool = ProcessPool(self._n, initializer=prepare, initargs=given, context=context)
                _ = pool.active  # asking starts it
                self._pool = pool
            return self._pool

    def _fill(self) -> None:
        """Move chunks from the backlog to the pool, so that no worker is without one."""
        with self._lock:
            if self._filling:  # called by a chunk that has just failed to start, below
                return
            self._filling = True
            try:
                while self._backlog and self._queued < _QUEUED * self._n:
                    chunk = self._backlog.popleft()
                    self._queued += 1
                    chunk.outcome.add_done_callback(self._ended)
                    self.start(chunk)
            finally:
                self._filling = False

    def _ended(self, _: object) -> None:
        with self._lock:
            self._queued -= 1
        self._fill()

    def _stop(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()


class _Chunk(Generic[R]):
    """Some items on their way, and what became of them."""

    def __init__(
        self, workers: Workers[Any], function: Callable[..., R], items: Sequence[Any]
    ) -> None:
        self._workers, self.function, self.items = workers, function, items
        self.outcome: Future[list[R]] = Future()
        self.pool: ProcessPool | None = None

    def take(self, future: "Future[list[R]]") -> None:
        """Hear from the pool; called in one of its threads."""
        if self.outcome.done():  # the pool was given up meanwhile
            return
        if error := future.exception():
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(future.result())

    def results(self, *, last_try: bool = False) -> list[R | Lost]:
        """Wait for the results; where the chunk failed, each item is tried once more alone."""
        from pebble import ProcessExpired

        while not self.outcome.done():
            wait([self.outcome], timeout=_LOOK_AFTER)
            self._workers.heal()
        try:
            results = self.outcome.result()
        except BrokenProcessPool:
            self._workers.heal()
            return self._again([self.items], last_try=last_try)
        except (TimeoutError, ProcessExpired) as error:
            if last_try:
                return [Lost(self._reason(error))]
            return self._again([[item] for item in self.items], last_try=True)
        self._workers.survived()
        return list(results)

    def _again(self, parts: Sequence[Sequence[Any]], *, last_try: bool) -> list[R | Lost]:
        chunks = [_Chunk[R](self._workers, self.function, part) for part in parts]
        for chunk in chunks:
            self._workers.start(chunk)
        return [result for chunk in chunks for result in chunk.results(last_try=last_try)]

    def _reason(self, error: Exception) -> str:
        code = getattr(error, "exitcode", 0) or 0
        if isinstance(error, TimeoutError) or code == -signal.SIGPROF:
            return f"took longer than {self._workers.timeout:g} s (--molecule-timeout)"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process that worked on it died twice ({how})"
