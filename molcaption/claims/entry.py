"""One entry of the lexicon: its keys, its validation, and the compiled concept.

The keys are explained at the head of ``concepts/README.md``; every error names the entry that is
wrong. Compilation happens once per process.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Any

from rdkit import Chem

from molcaption.claims.predicates import PREDICATES
from molcaption.claims.queries import drawn_query, skeleton_query, strict_query
from molcaption.claims.requirements import Requirement, requirement
from molcaption.errors import BadDataError

STRENGTHS = ("exact", "necessary")
ZONES = ("class", "body", "origin", "relation", "mirror", "parent")
_TESTS = ("smarts", "skeleton", "builtin")
_TEXTS = (
    "names",
    "groups",
    "modifiers",
    "suffixes",
    "morphemes",
    "parents",
    "pos",
    "neg",
    "cues",
    "zones",
)
_OTHERS = "id say sure tautomers strength countable pattern open certain source"
KEYS = frozenset([*_TESTS, *_TEXTS, *_OTHERS.split()])


@dataclass(frozen=True, eq=False)
class StructuralTest:
    """A query molecule, or a predicate with its arguments (``$name`` is filled from the text)."""

    query: Chem.Mol | None = None
    predicate: Callable[..., int] | None = None
    arguments: tuple[Any, ...] = ()

    @cached_property
    def needs(self) -> Requirement:
        """Without these the query does not match; read when they are first asked for."""
        assert self.query is not None  # nobody asks what a predicate needs
        return requirement(self.query)


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """One entry, compiled. ``test`` refutes by a miss; ``sure`` (if any) supports by a hit.

    ``family`` is the domain of chemistry, after which the entry's file is named.
    ``certain``: true by definition, whatever captions say.
    ``test`` is None where the parents together are the test. ``parametric``: the text fills in
    the test's arguments; ``texts`` are those of them that are no numbers.
    """

    id: str
    family: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    modifiers: tuple[str, ...]
    suffixes: tuple[str, ...]
    morphemes: tuple[str, ...]
    say: str
    strength: str
    countable: bool
    open: bool
    parents: tuple[str, ...]
    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    source: str
    pattern: re.Pattern[str] | None
    cues: tuple[str, ...]
    zones: tuple[str, ...]
    test: StructuralTest | None
    sure: StructuralTest | None
    has_skeleton: bool
    certain: bool
    parametric: bool
    texts: frozenset[str]

    @property
    def provable(self) -> bool:
        """Whether some structure can support the concept."""
        return self.strength == "exact" or self.sure is not None


def compile_entry(entry: dict[str, Any], where: str, source: str, family: str) -> Concept:
    """The entry validated and compiled. Raises BadDataError that names it."""
    _check_keys(entry, where)
    texts = {key: _texts(entry, key, where) for key in _TEXTS}
    test, sure = _tests(entry, where)
    spoken = texts["names"] or texts["groups"] or texts["modifiers"] or (entry["id"],)
    unknown = set(texts["zones"]) - set(ZONES)
    if unknown:
        raise BadDataError(f"{where}: zones: no zone {unknown.pop()!r}; there are {ZONES}")
    return Concept(
        id=entry["id"],
        family=family,
        names=texts["names"],
        groups=texts["groups"],
        modifiers=texts["modifiers"],
        suffixes=texts["suffixes"],
        morphemes=texts["morphemes"],
        say=str(entry.get("say") or spoken[0]),
        strength="necessary" if entry.get("tautomers") else _strength(entry, where),
        countable=bool(entry.get("countable", True)) and bool(test and test.query),
        open=bool(entry.get("open", False)),
        parents=texts["parents"],
        positives=texts["pos"],
        negatives=texts["neg"],
        source=str(entry.get("source", source)),
        pattern=_pattern(entry.get("pattern"), where),
        cues=texts["cues"],
        zones=texts["zones"] or ("class",),
        test=test,
        sure=sure,
        has_skeleton="skeleton" in entry or bool(entry.get("tautomers")),
        certain=bool(entry.get("certain", False)),
        parametric=any(str(a).startswith("$") for t in (test, sure) if t for a in t.arguments),
        texts=frozenset(_textual(test)) | frozenset(_textual(sure)),
    )


def _textual(test: StructuralTest | None) -> Iterator[str]:
    """Arguments that a caption fills in and that the predicate takes as text only."""
    if test is None or test.predicate is None:
        return
    parameters = list(signature(test.predicate).parameters.values())[1:]
    for argument, parameter in zip(test.arguments, parameters, strict=False):
        said = str(argument).startswith("$") and parameter.kind is not parameter.VAR_POSITIONAL
        if said and parameter.annotation is str:
            yield argument.removeprefix("$")


def _check_keys(entry: dict[str, Any], where: str) -> None:
    if unknown := sorted(set(entry) - KEYS):
        raise BadDataError(f"{where}: unknown key {unknown[0]!r}; known: {sorted(KEYS)}")
    tests = [key for key in _TESTS if key in entry]
    if len(tests) > 1 or (not tests and not entry.get("parents")):
        raise BadDataError(f"{where}: expected exactly one of {', '.join(_TESTS)}, or parents")
    spoken = ("names", "groups", "modifiers", "suffixes", "morphemes", "pattern")
    if not any(entry.get(key) for key in spoken):
        raise BadDataError(f"{where}: expected names, groups or another key that captions show")
    if entry.get("tautomers") and "smarts" not in entry:
        raise BadDataError(f"{where}: tautomers needs a smarts that is also a SMILES")


def _strength(entry: dict[str, Any], where: str) -> str:
    strength = entry.get("strength", "exact")
    if strength not in STRENGTHS:
        raise BadDataError(f"{where}: strength is {strength!r}, expected one of {STRENGTHS}")
    return str(strength)


def _tests(
    entry: dict[str, Any], where: str
) -> tuple[StructuralTest | None, StructuralTest | None]:
    """The test and the stricter one that supports."""
    try:
        sure = _test(entry["sure"], where) if "sure" in entry else None
        if "skeleton" in entry:
            if sure is None and entry.get("strength") != "necessary":
                sure = StructuralTest(drawn_query(entry["skeleton"]))
            return StructuralTest(skeleton_query(entry["skeleton"])), sure
        if entry.get("tautomers"):
            loose = StructuralTest(skeleton_query(entry["smarts"]))
            return loose, sure or _test(entry["smarts"], where)
        value = entry.get("smarts") or entry.get("builtin")
        return (None if value is None else _test(value, where)), sure
    except ValueError as error:
        raise BadDataError(f"{where}: {error}") from None


def _test(value: Any, where: str) -> StructuralTest:
    if isinstance(value, str):
        return StructuralTest(strict_query(value))
    if not isinstance(value, list) or not value:
        raise BadDataError(f"{where}: builtin is {value!r}, expected [name, argument, ...]")
    name, *arguments = value
    if name not in PREDICATES:
        raise BadDataError(f"{where}: no builtin {name!r}; there are {sorted(PREDICATES)}")
    return StructuralTest(predicate=PREDICATES[name], arguments=tuple(arguments))


def _pattern(text: Any, where: str) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(str(text))
    except re.error as error:
        raise BadDataError(f"{where}: pattern {text!r}: {error}") from None


def _texts(entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadDataError(f"{where}: {key} is {value!r}, expected a list of texts (quote them)")
    return tuple(value)
