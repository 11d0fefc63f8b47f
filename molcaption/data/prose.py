"""ChEBI's prose, where it stands under another name.

PCdes writes "it is a ketone …" for ChEBI-20's "The molecule is a ketone …"; PubChem has the same
sentences, "is functionally related to" for "derives from", and goes on in prose of other sources.
"""

import re
from collections.abc import Collection

from molcaption.data.statements import Statement, read, write

CHEBI = "chebi-prose"
"""Stands among styles for every text in ChEBI's prose, whatever its own style is called."""
_OPENING = re.compile(r"(?:it|The molecule) is (?=an? |the |members? of )")
_OTHER_SOURCE = re.compile(r"\. (?:it|The molecule)\b.*|(?<=[a-z)])\.(?=[A-Z0-9(]).*", re.S)
_NAME_LOST = re.compile(r"\bits?\b")


def chebi_prose(text: str) -> str | None:
    """``text`` in the words of ChEBI-20, without what other sources add; None if it is not ChEBI's.

    ChEBI's prose is known by its statements (`molcaption.data.statements`). Where PCdes has put
    "it" for a name inside a sentence the name is lost: a statement goes, a first sentence is
    reason to leave the text alone.
    """
    opening = _OPENING.match(text)
    if opening is None:
        return None
    body = _OTHER_SOURCE.sub(".", text[opening.end() :]).strip()
    draft = read(
        f"The molecule is {body}".replace(" is functionally related to ", " derives from ")
    )
    whole = [
        sentence
        for sentence in draft.others
        if isinstance(sentence, str) or not any(map(_NAME_LOST.search, sentence.entries))
    ]
    if _NAME_LOST.search(draft.head) or not any(isinstance(s, Statement) for s in whole):
        return None
    return write(draft.head, whole)


def in_style(text: str, style: str, wanted: Collection[str] | None) -> str | None:
    """A row's text, put into ChEBI's prose where that is wanted; None if its style is not."""
    if wanted is None or style in wanted:
        return text
    return chebi_prose(text) if CHEBI in wanted else None
