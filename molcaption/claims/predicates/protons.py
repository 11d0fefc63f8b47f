"""Where protons were lost or won: "arising from deprotonation of both carboxy groups".

The text names the groups; each one named must be found in its charged form.
"""

import re
from collections.abc import Callable

from molcaption.claims.queries import kept_query
from molcaption.claims.structure import Structure

_TIMES = {"both": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
# What a caption calls a group, its charged form as loosely as records draw it (the negative charge
# of a carboxylate may sit on a phenol or enol nearby), and its proper charged form.
_Groups = tuple[tuple[str, str, str], ...]
_ANIONS: _Groups = (
    (r"carbox|carbonic", "[#6][OX1-]", "[CX3](=O)[OX1-]"),
    (r"phosph", "[#15]~[#8,#16;-]", "[#15]~[#8,#16;-]"),
    (r"sulf(?!anyl|on?amid|ur\b|amoyl|hydryl)", "[#16]~[OX1-]", "[#16]~[OX1-]"),
    (r"sulfanyl|thiol|sulfhydryl", "[#16-]", "[#16-]"),
    (r"hydroxy|phenol|enol", "[-]", "[#6,#7][O-]"),
)
_CATIONS: _Groups = (
    (
        r"amin|imin|nitrogen|guanid|imidazol|amidin|pyrid|piper|pyrrol",
        "[$([#7+;!H0]),$([H+])]",
        "[#7+;!H0]",
    ),
)


def _charged(structure: Structure, text: str, groups: _Groups, strictly: bool) -> int:
    """All the groups that ``text`` names are charged; if ``strictly``, it must name one."""
    named = 0
    said = text.lower()
    for word, loose, strict in groups:
        match = re.search(rf"(?:\b({'|'.join(_TIMES)})\b[^,]{{0,16}})?(?:{word})", said)
        if not match:
            continue
        named += 1
        times = _TIMES.get(match[1] or "", 1) if "carbox" in word else 1
        found = structure.mol.GetSubstructMatches(kept_query(strict if strictly else loose))
        if len(found) < times:
            return 0
    return int(bool(named) or not strictly)


def deprotonated(structure: Structure, text: str) -> int:
    """Every acidic group that ``text`` names occurs without its proton."""
    return _charged(structure, text, _ANIONS, strictly=False)


def surely_deprotonated(structure: Structure, text: str) -> int:
    """As `deprotonated`, with the charge where it belongs, and ``text`` does name a group."""
    return _charged(structure, text, _ANIONS, strictly=True)


def protonated(structure: Structure, text: str) -> int:
    """A protonated nitrogen occurs, if ``text`` names a nitrogen group."""
    return _charged(structure, text, _CATIONS, strictly=False)


def surely_protonated(structure: Structure, text: str) -> int:
    """As `protonated`, and ``text`` does name a nitrogen group."""
    return _charged(structure, text, _CATIONS, strictly=True)


PREDICATES: dict[str, Callable[..., int]] = {
    "deprotonated": deprotonated,
    "protonated": protonated,
    "surely_deprotonated": surely_deprotonated,
    "surely_protonated": surely_protonated,
}
