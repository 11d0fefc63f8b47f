"""Strikes out of a caption what the structure refutes, where the rest still reads as English.

ChEBI's prose ends in lists: "It is a ketone, a member of phenols and an aromatic ether." An entry
that the structure refutes can be taken out of such a list; a sentence of which nothing is left goes
as a whole. The first sentence, which says what the molecule is, is left alone: its claims hang
together.
"""

import re
from collections.abc import Iterable, Sequence

from rdkit import Chem

from molcaption.claims import Lexicon, check_caption
from molcaption.data.wording import join

_SENTENCES = re.compile(r"(?<=\.) (?=It )")
_LIST = re.compile(r"(It (?:is|derives from|has|contains|carries) )(.+)\.")
_ENTRIES = re.compile(r"(?:, and |, | and )(?=an? |members? of |the |one |two |three |four )")
Span = tuple[int, int]


def mend(caption: str, mol: Chem.Mol, lexicon: Lexicon) -> str:
    """``caption`` without the refuted entries of its lists; as it is where that mends nothing."""
    refuted = _refuted(caption, mol, lexicon)
    if not refuted:
        return caption
    sentences, start = [], 0
    for sentence in _SENTENCES.split(caption):
        inside = [(a - start, b - start) for a, b in refuted if start <= a < start + len(sentence)]
        sentences.append(_without(sentence, inside) if inside and start else sentence)
        start += len(sentence) + 1
    mended = " ".join(sentence for sentence in sentences if sentence)
    # A claim may have been read out of two sentences together.
    return mended if len(_refuted(mended, mol, lexicon)) < len(refuted) else caption


def _refuted(caption: str, mol: Chem.Mol, lexicon: Lexicon) -> list[Span]:
    claims = check_caption(mol, caption, lexicon).claims
    return [(c["start"], c["end"]) for c in claims if c["verdict"] == "contradicted"]


def _without(sentence: str, refuted: Sequence[Span]) -> str:
    """The sentence without the entries that hold a refuted claim; empty if none is left."""
    found = _LIST.fullmatch(sentence)
    if found is None:
        return sentence
    opening, kept = found.group(1), []
    for entry, (start, end) in _entries(found.group(2), len(opening)):
        if not any(start < b and a < end for a, b in refuted):
            kept.append(entry)
    return f"{opening}{join(kept)}." if kept else ""


def _entries(text: str, offset: int) -> Iterable[tuple[str, Span]]:
    """Entries of a list with their places; ``offset`` is that of the text."""
    start = 0
    for gap in [*_ENTRIES.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        yield text[start:end], (offset + start, offset + end)
        start = len(text) if gap is None else gap.end()
