"""Finds what a caption asserts: class nouns, counted substituents and the lexicon's patterns.

A class noun counts only where the caption says what the molecule *is*; a substituent counts when
it is indefinite, counted or carried ("a methyl ester" is asserted, "the carboxy group of acetic
acid" is a precursor's). Which stretch of text means what is settled in `molcaption.claims.zones`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from molcaption.claims.entry import Concept
from molcaption.claims.lexicon import Lexicon
from molcaption.claims.names import find_names
from molcaption.claims.structure import Filled
from molcaption.claims.vocabulary import Term, Vocabulary, matches
from molcaption.claims.wording import NUMBERS, number, spell
from molcaption.claims.zones import Zone, find_zones

_COUNT = "|".join([*sorted(NUMBERS, key=len, reverse=True), r"\d{1,2}"])
_ADJECTIVE = (
    "additional|further|adjacent|geminal|vicinal|free|terminal|second|other|single|fused|adjacent"
    "|phenolic|alcoholic|primary|secondary|tertiary|extra|more|bridging"
)
_NAME = r"[\w\[({](?:[^\s,;.]|[,.](?=[\w'\"\[(]))*+"
_NOUN = (
    r"(?:functional )?groups?|substituents?|functions?|functionalit(?:y|ies)|residues?"
    r"|moiet(?:y|ies)|units?|rings?|bonds?|linkages?|side[ -]chains?|chains?|atoms?"
)
_NOUN_AHEAD = re.compile(rf" (?:{_NOUN})\b")
_BREAK = r"(?:,\s+(?:and\s+|or\s+)?|\s+and\s+)"
_LIST = re.compile(
    rf"(?<![\w\]),-])(?P<list>(?:(?:{_COUNT})\s+)?(?:(?:{_ADJECTIVE})\s+)*{_NAME}"
    rf"(?:{_BREAK}(?:(?:{_COUNT})\s+)?(?:(?:{_ADJECTIVE})\s+)*{_NAME}){{0,6}})\s+(?P<noun>{_NOUN})\b"
)
_LIST_ITEM = re.compile(
    rf"(?:^|{_BREAK})(?:(?P<count>{_COUNT})\s+)?(?:(?:{_ADJECTIVE})\s+)*(?P<name>{_NAME})"
)
_CARRIES = re.compile(
    r"\b(?:by|with|carrying|bearing|having|containing|contains|carries|bears|has|additional)\s+$"
)
# "the hydroxy group of X" is another compound's; "the two hydroxy groups are at positions 3 and 5"
# are the molecule's; groups that "are replaced" are gone.
_DEFINITE = re.compile(r"\b(?:of|the|from|each|its|to|across)\s+(?:all\s+)?(?:[\d,']+\s+)?$", re.I)
_LOCATED = re.compile(
    r"\s+(?:(?:are|is)\s+(?:at|placed)\s|(?:(?:are|is)\s+)?(?:located|positioned|situated)\s)"
)
_REPLACED = re.compile(
    r"\s+(?:(?:is|are|has|have)\s+(?:been\s+)?)(?:each\s+|both\s+|formally\s+)?"
    r"(?:replaced|converted|removed|substituted|esterified|acylated|lost|reduced|oxidised|oxidized"
    r"|deprotonated|anionic|ionised|ionized|protonated|methylated)\b"
)
# "It contains a carboxylic acid group, an ester and two ketones": class nouns that the body lists.
_HAVING = re.compile(
    r"\b(?:contain(?:s|ing)|featur(?:es|ing)|possess(?:es|ing)|includ(?:es|ing)|compris(?:es|ing)"
    r"|has|have|having|bear(?:s|ing)|carr(?:ies|ying)|with)\s+"
)
_PART = re.compile(
    rf"(?P<count>{_COUNT})\s+(?:(?:additional|further|free|terminal|second|other)\s+)?"
    rf"(?P<name>\w[\w()'-]*(?: [\w-]+){{0,3}}?)(?P<noun>\s+(?:{_NOUN}))?"
    r"(?=\s*(?:[,.;]|$|(?:and|or|attached|linked|connected|bound|at|on|in)\b))"
)
_NEXT_PART = re.compile(_BREAK)
_LOCANTS = re.compile(
    r"\s+(?:located\s+)?(?:at|on)\s+(?:the\s+)?(?:positions?\s+)?"
    r"(?P<list>C?-?\d+'*[a-z]?(?:(?:,\s*(?:and\s+)?|\s+and\s+)C?-?\d+'*[a-z]?)+)"
    r"(?![^.;]*respectively)",
    re.I,
)
_NEGATED = re.compile(
    rf"\b(?:(?:lack(?:s|ing)?|without)\s+(?:an?|any)|contain(?:s|ing)\s+no|has\s+no)\s+(?P<name>{_NAME})"
    rf"\s+(?:{_NOUN})\b(?!\s+(?:at|on|in|of)\b)"
)
_WHOLE = ("ring", "bond", "linkage", "chain", "atom")


class Mention(NamedTuple):
    """What a stretch ``[start, end)`` of the caption asserts.

    ``concept``: lexicon id, or None if unknown. ``expected``: the least count. ``filled``: the
    arguments of a parametric test. ``scope``: the zone it stands in. ``reason``: why it cannot be
    judged. ``skeleton``: only elements and connectivity are claimed, and their hit supports.
    """

    start: int
    end: int
    text: str
    concept: str | None
    expected: int = 1
    filled: Filled = ()
    scope: str = "class"
    polarity: str = "positive"
    reason: str | None = None
    skeleton: bool = False


@lru_cache(maxsize=8)
def _vocabulary(key: str, holder: "_Holder") -> Vocabulary:
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
    return _vocabulary(lexicon.hash, _Holder(lexicon))


def find_mentions(caption: str, lexicon: Lexicon) -> list[Mention]:
    """Every mention in ``caption``, in the order of the text."""
    text, offsets = spell(caption)
    found = sorted(_find(text, lexicon), key=lambda m: (m.start, -m.end, m.concept or ""))
    return found if text == caption else [_moved(m, caption, offsets) for m in found]


def _moved(mention: Mention, caption: str, offsets: Sequence[int]) -> Mention:
    """The mention with the offsets of the caption that it was spelt from."""
    start, end = offsets[mention.start], offsets[mention.end - 1] + 1 if mention.end else 0
    return mention._replace(start=start, end=end, text=caption[start:end])


def _find(caption: str, lexicon: Lexicon) -> Iterator[Mention]:
    names = vocabulary(lexicon)
    active = names.patterns.active(caption.lower())
    for zone in find_zones(caption):
        if zone.kind == "class":
            yield from _class(caption, zone, names)
        elif zone.kind == "body":
            yield from _groups(caption, zone, names)
            yield from _parts(caption, zone, names)
        if zone.kind in ("body", "origin"):
            yield from _negated(caption, zone, names)
        yield from _named(caption, zone, names)
        yield from _patterns(caption, zone, active)


def _class(caption: str, zone: Zone, names: Vocabulary) -> Iterator[Mention]:
    left = caption[zone.start : zone.end].lstrip(" .;,\n")
    if phrase := left.rstrip(" .;,\n"):
        for term in names.read_phrase(phrase):
            yield _mention(caption, zone.end - len(left), term, "class", len(phrase))


def _mention(caption: str, offset: int, term: Term, scope: str, length: int) -> Mention:
    start, end = offset + min(term.start, length), offset + min(term.end, length)
    return Mention(
        start, end, caption[start:end], term.concept, term.times, term.filled, scope,
        reason=term.reason, skeleton=term.skeleton,
    )  # fmt: skip


def _named(caption: str, zone: Zone, names: Vocabulary) -> Iterator[Mention]:
    """What the names of parents and relatives leave in the molecule: skeletons and elements."""
    for start, end in find_names(caption, zone):
        for term in names.read_name(caption[start:end]):
            yield _mention(caption, start, term, zone.kind, end - start)


def _patterns(caption: str, zone: Zone, active: Iterable[Concept]) -> Iterator[Mention]:
    """Mentions that the lexicon describes by a regular expression over a zone."""
    for concept in active:
        if zone.kind not in concept.zones or zone.kind == "class":
            continue  # class zones are read with their phrase
        for start, end, filled in matches(concept, caption, zone.start, zone.end):
            yield Mention(start, end, caption[start:end], concept.id, 1, filled, zone.kind)


def _groups(caption: str, zone: Zone, names: Vocabulary) -> Iterator[Mention]:
    """Substituents, rings and bonds that the body says the molecule has."""
    if not _NOUN_AHEAD.search(caption, zone.start, zone.end):
        return
    for match in _LIST.finditer(caption, zone.start, zone.end):
        listed, noun = match["list"], match["noun"].lower()
        before = caption[max(zone.start, match.start() - 30) : match.start()]
        items = list(_LIST_ITEM.finditer(listed))
        carried = bool(_CARRIES.search(before))
        said = _LOCATED.match(caption, match.end(), zone.end)
        if _DEFINITE.search(before) and not (said and before.endswith("the ")):
            continue
        if _REPLACED.match(caption, match.end(), zone.end):
            continue
        located = _LOCANTS.match(caption, match.end(), zone.end)
        for item in items:
            if item["count"] is None and not carried:
                continue
            count = _count(item, located, len(items), noun)
            offset = match.start("list") + item.start("name")
            yield from _group(caption, offset, item["name"], noun, count, names)


def _parts(caption: str, zone: Zone, names: Vocabulary) -> Iterator[Mention]:
    """Functional groups under the names of classes, where a verb of having lists them."""
    for verb in _HAVING.finditer(caption, zone.start, zone.end):
        position = verb.end()
        while part := _PART.match(caption, position, zone.end):
            if (concept := _part(part["name"].lower(), part["noun"], names)) is not None:
                count = int(number(part["count"]))
                yield Mention(*part.span("name"), part["name"], concept, count, scope="body")
            step = _NEXT_PART.match(caption, part.end(), zone.end)
            if step is None:
                break
            position = step.end()


def _part(name: str, noun: str | None, names: Vocabulary) -> str | None:
    """The concept of "a NAME" or "a NAME group"; `_groups` reads those of one word and a noun."""
    if noun is not None:
        found = names.groups.get(name) or names.classes.get(name) if " " in name else None
    else:  # an "acetate" that a salt contains is an ion, not an ester
        found = None if name.endswith(("ate", "ates")) else names.classes.get(name)
    # A computed test is about the whole molecule: a "disaccharide" has two sugars and no more.
    test = names.lexicon.concepts[found].test if found else None
    return found if test is not None and test.query is not None else None


def _negated(caption: str, zone: Zone, names: Vocabulary) -> Iterator[Mention]:
    """Groups that the caption denies: "lacking a hydroxy group", "contains no nitro groups"."""
    for match in _NEGATED.finditer(caption, zone.start, zone.end):
        concept = names.groups.get(match["name"].lower())
        if concept is not None:
            span = match.span("name")
            yield Mention(*span, match["name"], concept, scope=zone.kind, polarity="negative")


def _count(item: re.Match[str], located: re.Match[str] | None, n: int, noun: str) -> int:
    """The number said, or as many as there are positions if one plural noun has them all."""
    said = item["count"]
    if said is not None and said.lower() not in ("a", "an"):
        return int(number(said)) if isinstance(number(said), int) else 1
    if located is not None and n == 1 and noun.endswith("s"):
        return len(re.findall(r"\d+", located["list"]))
    return 1


def _group(
    caption: str, offset: int, name: str, noun: str, count: int, names: Vocabulary
) -> Iterator[Mention]:
    """What one item of a list says; rings and bonds keep their noun ("benzene ring")."""
    end = offset + len(name)
    whole = f"{name.lower()} {noun.rstrip('s').replace('-', ' ')}"
    if (concept := names.groups.get(whole)) is not None:
        yield Mention(offset, end, caption[offset:end], concept, count, scope="body")
        return
    if noun.startswith(_WHOLE):
        return
    for term in names.read_group(name):
        times = term.times * count
        start, stop = offset + min(term.start, len(name)), offset + min(term.end, len(name))
        yield Mention(start, stop, caption[start:stop], term.concept, times, scope="body")
