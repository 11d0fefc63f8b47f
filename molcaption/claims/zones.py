"""Cuts a caption into zones, since scope decides what a word means.

A sentence that says what the molecule *is* has a ``class`` zone ("is an X, a Y and a member of
Z"), a ``body`` ("that carries two hydroxy groups …") and an ``origin`` (how it comes about:
"obtained by condensation of the carboxy group of A with …"). A sentence about a relative ("is a
conjugate base of", "derives from") is a ``relation`` zone. Roles and occurrence are no zone at all.
"""

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

# A full stop ends a sentence before a space, and glued to the next one ("an acid.Aspirin is …").
_SENTENCE = re.compile(r"[^.;]*(?:[.;](?!\s|$|(?<=[a-z)][.])[A-Z(][a-z\d])[^.;]*)*[.;]?", re.S)
_IS = re.compile(
    r"\s*(?:(?:the|this)\s+(?:molecule|compound|substance|structure)|it|they)\s+(?:is|are|was)\s+"
    r"(?:also\s+|thus\s+|formally\s+|therefore\s+)?",
    re.I,
)
# "Aspirin is a member of …", and the bare definition "A steroid that …", only as first sentences.
_NAMED = re.compile(r"\s*[^\s.;,][^.;]{0,150}?\s(?:is|are)\s+(?=an?\s|the\s|members?\s)")
_BARE = re.compile(r"\s*(?=(?:An?|Any|The)\s)")
# Any other sentence is about the molecule only if it says so.
_ABOUT_IT = re.compile(
    r"\s*(?:(?:it|the (?:molecule|compound|structure)|this (?:molecule|compound|structure))\s+"
    r"(?:also\s+|formally\s+)?(?:is|are|has|have|contains?|carr(?:y|ies)|bears?|possess(?:es)?"
    r"|consists?|compris(?:es|ed)|features?|includes?|lacks|results?|arises?|differs|carried|exists"
    r"|forms?|shows)\b|contain|carr(?:y|ies)|bear|has\b|having|possess|consist|with\b|compris"
    r"|in which|where|its (?:molecular|molar|net|longest)\b)",
    re.I,
)
_SUBJECT = re.compile(r"\s*(?:it|(?:the|this) (?:molecule|compound|structure))\s", re.I)
_KNOWN_AS = re.compile(
    r"\s*[^.;]{0,200}?\bbelongs? to (?:the )?class of (?:organic |chemical )?(?:compounds|entities)"
    r" known as\s+",
    re.I,
)
_ROLE = re.compile(
    r"\s*(?:it|the molecule|this compound)?\s*(?:has|have|is|was|are|acts|plays|shows|exhibits)\s+"
    r"(?:(?:an?|the)\s+)?(?:roles?\b|used|known|found|isolated|active|functional parent|produced|"
    r"initially|mainly|effective|often|commonly|widely|potent)",
    re.I,
)
_RELATION = re.compile(
    r"(?:(?:an?|the)\s+)?(?:conjugate (?:acid|base)|enantiomer|tautomer|diastereoisomer"
    r"|diastereomer|stereoisomer|isomer|functionally related|metabolite of|derivative of|epimer)\b",
    re.I,
)
_METABOLITE = re.compile(r"(?:an?\s+)?metabolite", re.I)  # need not share anything with it
_DERIVES = re.compile(
    r"\s*(?:it|the molecule|this compound)?\s*(?:derives?|is derived)\s+from", re.I
)
_ORIGIN = re.compile(
    r"\b(?:derives? from|derived from|conjugate (?:acid|base) of|functionally related"
    r"|tautomer of|enantiomer of|diastereoisomer of|derivative of"
    r"|(?:de)?protonation|condensation|esterification|loss of"
    r"|replacement of|oxidation of|reduction of|hydrolysis|removal of|conversion|transfer of"
    r"|cyclisation|linked|without|lacking|lacks|instead of|rather than|no longer|not)\b"
)
# Case matters in these two: ignoring it makes them three times as slow, and prose is lower case.
# From here on a sentence speaks of something else.
_ELSEWHERE = re.compile(
    r"\b(?:inhibit\w*|whereas|analogue of|precursor (?:of|to)|metabolite of|biosynthesis"
    r"|chelat\w+|combines with|appears as|complexes with|blocks?|blocking|salt of which|followed by"
    r"|activit(?:y|ies)|(?:ant)?agonist|used (?:as|in|for|to)|treatment of|receptors?)\b"
)
_ROLE_NOUN = re.compile(
    r"\b(?:inhibitor|agonist|antagonist|modulator|blocker|activator|prodrug|analog|analogue"
    r"|precursor|substrate|ligand|probe)s?\s*$"
)
# Ends the noun phrase that says what the molecule is.
_NP_END = re.compile(
    r"\s(?:that|which|obtained|resulting|derived|formed|in|having|with|where|wherein|whose|consisting"
    r"|composed|comprising|arising|prepared|isolated|found|produced|used|substituted|carrying|bearing"
    r"|containing|of|from|by|at|on|for|to|as|is|are|made|built|and (?!a\b|an\b|member)\w+"
    r"|constructed|formally|synthesi[sz]ed|present|known|isolable|the|between|under|via|or"
    r"|lacking|lacks|without|comprised|attached|involved|replacing|originally|being)\b"
    r"|[.;(]\s|[.;]$|\s\(",
)
_MEMBER = re.compile(r"(?:an? |the )?(?:members?|derivatives?) of (?:the )?(?:class of )?", re.I)
_ARTICLE = re.compile(r"(?:an?|the|any)\s+", re.I)
_ITEM_BREAK = re.compile(
    r",?\s+and\s+(?=an?\b|members?\b|the\b)|,\s+(?=an?\s|members?\s|the\s)|,\s"
)
# "dicarboxylic acids and O-substituted derivatives" is a class of its own.
_WIDER_CLASS = re.compile(r"\s+and\s+(?:their\s+|[NOS]-substituted\s+)?derivatives", re.I)


