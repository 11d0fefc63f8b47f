"""Finds what a caption asserts: class nouns, counted substituents, charges and formulas.

Scope decides meaning. A class noun counts only where the caption says what the molecule *is*
("The molecule is an X that …", "It is an X, a Y and a member of Z") and only as the head of its
noun phrase; a substituent counts when it is indefinite or counted ("a methyl ester" is asserted,
"the carboxy group of acetic acid" is a precursor's). Roles, origins and relatives are out of scope.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache

from molcaption.claims.lexicon import Lexicon

_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {word: n for n, word in enumerate(_WORDS.split())} | {"a": 1, "an": 1, "both": 2}
MULTIPLIERS = {"mono": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6, "hepta": 7}

# Substituent prefixes that leave the parent's class as it is: a dihydroxyflavone is a flavone.
_PREFIXES = ("hydroxy", "methoxy", "chloro", "fluoro", "bromo", "iodo", "nitro")

_SENTENCE = re.compile(r"[^.;]*(?:[.;](?!\s|$)[^.;]*)*[.;]?", re.S)
_IS = re.compile(r"\s*(?:the molecule|it|this compound|the compound)\s+is\s+(?:also\s+)?", re.I)
# A sentence that opens like this says what the molecule comes from, does or resembles.
_OUT = re.compile(
    r"\b(?:role as|derives? from|conjugate (?:acid|base) of|functionally related|tautomer of"
    r"|enantiomer of|diastereoisomer of|derivative of|analogue of|precursor (?:of|to)|metabolite of"
    r"|inhibit\w*|deprotonation|condensation|esterification|loss of|replacement of|oxidation of"
    r"|reduction of|hydrolysis|removal of|conversion|transfer of|cyclisation|linked|protonation"
    r"|without|lacking|lacks|instead of|rather than|no longer|not)\b",
    re.I,
)
# Ends the noun phrase that says what the molecule is.
_NP_END = re.compile(
    r"\s(?:that|which|obtained|resulting|derived|formed|in|having|with|where|wherein|whose|consisting"
    r"|composed|comprising|arising|isolated|found|produced|used|substituted|carrying|bearing"
    r"|containing|of|from|by|at|on|for|to|as|is|are|made|built|and (?!a\b|an\b|member)\w+"
    r"|constructed|formally|synthesi[sz]ed|present|known|isolable|the|between|under|via|or)\b"
    r"|[.;(]\s|[.;]$|\s\(",
)
_MEMBER = re.compile(r"(?:an? |the )?members? of (?:the )?(?:class of )?", re.I)
_ARTICLE = re.compile(r"(?:an?|the)\s+", re.I)
_ITEM_BREAK = re.compile(
    r",?\s+and\s+(?=an?\b|members?\b|the\b)|,\s+(?=an?\s|members?\s|the\s)|,\s"
)
# "dicarboxylic acids and O-substituted derivatives" is a class of its own.
_WIDER_CLASS = re.compile(r"\s+and\s+(?:their\s+|[NOS]-substituted\s+)?derivatives", re.I)
_CHARGE_SUFFIX = re.compile(r"\((\d+)([+-])\)$")
_NET_CHARGE = re.compile(r"\bnet charge of (?P<sign>[+-]?)(?P<value>\d+)", re.I)
_FORMULA = re.compile(r"\bmolecular formula (?:of )?(?P<formula>[A-Z][A-Za-z0-9*]*(?:[+-]\d*)?)")
_LOCANTS = r"(?:positions?\s+)?C?-?\d+'*[a-z]?(?:(?:,\s*(?:and\s+)?|\s+and\s+)C?-?\d+'*[a-z]?)+"
_GROUP_NOUN = r"(?:groups?|substituents?|functions?|functionalit(?:y|ies)|residues?|moiet(?:y|ies))"
# Prefixes that take the noun out of its class: a seco-steroid has no steroid skeleton.
_PRIVATIVE = re.compile(
    r"\b(?:non|nor|seco|homo|cyclo|abeo|aza|thia|oxa|thio|seleno|pseudo|anhydro|retro|carba|bis|nido)"
    r"[- ]?$|\bnon-\w*\s?$|(?:like|type)[- ]?$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """What a stretch ``[start, end)`` of the caption asserts.

    ``kind``: class, group, charge or formula. ``concept``: lexicon id, or None if unknown.
    ``expected``: the count, charge or formula asserted. ``reason``: why it cannot be judged.
    """

    start: int
    end: int
    text: str
    kind: str
    concept: str | None
    expected: int | str | None = None
    scope: str = "asserted"
    polarity: str = "positive"
    reason: str | None = None


class Vocabulary:
    """Names of a lexicon indexed for look-up, in singular and plural."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.classes: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        for concept in lexicon.concepts.values():
            for name in concept.names:
                for form in _forms(name):
                    self.classes.setdefault(form, concept.id)
            for name in concept.groups:
                self.groups.setdefault(name.lower(), concept.id)
        self.longest = max((len(name.split()) for name in self.classes), default=1)
        plain = [name for name in self.groups if not name.endswith((" ring", " bond"))]
        whole = [name for name in self.groups if name.endswith((" ring", " bond"))]
        listed = "|".join(sorted(map(re.escape, plain), key=len, reverse=True)) or "(?!)"
        units = "|".join(sorted(map(re.escape, whole), key=len, reverse=True)) or "(?!)"
        counts = "|".join([*NUMBERS, r"\d{1,2}"])
        self.group = re.compile(
            rf"(?<![\w-])(?P<count>{counts})\s+(?:additional |further |adjacent |geminal |free )?"
            rf"(?:(?P<name>{listed})(?=\s+{_GROUP_NOUN}\b"
            rf"|(?:,?\s+and\s+(?:an?\s+)?|,\s+(?:an?\s+)?)[\w-]+\s+{_GROUP_NOUN}\b)"
            rf"|(?P<unit>{units})s?\b)",
            re.I,
        )
        # "hydroxy groups at positions 3 and 7": as many as there are locants.
        self.located = re.compile(
            rf"(?:by|with|carrying|bearing|having|containing|additional)\s+(?P<name>{listed})\s+"
            rf"(?:groups|substituents)\s+(?:located\s+)?at\s+(?:the\s+)?(?P<locants>{_LOCANTS})"
            r"(?![^.;]*respectively)",
            re.I,
        )
        prefixes = "|".join(name for name in _PREFIXES if name in self.groups) or "(?!)"
        self.derived = re.compile(
            rf"(?P<times>{'|'.join(MULTIPLIERS)})?(?P<name>{prefixes})-?(?P<rest>\S.*)", re.I
        )

    def find_class(self, phrase: str) -> tuple[str, int] | None:
        """Concept named by the end of ``phrase`` (its head) and where that name starts."""
        lowered = phrase.lower()
        starts = [0] + [m.end() for m in re.finditer(r"[\s-]", lowered)]
        for start in starts:
            concept = self.classes.get(lowered[start:])
            if concept is not None:
                return concept, start
        return None


