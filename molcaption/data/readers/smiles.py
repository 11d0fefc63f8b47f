"""SMILES files: one record a line, ``SMILES``, white space, name.

There is no sign by which a header could be told from a bad SMILES, so a header is skipped only on
request. A ChemAxon extension ``|...|`` after the SMILES belongs to it. Blank lines are no records.
"""

import re
from collections.abc import Iterator

from molcaption.data.readers.opening import as_text, open_text
from molcaption.data.readers.raw import RawRecord

_LINE = re.compile(r"(\S+(?:\s+\|[^|]*\|)?)\s*(.*)", re.DOTALL)


def read_smiles(path: str, has_header: bool = False) -> Iterator[RawRecord]:
    """Each line that is not blank, the first left out if it is a header."""
    with open_text(path) as text:
        for number, line in enumerate(text):
            if has_header and number == 0:
                continue
            if match := _LINE.fullmatch(as_text(line).strip()):
                smiles = re.sub(r"\s+(?=\|)", " ", match[1])
                yield RawRecord("smiles", smiles, id=match[2])
