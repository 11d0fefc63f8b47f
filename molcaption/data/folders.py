"""Folders that are written whole or not at all: models and bundles.

A hidden folder beside the target is filled and renamed over it at the end, so nobody ever sees half
a model under its name. An existing target is moved aside first and comes back if the rename fails.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from molcaption.data.atomic import cannot_write
from molcaption.errors import CannotWriteError


@contextmanager
def atomic_directory(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """An empty folder that becomes ``path`` when the block succeeds and vanishes otherwise.

    Args:
        force: replace what is at ``path``.

    Raises:
        CannotWriteError: ``path`` exists and ``force`` is false, the folder above it cannot be
            made or written, or the disk is full.
    """
    target = Path(path).resolve()
    check_directory(path, force=force)
    with cannot_write(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        mark = f"{os.getpid()}-{secrets.token_hex(4)}"
        temporary = target.with_name(f".{target.name[:100]}.{mark}.tmp")
        temporary.mkdir()
    try:
        with cannot_write(path):
            yield temporary
            _sync(temporary)
            _replace(temporary, target, target.with_name(f".{target.name[:100]}.{mark}.old"))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_directory(path: str | Path, *, force: bool) -> None:
    """Refuse a target in use before any work is done.

    Raises:
        CannotWriteError: ``path`` exists (an empty folder does not count) and ``force`` is false,
            or it is a file.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise CannotWriteError(f"{path}: is a file, expected a folder to write")
    if not force and target.is_dir() and any(target.iterdir()):
        raise CannotWriteError(f"{path}: exists already; give another folder, or --force")


def _sync(directory: Path) -> None:
    """Force all files to the disk: a power cut must not leave a folder of empty ones."""
    for path in directory.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _replace(temporary: Path, target: Path, aside: Path) -> None:
    existed = target.exists()
    if existed:
        target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        if existed:
            aside.rename(target)
        raise
    if existed:
        shutil.rmtree(aside)
