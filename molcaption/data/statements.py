"""A caption taken apart: its first sentence, and the statements that ChEBI's prose goes on with.

"It has a role as a drug metabolite. It is a ketone and a member of phenols. It derives from a
phenol." One sentence of each kind, each a list of entries, mostly in this order.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from molcaption.data.wording import join

CLASSES = "It is "
OPENINGS = (
    "It has a role as ",
    "It contains ",
    CLASSES,
    "It derives from ",
    "It is a conjugate base of ",
    "It is a conjugate acid of ",
    "It is a tautomer of ",
    "It is an enantiomer of ",
)
"""In the order in which they follow each other."""
_LONGEST_FIRST = sorted(OPENINGS, key=len, reverse=True)
_SENTENCES = re.compile(r"(?<=\.) (?=It )")
_FIRST_ENTRY = re.compile(r"an? |members? of ")
_SUBJECT = "The molecule is "
_CLAUSE = re.compile(
    r"[,;]? (?:that|which|in which|where|wherein|whose|the structure|having|with|consisting"
    r"|composed|comprising|comprised|containing|carrying|bearing|substituted|obtained|resulting"
    r"|derived|formed|arising)\b|;| \(|, (?!an? |members? of )"
)
_ENTRIES = re.compile(r"(?:, and |, | and )(?=an? |members? of |the |one |two |three |four )")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that lists: its opening, one of `OPENINGS`, and what follows, article and all."""

    opening: str
    entries: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.opening}{join(list(self.entries))}."


@dataclass(frozen=True, slots=True)
class Draft:
    """A caption's first sentence and the others, statements and plain prose."""

    head: str
    others: tuple[Statement | str, ...]


def read(caption: str) -> Draft:
    """``caption`` taken apart; `write` gives it back, but for entries that it says twice."""
    head, *others = _SENTENCES.split(caption)
    return Draft(head, tuple(map(_read_sentence, others)))


def classes(head: str) -> list[str]:
    """The classes that a first sentence begins with, article and all, without what it goes on to
    say of them; none where it begins in another way."""
    if not head.startswith(_SUBJECT):
        return []
    said = _CLAUSE.split(head.removeprefix(_SUBJECT).removesuffix("."), maxsplit=1)[0]
    return _ENTRIES.split(said)


def naming(entries: Sequence[str]) -> str:
    """The first sentence that names these classes and says no more."""
    return f"{_SUBJECT}{join(list(entries))}."


def write(head: str, others: Iterable[Statement | str]) -> str:
    """The caption of these sentences."""
    return " ".join([head, *map(str, others)])


def _read_sentence(sentence: str) -> Statement | str:
    for opening in _LONGEST_FIRST:
        listed = sentence.removeprefix(opening).removesuffix(".")
        if sentence == f"{opening}{listed}." and _FIRST_ENTRY.match(listed):
            entries = _ENTRIES.split(listed)
            # A clause among commas is prose: no list would have been written like that.
            if join(entries) == listed:
                return Statement(opening, tuple(dict.fromkeys(entries)))
    return sentence