@lru_cache(maxsize=8)
def _vocabulary(key: tuple[str, str], holder: "_Holder") -> Vocabulary:
    return Vocabulary(holder.lexicon)


class _Holder:
    """Carries a lexicon past the cache, which keys on its hash alone."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.lexicon.hash == self.lexicon.hash

    def __hash__(self) -> int:
        return hash(self.lexicon.hash)


def vocabulary(lexicon: Lexicon) -> Vocabulary:
    """The lexicon's names, indexed once per lexicon."""
    return _vocabulary((lexicon.version, lexicon.hash), _Holder(lexicon))


def _forms(name: str) -> Iterator[str]:
    """The name and the plural or singular that English would make of it."""
    lowered = name.lower()
    yield lowered
    if lowered.endswith("s") and not lowered.endswith(("ss", "is", "us")):
        yield lowered[:-1]
    if lowered.endswith("y") and lowered[-2:-1] not in "aeiou":
        yield lowered[:-1] + "ies"
    elif lowered.endswith(("s", "x", "ch")):
        yield lowered + "es"
    else:
        yield lowered + "s"


def find_mentions(caption: str, lexicon: Lexicon) -> list[Mention]:
    """Every mention in ``caption``, in the order of the text; overlaps keep the longest."""
    names = vocabulary(lexicon)
    found: list[Mention] = []
    for match in _SENTENCE.finditer(caption):
        if match.group():
            found.extend(_sentence(match.group(), match.start(), names))
    return sorted(found, key=lambda mention: (mention.start, -mention.end))


def _sentence(sentence: str, offset: int, names: Vocabulary) -> Iterator[Mention]:
    opening = _IS.match(sentence)
    body_from = 0
    if opening:
        body_from = yield from _classes(sentence, opening.end(), offset, names)
    yield from _groups(sentence, body_from, offset, names)
    yield from _located(sentence, body_from, offset, names)
    for match in _NET_CHARGE.finditer(sentence):
        value = int(match["value"]) * (-1 if match["sign"] == "-" else 1)
        span = (offset + match.start(), offset + match.end())
        yield Mention(*span, match.group(), "charge", None, value)
    for match in _FORMULA.finditer(sentence):
        span = (offset + match.start(), offset + match.end())
        yield Mention(*span, match.group(), "formula", None, match["formula"])


