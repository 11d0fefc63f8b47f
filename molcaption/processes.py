"""One pass over many rows, shared among the cores by fork.

A forked child has the rows already and sends back one array, so sharing costs little. Without fork,
without a second core, or where a child cannot be had or dies, the caller's process does the work:
the result is the same, row by row, whoever counted.
"""

import multiprocessing
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = Sequence[Any]
Array = npt.NDArray[Any]
MIN_ROWS = 500  # a process: fewer take less time than the fork


def map_rows(function: Callable[..., Array], *columns: Rows, min_rows: int = MIN_ROWS) -> Array:
    """``function(*columns)`` of columns of N rows, computed in parts of at least ``min_rows``.

    Args:
        function: gives one row of its result for each row of the columns, whatever rows are
            beside it. Children run it, so it must need no lock or thread of this process.

    Shapes:
        result [N, …].

    Raises:
        ValueError: the columns differ in length.
    """
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of unequal length: one is longer than another")
    n = len(columns[0])
    n_parts = min(_n_processes(), n // min_rows)
    if n_parts < 2:
        return function(*columns)
    edges = [n * part // n_parts for part in range(n_parts + 1)]
    parts = [[column[a:b] for column in columns] for a, b in pairwise(edges)]
    children = [_start(function, part) for part in parts[1:]]
    results = [function(*parts[0])]
    for (child, connection), part in zip(children, parts[1:], strict=True):
        received = _receive(connection)
        if child.pid is not None:
            child.join()
        results.append(function(*part) if received is None else received)
    return np.concatenate(results)


def _n_processes() -> int:
    is_worker = multiprocessing.current_process().daemon  # which may have no children
    if is_worker or "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return len(os.sched_getaffinity(0))


def _start(function: Callable[..., Array], part: list[Rows]) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender, function, part), daemon=True)
    # Where no process can be had, the pipe is closed all the same, as by one that died at once.
    with warnings.catch_warnings(), suppress(OSError):
        # Python warns of fork beside threads, whose locks the child never takes.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    sender.close()  # the child's end is the only one left, so that its death is seen here
    return child, receiver


def _send(sender: Connection, function: Callable[..., Array], part: list[Rows]) -> None:
    with suppress(Exception):  # the parent meets the same error itself, where it can be told
        sender.send(function(*part))


def _receive(connection: Connection) -> Array | None:
    """What a child sent; None if it died first."""
    with connection:
        try:
            result: Array = connection.recv()
        except EOFError:
            return None
        return result
