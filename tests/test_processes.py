"""Sharing rows among processes changes nothing but the time."""

import multiprocessing
import os
from collections.abc import Sequence

import numpy as np
import pytest

from molcaption import processes
from molcaption.processes import map_rows

PARENT = os.getpid()


def lengths(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    return np.array([[len(a), len(b)] for a, b in zip(left, right, strict=True)]).reshape(-1, 2)


def process_ids(rows: Sequence[str]) -> np.ndarray:
    return np.array([os.getpid() for _ in rows])


def dying(rows: Sequence[str]) -> np.ndarray:
    if os.getpid() != PARENT:
        os._exit(1)
    return process_ids(rows)


def failing(rows: Sequence[str]) -> np.ndarray:
    raise ValueError(f"{len(rows)} rows")


@pytest.fixture(params=[1, 2, 3])
def n_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(processes, "_n_processes", lambda: request.param)
    return request.param


def test_rows_come_back_in_order(n_processes: int) -> None:
    left, right = ["a" * n for n in range(11)], ["b" * n for n in range(11, 0, -1)]
    shared = map_rows(lengths, left, right, min_rows=2)
    assert shared.tolist() == lengths(left, right).tolist()


def test_work_is_shared_only_where_there_is_enough(n_processes: int) -> None:
    assert len(set(map_rows(process_ids, "abcdef", min_rows=2))) == n_processes
    assert set(map_rows(process_ids, "abc", min_rows=2)) == {PARENT}


def test_the_parent_does_what_a_dead_child_left(n_processes: int) -> None:
    assert map_rows(dying, "abcdef", min_rows=2).tolist() == [PARENT] * 6


def test_the_parent_does_it_all_where_no_process_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(processes, "_n_processes", lambda: 3)
    monkeypatch.setattr(os, "fork", refuse)
    assert map_rows(process_ids, "abcdef", min_rows=2).tolist() == [PARENT] * 6


def test_a_worker_has_no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert len(set(map_rows(process_ids, "abcdef", min_rows=2))) == 2
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert set(map_rows(process_ids, "abcdef", min_rows=2)) == {PARENT}


def test_errors_are_the_parents(n_processes: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        map_rows(failing, "abcdef", min_rows=2)
    with pytest.raises(ValueError, match="longer"):
        map_rows(lengths, "ab", "a")


def test_without_fork_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert set(map_rows(process_ids, "abcdef", min_rows=1)) == {PARENT}