class Zone(NamedTuple):
    """Characters ``[start, end)`` of the caption.

    ``kind``: class, body, origin, relation (a conjugate or tautomer), mirror (an enantiomer) or
    parent (what it derives from).
    """

    kind: str
    start: int
    end: int


def find_zones(caption: str) -> Iterator[Zone]:
    """The zones of a caption in the order of the text; each class item is a zone of its own."""
    first = True
    for match in _SENTENCE.finditer(caption):
        if match.end() > match.start() and not match.group().isspace():
            yield from _sentence(caption, match.start(), match.end(), first)
            first = False


def _sentence(text: str, start: int, end: int, first: bool) -> Iterator[Zone]:
    if _DERIVES.match(text, start, end):
        yield Zone("parent", start, end)
        return
    if _ROLE.match(text, start, end):
        return
    if "known as" in text and (known := _KNOWN_AS.match(text, start, end)):
        stop = _item_end(text, known.end(), end)
        if not _WIDER_CLASS.match(text, stop, end):
            yield Zone("class", known.end(), stop)
        return
    opening = _IS.match(text, start, end)
    fits = opening or _ABOUT_IT.match(text, start, end)
    if first and not fits:
        fits = opening = _NAMED.match(text, start, end) or _BARE.match(text, start, end)
    if not fits and (not first or _SUBJECT.match(text, start, end)):
        return
    body = start
    if opening is not None:
        body = yield from _items(text, opening.end(), end)
        if _ROLE_NOUN.search(text, opening.end(), body):
            return  # what follows "an inhibitor" is of something else
    if elsewhere := _ELSEWHERE.search(text, body, end):
        end = elsewhere.start()
    origin = _ORIGIN.search(text, body, end)
    middle = origin.start() if origin else end
    if middle > body + 3:
        yield Zone("body", body, middle)
    if origin:
        yield Zone("origin", middle, end)


def _items(text: str, start: int, end: int) -> Generator[Zone, None, int]:
    """Class items of "is an X, a Y and a member of Z …"; returns where the noun phrase ends."""
    position = start
    while position < end:
        if _RELATION.match(text, position, end):
            stop = _relation_end(text, position, end)
            if not _METABOLITE.match(text, position, stop):
                yield _relation(text, position, stop)
        else:
            article = _MEMBER.match(text, position, end) or _ARTICLE.match(text, position, end)
            begin = article.end() if article else position
            if begin == position and position == start:
                return position  # "It is soluble in water": no class at all
            stop = _item_end(text, begin, end)
            if not _WIDER_CLASS.match(text, stop, end):
                yield Zone("class", begin, stop)
        brk = _ITEM_BREAK.match(text, stop, end)
        if not brk:
            return stop
        position = brk.end()
    return position


def _relation(text: str, start: int, end: int) -> Zone:
    """A relative of the same skeleton, a mirror image, or a looser parent."""
    head = text[start : min(start + 60, end)].lower()
    if "conjugate" in head or "tautomer" in head:
        return Zone("relation", start, end)
    return Zone("mirror" if "enantiomer" in head else "parent", start, end)


def _relation_end(text: str, start: int, end: int) -> int:
    """Up to the next relation: "a conjugate base of an A and a B" has two acids."""
    for match in _ITEM_BREAK.finditer(text, start, end):
        if _RELATION.match(text, match.end(), end):
            return match.start()
    return end


def _item_end(text: str, begin: int, end: int) -> int:
    """End of one noun phrase: a break of the list or a word that opens a clause."""
    ends = [end]
    for pattern in (_ITEM_BREAK, _NP_END):
        if match := pattern.search(text, begin, end):
            ends.append(match.start())
    return min(ends)
