"""The lexicon: chemical concepts as data, validated and compiled once.

The files of ``concepts/`` hold one domain of chemistry each; a user's file of the same form adds
entries and replaces those with the same id. The hash covers the content, so that a column written
by one lexicon is never mistaken for another's.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from molcaption.claims.entry import Concept, compile_entry
from molcaption.claims.screen import Screen
from molcaption.errors import BadDataError, NoInputError

LEXICON_VERSION = "2"
# A test refutes only if so many gold captions named its concept and so large a share passed it.
TRUSTED_CAPTIONS, TRUSTED_SHARE = 5, 0.9
# What is believed of a test before gold captions speak: as if 19 of 20 had passed it.
_PRIOR_PASSED, _PRIOR = 19, 20


@dataclass(frozen=True)
class Lexicon:
    """Concepts by id, in file order; ``base_rates`` are shares of a sample of molecules.

    ``counted``: for those that most molecules have, the shares with at least 1, 2, … of them.
    ``agreement``: gold captions whose structure passes a concept's test, of those that name it.
    ``unjudged``: terms of captions that claim nothing about a structure.
    """

    concepts: dict[str, Concept]
    version: str
    hash: str
    base_rates: dict[str, float] = field(default_factory=dict)
    counted: dict[str, list[float]] = field(default_factory=dict)
    agreement: dict[str, tuple[int, int]] = field(default_factory=dict)
    unjudged: frozenset[str] = frozenset()

    def trusts(self, concept_id: str) -> bool:
        """Whether a miss of the concept's test refutes: gold captions bear the test out.

        A builtin test that few captions need is judged by all concepts that use the builtin. Tests
        that nobody measured, such as a user's own, and those that hold by definition are trusted.
        """
        if concept_id not in self.agreement or self.concepts[concept_id].certain:
            return True
        passed, named = self.agreement[concept_id]
        test = self.concepts[concept_id].test
        if named < TRUSTED_CAPTIONS and test is not None and test.predicate is not None:
            passed, named = self.by_predicate[test.predicate.__name__]
        return named >= TRUSTED_CAPTIONS and passed >= TRUSTED_SHARE * named

    @cached_property
    def by_predicate(self) -> dict[str, tuple[int, int]]:
        """`agreement` summed over the concepts that share a builtin test."""
        found: dict[str, tuple[int, int]] = {}
        for key, (passed, named) in self.agreement.items():
            test = self.concepts[key].test
            if test is not None and test.predicate is not None:
                before = found.get(test.predicate.__name__, (0, 0))
                found[test.predicate.__name__] = (before[0] + passed, before[1] + named)
        return found

    @cached_property
    def screen(self) -> Screen:
        """For questions about all concepts at once."""
        return Screen(self.concepts)

    def confidence(self, concept_id: str) -> float | None:
        """Share of gold captions that agree with the test, shrunk; None if nobody measured."""
        if concept_id not in self.agreement:
            return None
        passed, named = self.agreement[concept_id]
        return round((passed + _PRIOR_PASSED) / (named + _PRIOR), 3)

    def strict(self) -> "Lexicon":
        """The same lexicon with every test trusted."""
        return replace(self, agreement={})

    def base_rate(self, concept_id: str, count: int = 1) -> float:
        """Share of molecules with at least ``count`` of it, or an upper bound; 0 if unknown."""
        shares = self.counted.get(concept_id)
        if shares is None:
            return self.base_rates.get(concept_id, 0.0)
        return shares[min(count, len(shares)) - 1]

    def ancestors(self, concept_id: str) -> list[str]:
        """Every concept that ``concept_id`` implies, nearest first."""
        out: list[str] = []
        queue = list(self.concepts[concept_id].parents)
        for parent in queue:
            if parent not in out:
                out.append(parent)
                queue.extend(self.concepts[parent].parents)
        return out


@dataclass(frozen=True, slots=True)
class _File:
    """The content of one lexicon file and where it came from."""

    name: str
    source: str
    entries: list[dict[str, Any]]
    unjudged: list[str]


def load_lexicon(path: str | Path | None = None) -> Lexicon:
    """The built-in lexicon, with the entries of ``path`` added or put in place of theirs.

    Raises NoInputError if ``path`` is missing and BadDataError naming the entry that is wrong.
    """
    return _load(None if path is None else str(path))


@lru_cache(maxsize=8)
def _load(path: str | None) -> Lexicon:
    home = resources.files("molcaption") / "claims"
    files = list(_built_in_files())
    entries: dict[str, dict[str, Any]] = {}
    concepts: dict[str, Concept] = {}
    for file in files:
        _add(file, entries, concepts, replace=False)
    if path is not None:
        files.append(_read(Path(path).name, _user_text(path)))
        _add(files[-1], entries, concepts, replace=True)
    _check_parents(concepts)
    unjudged = sorted({term.lower() for file in files for term in file.unjudged})
    content = json.dumps([list(entries.values()), unjudged], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    table = home.joinpath("base_rates.json")
    measured = json.loads(table.read_text("utf-8")) if table.is_file() else {}
    own = {entry["id"] for entry in files[-1].entries} if path is not None else set()
    rates, counted, agreement = (
        {key: value for key, value in measured.get(kind, {}).items() if key not in own}
        for kind in ("rates", "counted", "agreement")
    )
    return Lexicon(
        concepts, LEXICON_VERSION, digest, rates, counted, agreement, frozenset(unjudged)
    )


def _built_in_files() -> Iterator[_File]:
    folder = resources.files("molcaption") / "claims" / "concepts"
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith(".yaml"):
            yield _read(item.name, item.read_text("utf-8"))


def _user_text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoInputError(f"lexicon {path}: cannot be read ({error})") from None


def _read(name: str, text: str) -> _File:
    """A lexicon file: a list of entries, or a mapping with ``source`` and ``entries``."""
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise BadDataError(f"lexicon {name}: not YAML: {message}") from None
    content = loaded if isinstance(loaded, dict) else {"entries": loaded}
    entries, unjudged = content.get("entries", []), content.get("unjudged", [])
    if not isinstance(entries, list) or not isinstance(unjudged, list):
        raise BadDataError(f"lexicon {name}: expected a list of entries")
    return _File(name, str(content.get("source", name)), entries, unjudged)


def _add(
    file: _File,
    entries: dict[str, dict[str, Any]],
    concepts: dict[str, Concept],
    replace: bool,
) -> None:
    """Compile the entries of ``file``; an id may come back only in a user's file."""
    seen: set[str] = set()
    family = Path(file.name).stem
    for number, entry in enumerate(file.entries, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            where = f"lexicon {file.name}: entry {number}"
            raise BadDataError(f"{where}: expected a mapping with an id")
        where = f"lexicon {file.name}: entry {entry['id']}"
        if entry["id"] in seen or (entry["id"] in concepts and not replace):
            raise BadDataError(f"{where}: the id is used twice")
        seen.add(entry["id"])
        entries[entry["id"]] = entry
        concepts[entry["id"]] = compile_entry(entry, where, file.source, family)


def _check_parents(concepts: dict[str, Concept]) -> None:
    for concept in concepts.values():
        trail, queue = {concept.id}, list(concept.parents)
        while queue:
            parent = queue.pop()
            if parent not in concepts:
                raise BadDataError(f"lexicon: entry {concept.id}: no parent {parent!r}")
            if parent == concept.id:
                raise BadDataError(f"lexicon: entry {concept.id}: is its own ancestor")
            if parent not in trail:
                trail.add(parent)
                queue.extend(concepts[parent].parents)
