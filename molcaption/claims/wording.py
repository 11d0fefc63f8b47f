"""How captions spell things: number words, multiplying prefixes, Greek letters, plurals."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {word: n for n, word in enumerate(_WORDS.split())} | {"a": 1, "an": 1, "both": 2}
_GREEK = "mono di tri tetra penta hexa hepta octa nona deca undeca dodeca"
MULTIPLIERS = {word: n for n, word in enumerate(_GREEK.split(), 1)} | {
    "bi": 2,
    "bis": 2,
    "tris": 3,
    "tetrakis": 4,
    "pentakis": 5,
    "hexakis": 6,
}
# Letters that print shops write in several ways; each stands for one character, so offsets stay.
_PLAIN = str.maketrans(dict.fromkeys("’′‘ʹ´`", "'") | dict.fromkeys("‐‑–−—", "-"))
_SPELT = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ω": "omega",
    "Δ": "Delta",
    "″": "''",
}
_MARK = r"(?:\d+[a-z]?'*|[nosc]\d*'*|alpha|beta|gamma|delta|omega|[dl]|sn|cis|trans|[zers])"
LOCANT = rf"(?:\(?(?:{_MARK}(?:[,:]\s?{_MARK})*)\)?-)"


def plain(text: str) -> str:
    """Lower case, with one kind of prime and hyphen and with Greek letters spelt out."""
    return spell(text)[0].lower()


def spell(text: str) -> tuple[str, Sequence[int]]:
    """The text with one kind of prime and hyphen, and with Greek letters spelt out.

    Second, the offset in ``text`` of each character of the result, and of its end.
    """
    if text.isascii():
        return text, range(len(text) + 1)
    text = text.translate(_PLAIN)
    pieces = [_SPELT.get(letter, letter) for letter in text]
    offsets = [i for i, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), [*offsets, len(text)]


def number(text: str) -> Any:
    """The number that a word, a multiplying prefix or digits say; other text as it is."""
    lowered = text.lower()
    if lowered.isdecimal():
        return int(lowered)
    return NUMBERS.get(lowered, MULTIPLIERS.get(lowered, text))


def starts(phrase: str) -> list[int]:
    """Where the words of a phrase begin, the parts of hyphened words included."""
    return [0, *(m.end() for m in re.finditer(r"[\s-]", phrase))]


def plural(name: str) -> str:
    """The plural of a lower-case noun."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "ch")) else "s")


def forms(name: str) -> Iterator[str]:
    """The name, its plural, and the singular of a plural."""
    lowered = plain(name)
    yield lowered
    yield plural(lowered)
    if lowered.endswith("s") and not lowered.endswith(("ss", "is", "us")):
        yield lowered[:-1]
