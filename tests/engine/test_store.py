"""The store of captions: what is in it survives, and nobody gets another's."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from molcaption.engine.runtimes import Generation
from molcaption.engine.store import open_store, remove_store
from molcaption.errors import BadDataError, CannotWriteError

CAPTION = Generation("The molecule is é.\n", 0.25, True)


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    for caption in (CAPTION, Generation("", None, False)):
        with open_store(tmp_path / "a", "one") as store:
            store.add(caption.text, caption)
            assert store.known([caption.text, "absent"]) == {caption.text: caption}
    with open_store(tmp_path / "a", "one") as store:
        assert store.known([CAPTION.text])[CAPTION.text] == CAPTION


def test_contexts_do_not_mix(tmp_path: Path) -> None:
    with open_store(tmp_path / "a", "one") as store:
        store.add("C", CAPTION)
    with open_store(tmp_path / "a", "two") as store:
        assert store.known(["C"]) == {}


def test_many_at_once(tmp_path: Path) -> None:
    names = [str(i) for i in range(3000)]
    with open_store(None, "one") as store:
        for name in names[::2]:
            store.add(name, CAPTION)
        assert list(store.known(names)) == names[::2] or set(store.known(names)) == set(names[::2])


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_exception_keeps_what_was_added(tmp_path: Path, failure: type[BaseException]) -> None:
    def work() -> None:
        with open_store(tmp_path / "a", "one", temporary=True) as store:
            store.add("C", CAPTION)
            raise failure

    with pytest.raises(failure):
        work()
    with open_store(tmp_path / "a", "one", temporary=True) as store:
        assert store.known(["C"]) == {"C": CAPTION}
    assert not (tmp_path / "a").exists()  # this time it went well


def test_an_empty_temporary_store_leaves_no_file(tmp_path: Path) -> None:
    def work() -> None:
        with open_store(tmp_path / "a", "one", temporary=True):
            raise ValueError

    with pytest.raises(ValueError):
        work()
    assert not (tmp_path / "a").exists()


def test_killed_at_once_keeps_what_was_committed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from molcaption.engine.store import open_store\n"
        "from molcaption.engine.runtimes import Generation\n"
        f"with open_store(Path({str(tmp_path / 'a')!r}), 'one') as store:\n"
        "    for i in range(100): store.add(str(i), Generation('x', 1.0, True))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with open_store(tmp_path / "a", "one") as store:
        assert len(store.known([str(i) for i in range(100)])) == 64


def test_two_at_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "a", "one") as first, open_store(tmp_path / "a", "one") as second:
        first.add("C", CAPTION)
        second.add("C", CAPTION)
        first.commit()
        second.commit()
        assert first.known(["C"]) == second.known(["C"]) == {"C": CAPTION}


def foreign(path: Path, table: str) -> bytes:
    """Somebody else's database, even one whose table has our name."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {table} (context, smiles, text, confidence, ended)")
        database.execute(f"INSERT INTO {table} VALUES ('one', 'C', 'precious', 1, 1)")
    return path.read_bytes()


@pytest.mark.parametrize("table", ["captions", "molecules"])
@pytest.mark.parametrize("temporary", [True, False])
def test_another_database_is_refused_and_left(tmp_path: Path, table: str, temporary: bool) -> None:
    path = tmp_path / "a"
    before = foreign(path, table)
    with (
        pytest.raises(CannotWriteError, match="in the way"),
        open_store(path, "one", temporary=temporary),
    ):
        pass
    remove_store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_database_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"precious" * 1000)
    with pytest.raises(CannotWriteError, match="in the way"), open_store(path, "one"):
        pass
    remove_store(path)
    assert path.read_bytes() == b"precious" * 1000


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with open_store(path, "one") as store:
        for i in range(2000):
            store.add(str(i), CAPTION)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    path.write_bytes(content)
    with pytest.raises(BadDataError, match="damaged"), open_store(path, "one") as store:
        store.known([str(i) for i in range(2000)])


def test_remove_store(tmp_path: Path) -> None:
    with open_store(tmp_path / "a", "one"):
        pass
    remove_store(tmp_path / "a")
    remove_store(tmp_path / "a")  # nothing there is fine
    assert list(tmp_path.iterdir()) == []


def test_no_folder_and_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError), open_store(tmp_path / "no" / "a", "one"):
        pass

    def full() -> None:
        with open_store(tmp_path / "a", "one"):
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(CannotWriteError, match="disk is full"):
        full()
