"""The lexicon: chemical concepts as data, validated and compiled once.

An entry of ``lexicon.yaml`` is one concept with its names and its structural test; a user's file
of the same form adds entries and replaces those with the same id. The hash covers the compiled
content, so that a column written by one lexicon is never mistaken for another's.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from rdkit import Chem, rdBase

from molcaption.claims.predicates import PREDICATES
from molcaption.claims.structure import Structure
from molcaption.errors import BadDataError, NoInputError

LEXICON_VERSION = "1"
STRENGTHS = ("exact", "necessary")
_KEYS = frozenset(
    [
        "id",
        "names",
        "groups",
        "say",
        "smarts",
        "builtin",
        "sure",
        "strength",
        "countable",
        "parents",
        "pos",
        "neg",
        "source",
    ]
)


@dataclass(frozen=True, slots=True)
class Concept:
    """One entry, compiled.

    ``required``: atoms by atomic number without which nothing matches. ``sure``: a stricter test
    that supports where ``strength`` is necessary.
    """

    id: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    say: str
    strength: str
    countable: bool
    parents: tuple[str, ...]
    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    pattern: Chem.Mol | None
    required: dict[int, int]
    required_rings: int
    predicate: Callable[..., int] | None
    arguments: tuple[Any, ...]
    sure: "StructuralTest | None"

    @property
    def provable(self) -> bool:
        """Whether some structure can support the concept."""
        return self.strength == "exact" or self.sure is not None


@dataclass(frozen=True, slots=True)
class StructuralTest:
    """A SMARTS pattern, or a predicate with its arguments."""

    pattern: Chem.Mol | None
    predicate: Callable[..., int] | None
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Concepts by id, in file order; ``base_rates`` are shares of a sample of molecules.

    ``agreement``: share of gold captions naming a concept whose structure passes its test.
    """

    concepts: dict[str, Concept]
    version: str
    hash: str
    base_rates: dict[str, float] = field(default_factory=dict)
    agreement: dict[str, float] = field(default_factory=dict)

    def ancestors(self, concept_id: str) -> list[str]:
        """Every concept that ``concept_id`` implies, nearest first."""
        out: list[str] = []
        queue = list(self.concepts[concept_id].parents)
        for parent in queue:
            if parent not in out:
                out.append(parent)
                queue.extend(self.concepts[parent].parents)
        return out


def load_lexicon(path: str | Path | None = None) -> Lexicon:
    """The built-in lexicon, with the entries of ``path`` added or put in place of theirs.

    Raises NoInputError if ``path`` is missing and BadDataError naming the entry that is wrong.
    """
    return _load(None if path is None else str(path))


@lru_cache(maxsize=8)
def _load(path: str | None) -> Lexicon:
    data = resources.files("molcaption") / "claims"
    entries = _read_entries(data.joinpath("lexicon.yaml").read_text("utf-8"), "lexicon.yaml")
    if path is not None:
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NoInputError(f"lexicon {path}: cannot be read ({error})") from None
        entries |= _read_entries(text, path)
    concepts = {key: _compile(entry, where) for key, (entry, where) in entries.items()}
    _check_parents(concepts)
    content = json.dumps([entry for entry, _ in entries.values()], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    rates_file = data.joinpath("base_rates.json")
    measured = json.loads(rates_file.read_text("utf-8")) if rates_file.is_file() else {}
    rates, agreement = measured.get("rates", {}), measured.get("agreement", {})
    return Lexicon(concepts, LEXICON_VERSION, digest, rates, agreement)


def _read_entries(text: str, where: str) -> dict[str, tuple[dict[str, Any], str]]:
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise BadDataError(f"lexicon {where}: not YAML: {message}") from None
    if not isinstance(loaded, list):
        raise BadDataError(f"lexicon {where}: expected a list of entries")
    entries: dict[str, tuple[dict[str, Any], str]] = {}
    for number, entry in enumerate(loaded, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise BadDataError(f"lexicon {where}: entry {number}: expected a mapping with an id")
        place = f"lexicon {where}: entry {entry['id']}"
        if unknown := sorted(set(entry) - _KEYS):
            raise BadDataError(f"{place}: unknown key {unknown[0]!r}; known: {sorted(_KEYS)}")
        if entry["id"] in entries:
            raise BadDataError(f"{place}: the id is used twice")
        entries[entry["id"]] = (entry, place)
    return entries


def _compile(entry: dict[str, Any], where: str) -> Concept:
    if ("smarts" in entry) == ("builtin" in entry):
        raise BadDataError(f"{where}: expected exactly one of smarts and builtin")
    names, groups = _texts(entry, "names", where), _texts(entry, "groups", where)
    if not names and not groups:
        raise BadDataError(f"{where}: expected names or groups")
    strength = entry.get("strength", "exact")
    if strength not in STRENGTHS:
        raise BadDataError(f"{where}: strength is {strength!r}, expected one of {STRENGTHS}")
    test = _test(entry.get("smarts") or entry.get("builtin"), where)
    sure = _test(entry["sure"], where) if "sure" in entry else None
    pattern = test.pattern
    return Concept(
        id=entry["id"],
        names=names,
        groups=groups,
        say=entry.get("say") or (names or groups)[0],
        strength=strength,
        countable=bool(entry.get("countable", True)) and test.predicate is None,
        parents=_texts(entry, "parents", where),
        positives=_texts(entry, "pos", where),
        negatives=_texts(entry, "neg", where),
        pattern=pattern,
        required=_required_atoms(pattern),
        required_rings=0 if pattern is None else pattern.GetNumBonds() - pattern.GetNumAtoms() + 1,
        predicate=test.predicate,
        arguments=test.arguments,
        sure=sure,
    )


def _test(text: Any, where: str) -> StructuralTest:
    if isinstance(text, str):
        with rdBase.BlockLogs():
            pattern = Chem.MolFromSmarts(text)
        if pattern is None:
            raise BadDataError(f"{where}: RDKit cannot read the SMARTS {text!r}")
        return StructuralTest(pattern, None, ())
    if not isinstance(text, list) or not text:
        raise BadDataError(f"{where}: builtin is {text!r}, expected [name, argument, ...]")
    name, *rest = text
    if name not in PREDICATES:
        raise BadDataError(f"{where}: no builtin {name!r}; there are {sorted(PREDICATES)}")
    return StructuralTest(None, PREDICATES[name], tuple(rest))


def _texts(entry: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadDataError(f"{where}: {key} is {value!r}, expected a list of texts (quote them)")
    return tuple(value)


def _required_atoms(pattern: Chem.Mol | None) -> dict[int, int]:
    """Atoms that every match needs, read from query atoms that allow one element only."""
    if pattern is None:
        return {}
    numbers = []
    for atom in pattern.GetAtoms():
        query = atom.DescribeQuery()
        if any(word in query for word in ("Or", "!=", "RecursiveStructure", "Xor")):
            continue
        if "AtomType" in query or "AtomAtomicNum" in query:
            numbers.append(atom.GetAtomicNum())
    return dict(Counter(number for number in numbers if number))


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


def group_counts(mol: Chem.Mol, lexicon: Lexicon) -> dict[str, int]:
    """Count of every concept in ``mol``, in the lexicon's order (1 for yes if not countable)."""
    structure = Structure(mol, lexicon)
    return {concept_id: structure.count(concept_id) for concept_id in lexicon.concepts}
