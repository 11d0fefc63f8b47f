"""One run at a time for each output."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from molcaption.data.atomic import cannot_write
from molcaption.errors import LockedError


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold ``OUT.lock``; the system lets go of it when the process dies, however it dies.

    Raises:
        LockedError: another run holds it; at once, without waiting.
        CannotWriteError: the folder is missing or read-only.
    """
    path = output.with_name(f"{output.name}.lock")
    handle = _acquire(path, output)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is still held
        os.close(handle)


def _acquire(path: Path, output: Path) -> int:
    while True:
        with cannot_write(output):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise LockedError(
                f"{output}: another run (process {holder or 'unknown'}) is writing it; "
                "wait for it, or choose another output"
            ) from error
        # A run that has just ended may have removed the file that we opened.
        if _is_same(handle, path):
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
            return handle
        os.close(handle)


def _is_same(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
