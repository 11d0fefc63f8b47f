"""Which patterns a text can match at all: only those one of whose cues it holds.

A lexicon has hundreds of patterns and a caption matches a handful, so the cues are looked up by
their first characters instead of being searched for one by one.
"""

from collections.abc import Iterable

from molcaption.claims.entry import Concept

_GRAM = 3  # shorter cues are tried one by one


class Cues:
    """Concepts with a pattern, indexed by their cues; those without a cue are always active."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._always: list[Concept] = []
        self._by_gram: dict[str, list[tuple[str, Concept]]] = {}
        for concept in concepts:
            if not concept.cues:
                self._always.append(concept)
            for cue in concept.cues:
                key = cue[:_GRAM] if len(cue) >= _GRAM else ""
                self._by_gram.setdefault(key, []).append((cue, concept))

    def active(self, lowered: str) -> list[Concept]:
        """The concepts whose patterns may match a lower-case text."""
        grams = {lowered[i : i + _GRAM] for i in range(len(lowered))} & self._by_gram.keys()
        hits = dict.fromkeys(
            concept
            for gram in (*grams, "")
            for cue, concept in self._by_gram.get(gram, ())
            if cue in lowered
        )
        return [*hits, *self._always]
