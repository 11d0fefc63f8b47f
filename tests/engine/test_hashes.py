"""Digests that are kept: right after every kind of change, and never needed."""

import hashlib
import os
from pathlib import Path

import pytest

from molcaption.engine import hashes
from molcaption.engine.hashes import directory_sha256, file_hashes

NAMES = ["a.bin", "b.bin"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "files"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(name.encode() * 100)
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were hashed anew."""
    names: list[str] = []
    digest = hashlib.file_digest

    def counted(stream, algorithm):
        names.append(Path(stream.name).name)
        return digest(stream, algorithm)

    monkeypatch.setattr(hashes.hashlib, "file_digest", counted)
    return names


def expected(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES}


def test_each_file_is_read_once(files: Path, read: list[str]) -> None:
    for _ in range(3):
        assert file_hashes(files, NAMES) == expected(files)
    assert read == NAMES
    files.rename(files.with_name("renamed"))
    file_hashes(files.with_name("renamed"), NAMES[:1])
    assert read == NAMES


def test_a_changed_file_is_read_again(files: Path, read: list[str]) -> None:
    file_hashes(files, NAMES)
    path, before = files / "b.bin", (files / "b.bin").stat()
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # size and time as before
    assert file_hashes(files, NAMES) == expected(files)
    assert read == [*NAMES, "b.bin"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a.bin": 3, "b.bin": []}', '{"a.bin": [1]}'])
def test_a_damaged_cache_is_no_cache(files: Path, content: str) -> None:
    file_hashes(files, NAMES)
    (kept,) = (files.parent / "cache" / "molcaption").iterdir()
    kept.write_text(content)
    assert file_hashes(files, NAMES) == expected(files)


def test_no_place_for_a_cache(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files.parent / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(files.parent / "taken"))
    assert file_hashes(files, NAMES) == expected(files)


def test_nobody_is_at_home(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert file_hashes(files, NAMES) == expected(files)


def test_a_directory_is_its_names_and_contents(files: Path) -> None:
    before = directory_sha256(files)
    (files / "a.bin").rename(files / "c.bin")
    after = directory_sha256(files)
    assert after != before
    (files / "c.bin").rename(files / "a.bin")
    assert directory_sha256(files) == before
