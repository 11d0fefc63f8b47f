"""SD files and mol files, V2000 and V3000, split here and not by RDKit's supplier.

RDKit's supplier loses the place after some damaged records and needs a seekable file. Splitting on
lines that begin with ``$$$$`` keeps every record apart: a bad one costs one row. Line ends may be
LF, CRLF or CR. Format: CTfile Formats, BIOVIA, chapter "SDfiles".
"""

import re
from collections.abc import Iterable, Iterator

from molcaption.data.readers.opening import as_text, open_text
from molcaption.data.readers.raw import RawRecord

_TAG = re.compile(r"^>.*?<(.+)>")
_HEADER_LINES = 3


def read_sdf(path: str) -> Iterator[RawRecord]:
    """Each record's mol block, title and data items; the last may lack its ``$$$$``."""
    with open_text(path) as text:
        for lines in split_records(text):
            yield _record(lines)


def split_records(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lines of each record without the ``$$$$`` line; blank lines after the last are no record."""
    record: list[str] = []
    for line in lines:
        if line.startswith("$$$$"):
            yield record
            record = []
        else:
            record.append(line)
    if any(line.strip() for line in record):
        yield record


def _record(lines: list[str]) -> RawRecord:
    end = _block_length(lines)
    title = as_text(lines[0]).strip() if lines else ""
    return RawRecord(
        kind="molblock",
        payload=as_text("".join(lines[:end])),
        id=title,
        properties=parse_tags(lines[end:]),
    )


def _block_length(lines: list[str]) -> int:
    for number, line in enumerate(lines[_HEADER_LINES:], start=_HEADER_LINES):
        if line.startswith("M  END"):
            return number + 1
        if line.startswith(">") and _TAG.match(line):  # no "M  END": RDKit will say so
            return number
    return len(lines)


def parse_tags(lines: list[str]) -> dict[str, str]:
    """Data items in order: ``> <NAME>``, then the value up to a blank line.

    Lines after the blank line that start no new item still belong to the value (writers forget to
    escape), and a name that comes twice gets ``_2``: nothing is lost.
    """
    tags: dict[str, list[str]] = {}
    value: list[str] = []
    blank = True
    for line in (line.rstrip("\n") for line in lines):
        if blank and line.startswith(">"):
            value = tags.setdefault(_free_name(_tag_name(line), tags), [])
        else:
            value.append(line)
        blank = not line
    return {name: as_text("\n".join(value).rstrip("\n")) for name, value in tags.items()}


def _tag_name(line: str) -> str:
    match = _TAG.match(line)
    return as_text(match[1] if match else line[1:]).strip()


def _free_name(name: str, taken: dict[str, list[str]]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
