"""Finds names of parents and relatives: "that is X substituted by …", "a tautomer of X".

Such a compound is not the molecule, but its skeleton and its elements are still in it. What a
molecule "derives from" or is "obtained from" may have lost anything, and is not read.
"""

import re
from collections.abc import Iterator

from molcaption.claims.zones import Zone

_STOP = (
    r"(?:with|and|by|in|at|on|to|from|for|which|that|where|via|having|bearing|carrying|containing"
    r"|obtained|arising|resulting|formed|followed|using|is|are|has|was|as|into|substituted|attached"
    r"|or|the|a|an|of|one|two|both|through|between|under|after|leaving|giving|it|joined|linked"
    r"|consisting|composed|acylated|connected|replaced|specified|hydroxylated|isolated|conjugated"
    r"|bonded|fused|esterified|methylated|chlorinated|oxidi[sz]ed|major|modified|found|used|units?|residues?|groups?|moiet(?:y|ies)|rings?|form)\b"
)
_WORD = r"[^\s;]*[^\s;,.:]"
_NAME = rf"(?P<name>(?!{_STOP}){_WORD}(?:\s(?!{_STOP}){_WORD}){{0,4}})"
_AFTER = {
    "body": rf"\b(?:(?:that|which) is|consist(?:s|ing) of|compris(?:es|ing)) (?:an? |the )?{_NAME}",
    "relation": rf"\bof (?:an? |the )?{_NAME}",
    "mirror": rf"\bof (?:an? |the )?{_NAME}",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _AFTER.items()}
# "composed of L-alanine, glycine and L-serine units": a list of parts, all of them kept.
_COMPOSED = re.compile(
    r"\b(?:composed of|made up of|constructed from|consist(?:s|ing) of|formed from)\s[^.;]+"
)
_PART = re.compile(rf"(?:,\s|\b(?:and|of|from)\s)(?:an?\s|and\s|two\s|three\s|four\s)?{_NAME}")


def find_names(caption: str, zone: Zone) -> Iterator[tuple[int, int]]:
    """Offsets of the names that ``zone`` mentions as parents, parts or relatives."""
    after = _PATTERNS.get(zone.kind)
    if after is None:
        return
    for match in after.finditer(caption, zone.start, zone.end):
        yield match.span("name")
    if zone.kind == "body" and (composed := _COMPOSED.search(caption, zone.start, zone.end)):
        for match in _PART.finditer(caption, *composed.span()):
            yield match.span("name")