def _classes(
    sentence: str, start: int, offset: int, names: Vocabulary
) -> Generator[Mention, None, int]:
    """Class nouns of "is an X, a Y and a member of Z …"; returns where the noun phrase ends."""
    position = start
    while position < len(sentence):
        member = _MEMBER.match(sentence, position)
        article = member or _ARTICLE.match(sentence, position)
        begin = article.end() if article else position
        if begin == position and position == start:
            return position  # "It is soluble in water": no class at all
        stop = _item_end(sentence, begin)
        phrase = sentence[begin:stop].strip(" .;,")
        if phrase and not _WIDER_CLASS.match(sentence, stop):
            named = _class_mention(phrase, begin + offset, names)
            derived = list(_derived_count(phrase, begin + offset, names))
            if named.reason != "unknown_term" or not derived:
                yield named
            yield from derived
        brk = _ITEM_BREAK.match(sentence, stop)
        if not brk:
            return stop
        position = brk.end()
    return position


def _item_end(sentence: str, begin: int) -> int:
    """End of one noun phrase: a break of the list or a word that opens a clause."""
    ends = [len(sentence)]
    for pattern in (_ITEM_BREAK, _NP_END):
        if match := pattern.search(sentence, begin):
            ends.append(match.start())
    return min(ends)


def _class_mention(phrase: str, start: int, names: Vocabulary) -> Mention:
    span = (start, start + len(phrase))
    if _OUT.search(phrase) or re.search(r"conjugate|tautomer|enantiomer|isomer", phrase):
        return Mention(*span, phrase, "class", None, scope="relation", reason="out_of_scope")
    if charge := _CHARGE_SUFFIX.search(phrase):
        value = int(charge[1]) * (1 if charge[2] == "+" else -1)
        return Mention(*span, phrase, "charge", None, value)
    hit = names.find_class(phrase)
    if hit is None:
        return Mention(*span, phrase, "class", None, reason="unknown_term")
    concept, head = hit
    if _PRIVATIVE.search(phrase[:head]):
        return Mention(*span, phrase, "class", concept, reason="insufficient_structure")
    return Mention(*span, phrase, "class", concept)


def _derived_count(phrase: str, start: int, names: Vocabulary) -> Iterator[Mention]:
    """ "trihydroxyflavone" asserts flavone (if that is a name) and three hydroxy groups."""
    word = phrase.rsplit(" ", 2)[-1] if " acid" not in phrase else " ".join(phrase.split()[-2:])
    match = names.derived.fullmatch(word)
    if not match or _CHARGE_SUFFIX.search(word):
        return
    begin = start + phrase.rfind(word)
    group = names.groups[match["name"].lower()]
    parent = names.find_class(match["rest"])
    span = (begin, begin + len(word))
    if parent is None or parent[1] != 0:
        return
    if names.classes.get(word.lower()) is None:
        yield Mention(*span, word, "class", parent[0])
    yield Mention(*span, word, "group", group, MULTIPLIERS.get((match["times"] or "").lower(), 1))


def _located(sentence: str, start: int, offset: int, names: Vocabulary) -> Iterator[Mention]:
    """Substituents counted by the positions they are at."""
    for match in names.located.finditer(sentence, start):
        if _OUT.search(sentence[start : match.start()]):
            continue
        count = len(re.findall(r"\d+", match["locants"]))
        span = (offset + match.start("name"), offset + match.end())
        text = sentence[match.start("name") : match.end()]
        yield Mention(*span, text, "group", names.groups[match["name"].lower()], count)


def _groups(sentence: str, start: int, offset: int, names: Vocabulary) -> Iterator[Mention]:
    """Indefinite or counted substituents, out of scope where the clause is about a precursor."""
    for match in names.group.finditer(sentence, start):
        text = match.group()
        name = (match["name"] or match["unit"]).lower()
        before = sentence[max(0, start - 1) : match.start()]
        word = match["count"].lower()
        count = NUMBERS[word] if word in NUMBERS else int(word)
        span = (offset + match.start(), offset + match.end())
        if _OUT.search(before) or re.search(r"\b(?:of|the|from|each|its)\s*$", before):
            yield Mention(
                *span, text, "group", names.groups[name], count, "precursor", reason="out_of_scope"
            )
        else:
            yield Mention(*span, text, "group", names.groups[name], count)
