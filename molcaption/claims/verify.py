"""Judges every mention of a caption against the structure: supported, contradicted or unchecked.

Three-valued on purpose. A necessary test that passes proves nothing, a term nobody described is
unknown, and a caption with nothing to check has no score at all, never 1.0.
"""

import gc
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypedDict

from rdkit import Chem

from molcaption.claims.grammar import Mention, find_mentions, vocabulary
from molcaption.claims.lexicon import Lexicon
from molcaption.claims.structure import Structure

# A concept that more than half of all molecules have says nothing when it fits.
VACUOUS = 0.5
_FLOOR = 1e-4  # base rate of a concept that the sample never showed


class Claim(TypedDict):
    """One judged mention; ``start``/``end`` are character offsets into the caption."""

    start: int
    end: int
    text: str
    concept: str | None
    polarity: str
    scope: str
    expected: str | None
    found: str | None
    verdict: str
    reason: str | None
    strength: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class CaptionCheck:
    """The validity columns of one row, in the order in which they are written."""

    validity_status: str
    validity_score: float | None
    validity_bits: float
    n_claims: int
    n_checkable: int
    n_supported: int
    n_contradicted: int
    groups_mentioned: list[str]
    groups_supported: list[str]
    groups_contradicted: list[str]
    groups_unchecked: list[str]
    claims: list[Claim]

    def columns(self) -> dict[str, Any]:
        """Column name to value, ready for a writer."""
        return {name: getattr(self, name) for name in _COLUMNS}

    @classmethod
    def of_columns(cls, row: Mapping[str, Any]) -> Self:
        """The check whose columns an output row holds, beside its others.

        Raises:
            KeyError: one of them is not there.
        """
        return cls(**{name: row[name] for name in _COLUMNS})


_COLUMNS = tuple(column.name for column in fields(CaptionCheck))


def settle(lexicon: Lexicon) -> Lexicon:
    """Index the lexicon's names now, and spare the garbage collector from walking over them.

    For programs that check many captions: without it a fifth of the time goes into looking for
    garbage among the lexicon's objects. Everything alive now is left out of collection.
    """
    vocabulary(lexicon)
    gc.collect()
    gc.freeze()
    return lexicon


def check_caption(mol: Chem.Mol | None, caption: str | None, lexicon: Lexicon) -> CaptionCheck:
    """What ``caption`` claims about ``mol`` and whether the structure agrees.

    Never raises on odd input: no molecule gives status ``mol_error``, no caption no claims.
    """
    mentions = find_mentions(caption or "", lexicon)
    if mol is None:
        claims = [_claim(m, lexicon, None, "unchecked", "mol_error") for m in mentions]
        return _summary("mol_error", claims, lexicon)
    return _check(mentions, Structure(mol, lexicon))


def check_against(structure: Structure, caption: str) -> CaptionCheck:
    """The same for a structure that several captions are checked against: it is searched once, and
    a caption that comes again is not read again."""
    return structure.keep(
        f"caption {caption}", lambda: _check(find_mentions(caption, structure.lexicon), structure)
    )


def _check(mentions: Sequence[Mention], structure: Structure) -> CaptionCheck:
    lexicon = structure.lexicon
    claims = [_judge(mention, structure, lexicon) for mention in mentions]
    verdicts = {claim["verdict"] for claim in claims}
    if "contradicted" in verdicts:
        return _summary("contradicted", claims, lexicon)
    return _summary("ok" if "supported" in verdicts else "not_checkable", claims, lexicon)


def _judge(mention: Mention, structure: Structure, lexicon: Lexicon) -> Claim:
    if mention.reason is not None or mention.concept is None:
        return _claim(mention, lexicon, None, "unchecked", mention.reason or "unknown_term")
    if mention.polarity == "negative":
        return _judge_absence(mention, structure, lexicon)
    wanted = mention.expected if lexicon.concepts[mention.concept].countable else 1
    found = structure.count(mention.concept, mention.filled)
    if found < wanted:
        if not lexicon.trusts(mention.concept):
            return _claim(mention, lexicon, found, "unchecked", "insufficient_structure")
        return _claim(mention, lexicon, found, "contradicted", None)
    vacuous = lexicon.base_rate(mention.concept, wanted) > VACUOUS
    proven = found if mention.skeleton else structure.proven(mention.concept, mention.filled)
    if vacuous or proven < wanted:
        return _claim(mention, lexicon, found, "unchecked", "insufficient_structure")
    return _claim(mention, lexicon, found, "supported", None)


def _judge_absence(mention: Mention, structure: Structure, lexicon: Lexicon) -> Claim:
    """A denied group: any proof of it refutes the denial."""
    assert mention.concept is not None  # unknown terms are judged before
    found = structure.count(mention.concept, mention.filled)
    rare = lexicon.base_rate(mention.concept) < 1 - VACUOUS
    if not found and not rare:  # to lack what most molecules lack says nothing
        return _claim(mention, lexicon, found, "supported", None)
    if structure.proven(mention.concept, mention.filled):
        return _claim(mention, lexicon, found, "contradicted", None)
    return _claim(mention, lexicon, found, "unchecked", "insufficient_structure")


def _claim(
    mention: Mention, lexicon: Lexicon, found: int | None, verdict: str, reason: str | None
) -> Claim:
    concept = lexicon.concepts.get(mention.concept or "")
    said = " ".join([str(value) for _, value in mention.filled]) if mention.filled else ""
    return {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "concept": mention.concept,
        "polarity": mention.polarity,
        "scope": mention.scope,
        "expected": said or str(mention.expected),
        "found": None if found is None else str(found),
        "verdict": verdict,
        "reason": reason,
        "strength": concept.strength if concept else None,
        "confidence": lexicon.confidence(mention.concept or ""),
    }


def _summary(status: str, claims: list[Claim], lexicon: Lexicon) -> CaptionCheck:
    supported = _concepts(claims, "supported")
    contradicted = _concepts(claims, "contradicted")
    n_supported = sum(claim["verdict"] == "supported" for claim in claims)
    n_contradicted = sum(claim["verdict"] == "contradicted" for claim in claims)
    checkable = n_supported + n_contradicted
    return CaptionCheck(
        validity_status=status,
        validity_score=n_supported / checkable if checkable else None,
        validity_bits=sum(_bits(concept, lexicon) for concept in supported),
        n_claims=len(claims),
        n_checkable=checkable,
        n_supported=n_supported,
        n_contradicted=n_contradicted,
        groups_mentioned=_concepts(claims, None),
        groups_supported=supported,
        groups_contradicted=contradicted,
        groups_unchecked=_concepts(claims, "unchecked"),
        claims=claims,
    )


def _concepts(claims: list[Claim], verdict: str | None) -> list[str]:
    """Distinct concept ids in the order of the text."""
    kept = [c["concept"] for c in claims if c["concept"] and verdict in (None, c["verdict"])]
    return list(dict.fromkeys(kept))


def _bits(concept: str, lexicon: Lexicon) -> float:
    """Surprise of the concept among molecules; charge and formula have no base rate and add 0."""
    if concept not in lexicon.concepts:
        return 0.0
    return -math.log2(max(lexicon.base_rates.get(concept, _FLOOR), _FLOOR))
