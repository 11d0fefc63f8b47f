"""Open an input: plain or gzip, a file or standard input, whatever its encoding.

Text is decoded as latin-1, which never fails and keeps every byte, and `as_text` turns each piece
into UTF-8 where that is what it was. A single bad byte so costs one field its accents and not the
file its rest. Gzip is recognised by its first bytes, not by the name.
"""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from molcaption.errors import BadDataError, NoInputError

STDIN = "-"
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def check_input(path: str) -> None:
    """Refuse a missing, unreadable or empty file before any work is done.

    Raises:
        NoInputError: naming the file.
    """
    if path == STDIN:
        return
    file = Path(path)
    if file.is_dir():
        raise NoInputError(f"{path}: is a directory, expected a file")
    try:
        with file.open("rb") as handle:
            if not handle.read(1):
                raise NoInputError(f"{path}: the file is empty")
    except OSError as error:
        raise NoInputError(f"{path}: cannot read it: {error.strerror or error}") from error


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """The decompressed bytes of ``path`` ("-" is standard input)."""
    if path == STDIN:
        if sys.stdin is None or sys.stdin.closed:
            raise NoInputError("-: standard input is closed")
        yield _decompressed(sys.stdin.buffer)
        return
    with Path(path).open("rb") as handle:
        yield _decompressed(handle)


@contextmanager
def open_text(path: str, newline: str | None = None) -> Iterator[TextIO]:
    """The text of ``path`` as latin-1, see `as_text`; ``newline`` as for `open`.

    Raises:
        BadDataError: the file is UTF-16.
    """
    with open_bytes(path) as handle:
        buffered = io.BufferedReader(cast(io.RawIOBase, handle))
        start = buffered.peek(3)[:3]
        if start[:2] in _UTF16_MARKS:
            raise BadDataError(f"{path}: the text is UTF-16, expected UTF-8: convert it first")
        if start == _UTF8_MARK:
            buffered.read(3)
        text = io.TextIOWrapper(buffered, encoding="latin-1", newline=newline)
        try:
            yield text
        finally:
            text.detach()


def as_text(piece: str) -> str:
    """The text that a piece read as latin-1 stands for: UTF-8 if it is that, else latin-1."""
    if piece.isascii():
        return piece
    try:
        return piece.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return piece


def _decompressed(handle: BinaryIO) -> BinaryIO:
    buffered = io.BufferedReader(cast(io.RawIOBase, handle))
    if buffered.peek(2)[:2] == _GZIP_MAGIC:
        return cast(BinaryIO, gzip.GzipFile(fileobj=buffered, mode="rb"))
    return buffered
