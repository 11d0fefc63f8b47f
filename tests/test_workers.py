"""Workers: order is kept, and what spins or crashes costs itself alone."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_tasks import CRASHES, SPINS, fail, hostile, plus, process_id, ten, wrong

from molcaption import workers
from molcaption.errors import MissingError
from molcaption.workers import CHUNK, Lost, Workers


@pytest.fixture(params=[0, 1, 3])
def some(request: pytest.FixtureRequest) -> Iterator[Workers[int]]:
    with Workers(request.param, ten) as made:
        yield made


@pytest.fixture
def two() -> Iterator[Workers[int]]:
    with Workers(2, ten, timeout=0.5) as made:
        yield made


def test_results_come_in_order_whatever_is_urgent(some: Workers[int]) -> None:
    slow = some.submit(plus, range(20 * CHUNK))
    quick = some.submit(plus, range(3), urgent=True)
    assert quick.results() == [10, 11, 12]
    assert slow.results() == list(range(10, 20 * CHUNK + 10))
    assert slow.done()
    assert some.submit(plus, []).results() == []


def test_who_spins_or_crashes_is_lost_and_nobody_else(two: Workers[int]) -> None:
    results = two.submit(hostile, range(2 * CHUNK)).results()
    lost = {i: result for i, result in enumerate(results) if isinstance(result, Lost)}
    assert lost[SPINS].reason == "took longer than 0.5 s (--molecule-timeout)"
    assert lost[CRASHES].reason == "the process that worked on it died twice (SIGSEGV)"
    assert len(lost) == 2
    assert [i for i, r in enumerate(results) if r == i] == [
        i for i in range(2 * CHUNK) if i not in lost
    ]


@pytest.mark.parametrize("n", [1, 2])
def test_killed_workers_are_replaced(n: int) -> None:
    with Workers(n, ten) as some:
        for _ in range(3):
            (killed,) = some.submit(process_id, [0]).results()
            os.kill(killed, signal.SIGKILL)
            assert some.submit(plus, range(4 * CHUNK)).results() == list(range(10, 4 * CHUNK + 10))


def test_an_error_of_ours_is_not_hidden(some: Workers[int]) -> None:
    with pytest.raises(ValueError, match="item 3"):
        some.submit(wrong, [3]).results()


def test_workers_that_cannot_start_are_one_clear_error() -> None:
    with Workers(1, fail) as some, pytest.raises(MissingError, match="--workers 0"):
        some.submit(plus, [1]).results()


def test_leaving_leaves_no_process_even_when_all_spin() -> None:
    with pytest.raises(KeyboardInterrupt), Workers(2, ten) as some:
        assert some.submit(plus, range(4 * CHUNK)).results()
        some.submit(hostile, [SPINS] * (4 * CHUNK))
        some.submit(hostile, [SPINS], urgent=True)
        time.sleep(0.5)
        start = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - start < 9
    assert not multiprocessing.active_children()


SCRIPT = """
import os, sys, time
sys.path.insert(0, {folder!r})
from worker_tasks import hostile, process_id, ten
from molcaption.workers import Workers
if __name__ == "__main__":
    with Workers(2, ten, timeout=0.5) as some:
        print(*some.submit(process_id, range(64)).results(), flush=True)
        some.submit(hostile, [7] * 256)
        time.sleep(0.5)
        os.kill(os.getpid(), 9)
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent / "importable")))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pids = {int(word) for word in done.stdout.split()}
    assert pids
    deadline = time.monotonic() + 120
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker is left"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_without_processes_what_is_shared_is_made_once() -> None:
    made: list[int] = []
    with Workers(0, lambda: made.append(10) or 10) as none:
        assert none.submit(plus, range(3)).results() == [10, 11, 12]
        assert none.submit(plus, [1]).results() == [11]
    assert made == [10]


def test_the_queue_of_the_pool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(Workers, "start", lambda self, chunk: started.append(chunk))
    with Workers(2, ten) as some:
        some.submit(plus, range(100 * CHUNK))
        assert len(started) == 2 * workers._QUEUED


def test_results_are_taken_once_as_they_come(some: Workers[int]) -> None:
    batch = some.submit(plus, range(3 * CHUNK + 1))
    taken: list[int | Lost] = []
    while len(taken) < 3 * CHUNK + 1:
        first = batch.take(wait=True)
        assert first
        taken += first + batch.take(wait=False)
    assert taken == list(range(10, 3 * CHUNK + 11))
    assert batch.take(wait=True) == []


def test_nothing_is_waited_for_unasked() -> None:
    with Workers(1, ten) as one:
        assert one.submit(plus, range(3)).take(wait=False) == []  # the process has yet to start


@pytest.mark.parametrize("n", [0, 2])
def test_workers_start_ahead_of_their_work(n: int) -> None:
    with Workers(n, ten) as some:
        some.warm()
        assert some.submit(plus, range(3)).results() == [10, 11, 12]
    with Workers(n, ten) as idle:
        idle.warm()  # and is left at once, perhaps before its thread has begun
    before = set(threading.enumerate())
    idle.warm()
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert idle._pool is None


def test_who_cannot_start_says_so_when_asked_to_work() -> None:
    with Workers(1, fail) as broken:
        broken.warm()
        with pytest.raises(MissingError, match="--workers 0"):
            broken.submit(plus, [1]).results()
