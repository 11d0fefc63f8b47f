"""Files that are written whole or not at all.

A temporary file in the same folder (so on the same file system) is filled, forced to disk and
renamed over the target; the folder is forced to disk too, or a power cut could undo the rename. On
any failure the temporary file goes and an existing target stays. Devices and pipes (``/dev/null``)
are written directly: renaming would replace them.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from molcaption.errors import CannotWriteError

STDOUT = "-"
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def check_target(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Tell before the work, not after it, that ``path`` cannot be written or must not be.

    Raises:
        CannotWriteError: ``path`` is one of ``inputs`` or a folder, or its folder is missing or
            read-only. Standard output ("-") and devices are always fine.
    """
    target = Path(path).resolve()
    if str(path) == STDOUT or (target.exists() and not target.is_file() and not target.is_dir()):
        return
    with cannot_write(path):
        _check_target(target)
    if any(Path(given).resolve() == target for given in inputs):
        raise CannotWriteError(f"{path}: is also an input; give another name for the output")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise CannotWriteError(f"{path}: cannot write: the folder {target.parent} is read-only")


@contextmanager
def atomic_write(path: str | Path, mode: Literal["wb", "w"] = "wb") -> Iterator[IO[Any]]:
    """The temporary file, readable too; it takes the place of ``path`` when the block succeeds.

    Args:
        mode: "w" for text, which is UTF-8 with line ends as they are.

    Raises:
        CannotWriteError: no such folder, no permission, ``path`` is a folder, disk full.
    """
    target = Path(path).resolve()  # a link stays a link, its target is replaced
    with cannot_write(path):
        _check_target(target)
    if target.exists() and not target.is_file():
        with cannot_write(path), _open(target, mode, "") as file:
            yield file
        return
    name = f".{target.name[:100]}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    temporary = target.with_name(name)
    try:
        with cannot_write(path), _open(temporary, mode, "x") as file:
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        with cannot_write(path):
            temporary.replace(target)
            _sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def cannot_write(path: str | Path) -> Iterator[None]:
    """Turn the disk's errors of the block into one clear line; others are not ours."""
    try:
        yield
    except OSError as error:
        ours = error.errno in _DISK_ERRORS or isinstance(
            error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
        )
        if not ours or (error.errno not in _DISK_ERRORS and not _names(error, path)):
            raise
        raise CannotWriteError(f"{path}: cannot write: {error.strerror}") from error


def _names(error: OSError, path: str | Path) -> bool:
    """Whether the error is about the output's folder and not about a file read meanwhile."""
    folder = Path(path).resolve().parent
    return error.filename is not None and Path(str(error.filename)).resolve().parent == folder


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise CannotWriteError(f"{target}: is a folder, expected a file name")
    if not target.parent.is_dir():
        raise CannotWriteError(f"{target}: the folder {target.parent} does not exist")


def _open(path: Path, mode: Literal["wb", "w"], exclusive: str) -> IO[Any]:
    # "w" would follow a planted link; "x" refuses anything that is there already.
    letter = "x" if exclusive else "w"
    plus = "+" if exclusive else ""
    if mode == "w":
        return path.open(f"{letter}{plus}", encoding="utf-8", newline="")
    return path.open(f"{letter}{plus}b")


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some network file systems cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
