"""One run at a time: refused at once, and free again however the holder ended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from molcaption.data.lock import locked
from molcaption.errors import CannotWriteError, LockedError


def test_a_second_run_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    with locked(output):
        with pytest.raises(LockedError, match=f"process {os.getpid()}"), locked(output):
            pass
        with locked(tmp_path / "other.csv"):
            pass
    assert list(tmp_path.iterdir()) == []
    with locked(output):
        pass


def test_a_failure_lets_go(tmp_path: Path) -> None:
    def fail() -> None:
        with locked(tmp_path / "out"):
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    with locked(tmp_path / "out"):
        pass


def test_a_killed_run_lets_go(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from molcaption.data.lock import locked\n"
        f"with locked(Path({str(tmp_path / 'out')!r})): os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (tmp_path / "out.lock").exists()
    with locked(tmp_path / "out"):
        pass


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError), locked(tmp_path / "no" / "out"):
        pass
