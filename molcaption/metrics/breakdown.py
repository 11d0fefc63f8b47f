"""Scores of parts of a corpus: by size or parts of the molecule, by distance to training data, by
claim.

Molecules fall into fixed bins, so that tables of different systems have the same rows. A claim
belongs to the family of its concept (the domain of chemistry after which its file of the lexicon
is named) or to its scope (the part of a sentence that it stands in).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
from rdkit import Chem

from molcaption.claims import CaptionCheck, Lexicon
from molcaption.claims.verify import Claim
from molcaption.metrics.chemistry import CheckedPairs
from molcaption.metrics.retrieval import FingerprintIndex
from molcaption.metrics.statistics import RowSums

NO_STRUCTURE = "no structure"

Rows = list[dict[str, Any]]
Metrics = Mapping[str, RowSums]
Training = FingerprintIndex | None
Bins = Sequence[tuple[float, str]]  # end (the first value beyond) and name of each, in order

_SIZES = ((11, "up to 10"), (21, "11-20"), (31, "21-30"), (51, "31-50"), (inf, "over 50"))
_COMPONENTS = ((2, "one component"), (inf, "salts and mixtures"))
_SIMILARITIES = (
    (0.4, "under 0.4"),
    (0.6, "0.4-0.6"),
    (0.8, "0.6-0.8"),
    (1.0, "0.8-1"),
    (inf, "1"),
)


def by_size(pairs: CheckedPairs, metrics: Metrics, training: Training) -> Rows:
    """Scores by number of heavy atoms."""
    return _binned(pairs, metrics, Chem.Mol.GetNumHeavyAtoms, _SIZES)


def by_components(pairs: CheckedPairs, metrics: Metrics, training: Training) -> Rows:
    """Scores of single molecules, and of salts and mixtures."""
    return _binned(pairs, metrics, lambda mol: len(Chem.GetMolFrags(mol)), _COMPONENTS)


def by_similarity(pairs: CheckedPairs, metrics: Metrics, training: Training) -> Rows:
    """Scores by Tanimoto similarity to the nearest molecule of ``training``.

    Similarity 1 is the same fingerprint, which need not be the same molecule.
    """
    if training is None:
        raise ValueError("similarity to what: training molecules are needed")
    return _binned(pairs, metrics, lambda mol: training.similarities(mol).max(), _SIMILARITIES)


def _binned(
    pairs: CheckedPairs, metrics: Metrics, measure: Callable[[Chem.Mol], float], bins: Bins
) -> Rows:
    """Every metric of each bin that has rows."""
    labels = np.array([_bin(mol, measure, bins) for mol in pairs.mols])
    rows = []
    for group in (*(name for _, name in bins), NO_STRUCTURE):
        chosen = labels == group
        if chosen.any():
            scores = {name: metric.of(chosen) for name, metric in metrics.items()}
            rows.append({"group": group, "n": int(chosen.sum()), **scores})
    return rows


def _bin(mol: Chem.Mol | None, measure: Callable[[Chem.Mol], float], bins: Bins) -> str:
    if mol is None:
        return NO_STRUCTURE
    value = measure(mol)
    return next(name for end, name in bins if value < end)


def by_family(pairs: CheckedPairs, metrics: Metrics, training: Training) -> Rows:
    """Claims by the family of their concept, the most frequent first."""
    return _claims(pairs, lambda claim: _family(claim, pairs.lexicon))


def by_scope(pairs: CheckedPairs, metrics: Metrics, training: Training) -> Rows:
    """Claims by the part of the sentence that they stand in, the most frequent first."""
    return _claims(pairs, lambda claim: claim["scope"])


def _family(claim: Claim, lexicon: Lexicon) -> str:
    if claim["concept"] is None:
        return "unknown terms"
    concept = lexicon.concepts.get(claim["concept"])
    return concept.family if concept else "general"


def _claims(pairs: CheckedPairs, group_of: Callable[[Claim], str]) -> Rows:
    verdicts: Counter[tuple[str, str]] = Counter()
    wanted: Counter[str] = Counter()
    recalled: Counter[str] = Counter()
    for caption, reference in zip(pairs.captions, pairs.references, strict=True):
        verdicts.update((group_of(claim), claim["verdict"]) for claim in caption.claims)
        for group, concept in _supported(reference, group_of):
            wanted[group] += 1
            recalled[group] += concept in caption.groups_supported
    totals: Counter[str] = Counter()
    for (group, _), count in verdicts.items():
        totals[group] += count
    totals.update(dict.fromkeys(wanted, 0))
    return [
        _claim_row(group, n, verdicts, recalled[group], wanted[group])
        for group, n in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    ]


def _supported(check: CaptionCheck, group_of: Callable[[Claim], str]) -> set[tuple[str, str]]:
    """Group and concept of what the structure supports, each once."""
    return {
        (group_of(claim), claim["concept"])
        for claim in check.claims
        if claim["verdict"] == "supported" and claim["concept"]
    }


def _claim_row(
    group: str, n: int, verdicts: Mapping[tuple[str, str], int], recalled: int, wanted: int
) -> dict[str, Any]:
    """Counts of claims; a share without anything to divide by is None."""
    supported, contradicted, unchecked = (
        verdicts[group, verdict] for verdict in ("supported", "contradicted", "unchecked")
    )
    checkable = supported + contradicted
    return {
        "group": group,
        "n": n,
        "supported": supported,
        "contradicted": contradicted,
        "unchecked": unchecked,
        "in_references": wanted,
        "claim_precision": supported / checkable if checkable else None,
        "claim_recall": recalled / wanted if wanted else None,
    }


BREAKDOWNS: dict[str, Callable[[CheckedPairs, Metrics, Training], Rows]] = {
    "size": by_size,
    "components": by_components,
    "similarity": by_similarity,
    "claims": by_family,
    "scope": by_scope,
}
"""All by name; each takes what it needs of pairs, their metrics and training molecules."""
