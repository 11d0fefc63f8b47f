"""Which patterns a text can match at all: only those one of whose cues it holds.

A lexicon has hundreds of patterns and a caption matches a handful. Captions repeat their words, so
what a word may be a cue of is found once and kept.
"""

from collections.abc import Iterable

from molcaption.claims.entry import Concept

_GRAM = 3  # pieces are looked up by their first characters; shorter ones are tried one by one
_CACHE_SIZE = 200_000
_Hit = tuple[str, Concept]  # a cue, and what it is a cue of


class Cues:
    """Concepts with a pattern, indexed by their cues; those without a cue are always active."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._always: list[Concept] = []
        self._by_gram: dict[str, list[tuple[str, _Hit]]] = {}
        self._words: dict[str, list[_Hit]] = {}
        for concept in concepts:
            if not concept.cues:
                self._always.append(concept)
            for cue in concept.cues:
                piece = max(cue.split(), key=len)  # what of the cue lies within one word
                key = piece[:_GRAM] if len(piece) >= _GRAM else ""
                self._by_gram.setdefault(key, []).append((piece, (cue, concept)))

    def active(self, lowered: str) -> list[Concept]:
        """The concepts whose patterns may match a lower-case text."""
        hits: dict[Concept, None] = {}
        for word in set(lowered.split()):
            known = self._words.get(word)
            for cue, concept in self._read(word) if known is None else known:
                if concept not in hits and cue in lowered:
                    hits[concept] = None
        return [*hits, *self._always]

    def _read(self, word: str) -> list[_Hit]:
        if len(self._words) > _CACHE_SIZE:
            self._words.clear()
        grams = {word[i : i + _GRAM] for i in range(len(word))} & self._by_gram.keys()
        pieces = (item for gram in {*grams, ""} for item in self._by_gram.get(gram, ()))
        found = self._words[word] = [hit for piece, hit in pieces if piece in word]
        return found
