"""Numbers and articles in English: the small grammar that written-by-code sentences need."""

import re

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_SPOKEN_VOWELS = frozenset(("N-", "S-", "O-", "A-", "E-", "H-", "R-"))
_WRITTEN_VOWELS = r"[aeio]|un(?!i)|ur(?!e)"


def number(n: int) -> str:
    """Words up to twelve, digits from there."""
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def count_noun(n: int, noun: str) -> str:
    """``a hydroxy group``, ``two hydroxy groups``."""
    return a_or_an(noun) if n == 1 else f"{number(n)} {noun}s"


def a_or_an(noun: str) -> str:
    """``noun`` with its indefinite article."""
    if noun[:1].isdigit():
        vowel = re.match(r"8|1[18](?!\d)", noun)
        return f"{'an' if vowel else 'a'} {noun}"
    letter = re.match(r"[A-Z]-", noun)
    spoken = noun.lstrip("(").lower()
    sounds = letter[0] in _SPOKEN_VOWELS if letter else re.match(_WRITTEN_VOWELS, spoken)
    return f"{'an' if sounds else 'a'} {noun}"


def join(items: list[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
