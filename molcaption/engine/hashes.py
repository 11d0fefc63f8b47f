"""SHA-256 of files and folders, read once: a large model is hashed at every start otherwise.

What was hashed is kept in the user's cache folder, one small file for each folder, found by the
folder's inode so that renaming keeps it. A file is not read again while its size, inode and times
are those of its entry; nobody can set back the time of its last change of status. A cache that
cannot be read or written costs time, nothing else.
"""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from molcaption.data.atomic import atomic_write
from molcaption.data.user_cache import cache_folder
from molcaption.errors import MolcaptionError

CARD = "README.md"
"""The model card: for people, who may add to it, so its hash is nobody's business."""
Entry = list[int | str]
"""What tells that a file is still the same, and its digest at the end."""


def file_hashes(directory: Path, names: Sequence[str]) -> dict[str, str]:
    """Hex digests of files of ``directory`` by name.

    Raises:
        OSError: a file is missing or cannot be read.
    """
    kept = _kept(directory)
    known = _read(kept)
    entries = {name: _entry(directory / name, known.get(name)) for name in names}
    if any(known.get(name) != entry for name, entry in entries.items()):
        _keep(kept, {**known, **entries})
    return {name: str(entry[-1]) for name, entry in entries.items()}


def directory_sha256(directory: Path) -> str:
    """One digest over the names and contents of a directory's files but its model card."""
    files = [path for path in directory.iterdir() if path.is_file() and path.name != CARD]
    names = sorted(path.name for path in files)
    digest = hashlib.sha256()
    for name, sha256 in file_hashes(directory, names).items():
        digest.update(f"{name} {sha256}\n".encode())
    return digest.hexdigest()


def contents_sha256(files: Sequence[Path]) -> str:
    """One digest over the contents of files of one directory, in order, whatever their names."""
    digests = file_hashes(files[0].parent, [file.name for file in files])
    return hashlib.sha256("\n".join(digests.values()).encode()).hexdigest()


def _entry(path: Path, known: Entry | None) -> Entry:
    stat = path.stat()
    stamp: Entry = [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
    if known is not None and known[:-1] == stamp:
        return known
    with path.open("rb") as stream:
        return [*stamp, hashlib.file_digest(stream, "sha256").hexdigest()]


def _kept(directory: Path) -> Path | None:
    stat = directory.stat()
    try:
        return cache_folder() / f"hashes-{stat.st_dev}-{stat.st_ino}.json"
    except RuntimeError:
        return None


def _read(path: Path | None) -> dict[str, Entry]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path else {}
        return {name: entry for name, entry in stored.items() if isinstance(entry, list) and entry}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep(path: Path | None, entries: dict[str, Entry]) -> None:
    if path is None:
        return
    with contextlib.suppress(OSError, MolcaptionError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, "w") as file:
            file.write(json.dumps(entries))
