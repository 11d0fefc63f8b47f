"""Reads the amino acids that a text names: "two L-tryptophan and one L-valine residues".

Names and their parts may be glued ("L-alanylglycine") or be symbols ("Gly-Leu-Phe"). What stands
before a stem tells its series and whether its carbons carry something else ("2-fluoro…").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from molcaption.claims.predicates.amino_acids import rows

_NUMBERS = dict(
    zip("a an one two three four five six seven eight nine ten".split(), [1, 1, *range(1, 11)],
        strict=True)
)  # fmt: skip
_COUNT = re.compile(
    rf"(?:^|\s)({'|'.join(_NUMBERS)}|\d+)\s+(?:additional\s+|successive\s+|consecutive\s+)?$", re.I
)
_SERIES = re.compile(r"(?<![A-Za-z])([LD])-")
# Substituents of nitrogen, oxygen and sulfur leave the residue as it is, and so do linkage letters.
_OUTSIDE = re.compile(
    r"(?<![0-9A-Za-z])(?:N|O|S)(?:\(?\d*\)?|alpha|epsilon|omega|delta)'*(?:,(?:N|O|S)\w*)*-"
    r"(?:[a-z(),\[\]{}\d-]*?(?=[LD]-|$))?|[LD]-|(?:alpha|beta|gamma|delta|epsilon)-|allo-?|erythro-"
    r"|threo-|[^A-Za-z]+",
)
# A prefix that makes another amino acid of it.
_OTHER = re.compile(
    r"(?:homo|nor|iso|seleno|telluro|thio|aza|cyclo|des|pseudo|sec|tert|neo|ortho|meta|(?<![A-Za-z])[om]-|beta-?homo-?)$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Named:
    """An amino acid of a text: ``count`` times, its series (or none), and what came before it.

    ``modified``: its carbons may carry more, so that only the skeleton is left. ``key`` is none if
    the prefix makes it an amino acid that the table lacks.
    """

    start: int
    end: int
    key: str | None
    series: str
    count: int
    modified: bool
    ending: str


@lru_cache(maxsize=1)
def _pattern() -> tuple[re.Pattern[str], dict[str, str], dict[str, str]]:
    """The names as one expression, and the keys by stem and ending, and by symbol."""
    table = list(rows())
    keys = {stem + end: key for key, stem, _, ends in table for end in ends.split("|")}
    symbols = {symbol: key for key, _, symbol, _ in table if symbol != "-"}
    names = "|".join(sorted(map(re.escape, keys), key=len, reverse=True))
    stems = "|".join(sorted({re.escape(stem) for _, stem, _, _ in table}, key=len, reverse=True))
    short = "|".join(sorted(symbols, key=len, reverse=True))
    text = rf"(?P<name>(?i:{names}))(?:(?=s?(?![a-z]))|(?=(?:{stems})))"
    text += rf"|(?<![A-Za-z])(?P<symbol>{short})(?![a-z])"
    return re.compile(text), keys, symbols


@lru_cache(maxsize=4096)
def read_acids(text: str) -> tuple[Named, ...]:
    """The amino acids that ``text`` names, in its order."""
    return tuple(_read(text))


def _read(text: str) -> Iterator[Named]:
    pattern, keys, symbols = _pattern()
    last = 0
    for match in pattern.finditer(text):
        token = max(last, text.rfind(" ", 0, match.start()) + 1)
        before = text[token : match.start()]
        counted = (
            _COUNT.search(text, max(0, token - 24), token) if token > last or not last else None
        )
        series = _SERIES.findall(before)
        said = counted[1].lower() if counted else "1"
        name = match["name"]
        key = keys[name.lower()] if name else symbols[match["symbol"]]
        left = _OUTSIDE.sub("", before)
        yield Named(
            start=counted.start(1) if counted else token,
            end=match.end(),
            key=None
            if _OTHER.search(before) or (name and name.endswith(("inol", "inal")))
            else key,
            series=series[-1] if series else "",
            count=_NUMBERS.get(said) or int(said),
            modified=bool(left),
            ending=name.lower() if name else "",
        )
        last = match.end()


_TAIL = re.compile(
    r"\s(?:amino acid )?(?:residues?|units?|joined|linked|coupled|connected|moieties|in sequence"
    r"|via|by|condensed|attached|(?:in|with) which)\b"
)


# Words after which the residues are no longer as they are named.
LOOSE = re.compile(
    r"\b(?:in which|where|having|with|substituted|modified|core|lacking|derived|bridge|fused"
    r"|\w*peptide of|carrying|bearing|attached|replaced|cyclis|linked through|that|whose|moiety)"
)


def list_total(text: str) -> int:
    """Residues of a list "A, B and two C residues joined by peptide linkages"; 0 if not all known.

    What follows the list must name no other amino acid.
    """
    named = read_acids(text)
    if tail := _TAIL.search(text, max((one.end for one in named), default=0)):
        text = text[: tail.start()]
    if not named or any(one.key is None for one in named) or LOOSE.search(text):
        return 0
    position = total = 0
    for item in re.split(r",\s+(?:and\s+)?|\s+and\s+", text):
        begin = text.index(item, position)
        position = begin + len(item)
        inside = [one for one in named if begin <= one.start < position]
        if len(inside) != 1 or len(item[inside[0].end - begin :].split()) > 1:
            return 0
        total += inside[0].count
    return total if total > 1 else 0
