"""The lexicon's names, indexed once: which concepts a noun phrase or a group name speaks of.

English and IUPAC put the head last, so a phrase is read from its longest known ending ("trihydroxy-
flavone" is a flavone), and what stands before it is read as further claims where it is known
(three hydroxy groups). Readings are cached: bulk captions repeat their phrases.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from molcaption.claims.cues import Cues
from molcaption.claims.entry import Concept
from molcaption.claims.lexicon import Lexicon
from molcaption.claims.structure import Filled
from molcaption.claims.wording import LOCANT, MULTIPLIERS, forms, number, plain, plural, starts

# Prefixes that say nothing that a test here could deny.
_SILENT = ("hydro", "deoxy", "dehydro", "deamino", "cis-", "trans-", "all-")
# Prefixes that take the noun out of its class: a seco-steroid has no steroid skeleton.
_PRIVATIVE = re.compile(
    r"(?:^|[\s-])(?:non|nor|seco|homo|cyclo|abeo|aza|thia|oxa|thio|seleno|pseudo|anhydro|retro"
    r"|carba|bis|nido|allo|neo|epi|dinor|trinor|bisnor|des|deaza)-?$"
    r"|non-\w*\s?$|n-(?:acyl|carbamoyl|formyl)[- ]$|(?:like|type)[- ]?$"
)
# Phrases that name a role or a relative, whatever chemistry stands in them.
_ROLE = re.compile(
    r"(?:inhibitor|modulator|agonist|antagonist|blocker|receptor|activator|inducer|substrate"
    r"|ligand|probe|tracer|marker|precursor|[a-z]{3,}ase|analogue|analog)s?$"
)
_CHARGE = re.compile(r"\((\d+)([+-])\)$")
_CACHE_SIZE = 50_000


class Term(NamedTuple):
    """Characters ``[start, end)`` of a phrase and the concept they assert (None: unknown).

    ``times``: at least so often. ``filled``: arguments of a parametric test. ``skeleton``: only
    the concept's elements and connectivity are asserted.
    """

    start: int
    end: int
    concept: str | None
    times: int = 1
    filled: Filled = ()
    reason: str | None = None
    skeleton: bool = False


class Vocabulary:
    """Names of a lexicon, with plurals, and the readers of phrases built on them."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.classes: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.modifiers: dict[str, str] = {}
        self.morphemes: dict[str, str] = {}
        suffixes: dict[str, str] = {}
        for concept in lexicon.concepts.values():
            for name in concept.names:
                for form in forms(name):
                    self.classes.setdefault(form, concept.id)
            _index(self.groups, concept.groups, concept.id)
            _index(self.modifiers, concept.modifiers, concept.id)
            _index(self.morphemes, concept.morphemes, concept.id)
            for suffix in concept.suffixes:
                suffixes.setdefault(suffix.lower(), concept.id)
                suffixes.setdefault(plural(suffix.lower()), concept.id)
        self.suffixes = sorted(suffixes.items(), key=lambda item: -len(item[0]))
        patterns = [c for c in lexicon.concepts.values() if c.pattern is not None]
        self._of_classes = Cues(c for c in patterns if "class" in c.zones)
        self.patterns = Cues(c for c in patterns if c.zones != ("class",))
        self._phrases: dict[str, tuple[Term, ...]] = {}
        self._group_names: dict[str, tuple[Term, ...]] = {}
        self._names: dict[str, tuple[Term, ...]] = {}
        parts = "|".join(sorted(map(re.escape, self.morphemes), key=len, reverse=True)) or "(?!)"
        self._morpheme = re.compile(parts)
        times = "|".join(sorted(MULTIPLIERS, key=len, reverse=True))
        names = [n for n in self.groups if " " not in n and len(n) > 2]
        counting = [n for n in names if n.startswith(tuple(MULTIPLIERS))]
        whole = "|".join(sorted(map(re.escape, counting), key=len, reverse=True)) or "(?!)"
        listed = "|".join(sorted(map(re.escape, [*names, *_SILENT]), key=len, reverse=True))
        self._prefix = re.compile(
            rf"(?P<free>(?:{LOCANT}|[-\[({{])*)(?:(?P<whole>{whole})"
            rf"|(?P<times>{times})?[\[({{]?{LOCANT}?(?P<name>{listed}))[\])}}]*-?"
        )

    def read_phrase(self, phrase: str) -> tuple[Term, ...]:
        """What the noun phrase of "is a PHRASE" asserts; one unknown term if nothing is known."""
        terms = self._phrases.get(phrase)
        if terms is None:
            if len(self._phrases) > _CACHE_SIZE:
                self._phrases.clear()
            terms = self._phrases[phrase] = self._read_whole(phrase)
        return terms

    def _read_whole(self, phrase: str) -> tuple[Term, ...]:
        """Names and patterns together: what a pattern knows is not unknown."""
        lowered = plain(phrase)
        terms = list(self._read_phrase(lowered))
        for concept in self._of_classes.active(lowered):
            for start, end, filled in matches(concept, phrase, 0, len(phrase)):
                terms = [term for term in terms if term.reason != "unknown_term"]
                terms.append(Term(start, end, concept.id, filled=filled))
        return tuple(sorted(terms, key=lambda term: (term.start, -term.end, term.concept or "")))

    def read_group(self, name: str) -> tuple[Term, ...]:
        """What "a NAME group" asserts: a known name, or the parts of a systematic one."""
        terms = self._group_names.get(name)
        if terms is None:
            if len(self._group_names) > _CACHE_SIZE:
                self._group_names.clear()
            terms = self._group_names[name] = tuple(self._read_group(plain(name)))
        return terms

    def read_name(self, name: str) -> tuple[Term, ...]:
        """What a compound's name tells of its skeleton and elements, whatever became of its groups.

        For parents and relatives: "4-chlorobenzoic acid" leaves a chlorine and a benzene ring.
        """
        terms = self._names.get(name)
        if terms is None:
            if len(self._names) > _CACHE_SIZE:
                self._names.clear()
            terms = self._names[name] = tuple(self._read_name(plain(name)))
        return terms

    def find_class(self, phrase: str) -> tuple[str, int] | None:
        """Concept named by the longest known ending of a plain phrase, and where it starts."""
        for start in starts(phrase):
            concept = self.classes.get(phrase[start:])
            if concept is not None:
                return concept, start
        return None

    def _read_phrase(self, phrase: str) -> Iterator[Term]:
        end = len(phrase)
        if _ROLE.search(phrase) and phrase not in self.classes:
            yield Term(0, end, None, reason="out_of_scope")
            return
        if charge := _CHARGE.search(phrase):
            value = int(charge[1]) * (1 if charge[2] == "+" else -1)
            if "charge" in self.lexicon.concepts:
                yield Term(charge.start(), end, "charge", filled=(("$charge", value),))
            phrase = phrase[: charge.start()]
        hit = self.find_class(phrase)
        while hit is None and (cut := phrase.rpartition(" "))[2] in self.lexicon.unjudged:
            phrase = cut[0]
            hit = self.find_class(phrase)
        if hit is None and (parent := phrase.removesuffix(" derivative")) != phrase:
            found = [*self._read_name(parent)]
            yield from found or [Term(0, end, None, reason="unknown_term")]
            return
        if hit is None:
            if phrase and phrase not in self.lexicon.unjudged:
                yield from self._read_systematic(phrase)
            return
        concept, head = hit
        privative = _PRIVATIVE.search(phrase[:head])
        yield Term(
            head if not privative else 0,
            len(phrase),
            concept,
            reason="out_of_scope" if privative else None,
        )
        if not privative:
            yield from self._read_modifiers(phrase[:head], self.lexicon.concepts[concept])

    def _read_modifiers(self, left: str, head: Concept) -> Iterator[Term]:
        """Claims of the words before the head: "cyclic", "3-hydroxy", a class before "alkaloid"."""
        text = left.strip(" -")
        if not text:
            return
        if head.open and (hit := self.find_class(text)):
            yield Term(hit[1], len(text), hit[0])
            text = text[: hit[1]]
        for word in re.finditer(r"[^\s]+", text):
            token = word.group().strip("-,")
            known = self.modifiers.get(token)
            if known is not None:
                yield Term(word.start(), word.end(), known)
            else:
                found, stop = self._prefixes(token)
                if stop >= len(token):
                    yield from self._counted(found, word.start())

    def _read_systematic(self, phrase: str) -> Iterator[Term]:
        """A phrase with no known word at its end: "dichlorobenzene", "N-sulfonylurea", "…diol"."""
        for start in starts(phrase):
            found, stop = self._prefixes(phrase, start, to_class=True)
            concept = self.classes.get(phrase[stop:]) if stop > start else None
            if concept is not None:
                yield Term(start, len(phrase), concept)
                yield from self._counted(found, 0)
                return
        for suffix, concept in self.suffixes:
            if phrase.endswith(suffix):
                yield Term(0, len(phrase), concept)
                break
        else:
            yield Term(0, len(phrase), None, reason="unknown_term")
        yield from self._read_multiplied(phrase)
        yield from self._read_morphemes(phrase)

    def _read_multiplied(self, phrase: str) -> Iterator[Term]:
        """The counted groups of a parent nobody knows: a "dihydroxyflorbinoic acid" has two."""
        for start in starts(phrase):
            found, _ = self._prefixes(phrase, start)
            many = [item for item in found if item[1] > 1 and item[0] != "azo"]  # "triazo-le"
            if many:
                yield from self._counted(many, 0)
                return

    def _read_morphemes(self, text: str) -> Iterator[Term]:
        """Parts of systematic names, leftmost and longest first: "isoindol" hides "indol"."""
        seen = set()
        for match in self._morpheme.finditer(text):
            concept = self.morphemes[match.group()]
            if concept not in seen:
                seen.add(concept)
                yield Term(match.start(), match.end(), concept)

    def _read_group(self, name: str) -> Iterator[Term]:
        for start in starts(name):
            concept = self.groups.get(name[start:])
            if concept is not None and not _PRIVATIVE.search(name[:start]):
                yield Term(start, len(name), concept)
                return
        found, stop = self._prefixes(name)
        if stop >= len(name) and found:
            yield from self._counted(found, 0)
        else:
            yield from self._read_morphemes(name)

    def _read_name(self, name: str) -> Iterator[Term]:
        hit = self.find_class(name)
        kept = hit and self.lexicon.concepts[hit[0]].has_skeleton
        if hit and kept and not _PRIVATIVE.search(name[: hit[1]]):
            yield Term(hit[1], len(name), hit[0], skeleton=True)
        for term in self._read_morphemes(name):
            if not hit or term.concept != hit[0]:
                yield term._replace(skeleton=True)

    def _prefixes(
        self, text: str, start: int = 0, to_class: bool = False
    ) -> tuple[list[tuple[str, int, int, int]], int]:
        """Substituent prefixes from ``start`` on as (concept, times, start, end), and their end.

        With ``to_class`` it stops as soon as the rest is a class noun.
        """
        found: list[tuple[str, int, int, int]] = []
        position = start
        while match := self._prefix.match(text, position):
            glued = position > start and not match["free"] and text[position - 1] != "-"
            position = match.end()
            concept = self.groups.get(match["whole"] or match["name"])
            # In "hydroxymethyl" the methyl is no methyl any more; its skeleton is left.
            if concept and not (glued and not self.lexicon.concepts[concept].has_skeleton):
                times = MULTIPLIERS.get(match["times"] or "", 1)
                found.append((concept, times, match.start(), match.end()))
            if to_class and text[position:] in self.classes:
                break
        return found, position

    def _counted(self, found: list[tuple[str, int, int, int]], offset: int) -> Iterator[Term]:
        """One term per concept, with the sum of its counts."""
        total: dict[str, Term] = {}
        for concept, times, start, end in found:
            before = total.get(concept)
            begin = before.start if before else offset + start
            count = times + (before.times if before else 0)
            total[concept] = Term(begin, offset + end, concept, count)
        yield from total.values()


def _index(table: dict[str, str], names: tuple[str, ...], concept: str) -> None:
    for name in names:
        table.setdefault(name.lower(), concept)


def matches(concept: Concept, text: str, start: int, end: int) -> Iterator[tuple[int, int, Filled]]:
    """Where the concept's pattern matches, and what the text fills into its test."""
    assert concept.pattern is not None  # it is in a table of patterns
    for match in concept.pattern.finditer(text, start, end):
        groups = match.groupdict("").items() if concept.parametric else ()
        filled = tuple((f"${k}", v if k in concept.texts else number(v)) for k, v in groups)
        yield match.start(), match.end(), filled
