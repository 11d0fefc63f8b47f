"""What captions get right about their molecules: precision, recall and F1 of chemical claims.

A caption's claims are held to the structure, not to the wording of its reference, so a true remark
that the reference leaves out costs nothing and a fluent falsehood does. Recall is held to what the
reference says and the structure supports. Counts are summed over the corpus (micro-averages); a
caption without claims adds nothing to precision, and takes its toll on recall.

Dims: N captions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem

from molcaption.claims import CaptionCheck, Lexicon, check_caption
from molcaption.metrics.statistics import Floats, RowSums, mean_of, ratio_of


@dataclass(frozen=True)
class CheckedPairs:
    """Captions and references, both judged against the same structures.

    Attributes:
        mols: [N]; None where a structure is missing or cannot be read.
        captions, references: [N]; status ``mol_error`` where there is no structure.
        lexicon: what judged them.
        smiles_from: the file that the structures come from, ``references`` or ``predictions``.
    """

    mols: Sequence[Chem.Mol | None]
    captions: Sequence[CaptionCheck]
    references: Sequence[CaptionCheck]
    lexicon: Lexicon
    smiles_from: str

    @property
    def settings(self) -> dict[str, str]:
        """What a signature says of it."""
        return {
            "avg": "micro",
            "lexicon": f"{self.lexicon.version}-{self.lexicon.hash[:8]}",
            "smiles": self.smiles_from,
            "mol_error": str(sum(mol is None for mol in self.mols)),
        }

    def with_captions(self, captions: Sequence[str]) -> "CheckedPairs":
        """The same references beside the captions of another system."""
        return replace(self, captions=_checks(self.mols, captions, self.lexicon))


def check_pairs(
    mols: Sequence[Chem.Mol | None],
    captions: Sequence[str],
    references: Sequence[str],
    lexicon: Lexicon,
    smiles_from: str,
) -> CheckedPairs:
    """Judge N captions and N references; see `CheckedPairs`."""
    return CheckedPairs(
        mols=mols,
        captions=_checks(mols, captions, lexicon),
        references=_checks(mols, references, lexicon),
        lexicon=lexicon,
        smiles_from=smiles_from,
    )


def _checks(
    mols: Sequence[Chem.Mol | None], texts: Sequence[str], lexicon: Lexicon
) -> list[CaptionCheck]:
    pairs = zip(mols, texts, strict=True)
    return [check_caption(mol, text, lexicon) for mol, text in pairs]


def claim_precision(pairs: CheckedPairs) -> RowSums:
    """Claims supported / (supported + contradicted)."""
    checks = pairs.captions
    return ratio_of([c.n_supported for c in checks], [c.n_checkable for c in checks])


def claim_recall(pairs: CheckedPairs) -> RowSums:
    """Concepts supported in the reference that are supported in the caption too."""
    wanted = [set(check.groups_supported) for check in pairs.references]
    found = [set(check.groups_supported) for check in pairs.captions]
    shared = [len(w & f) for w, f in zip(wanted, found, strict=True)]
    return ratio_of(shared, [len(w) for w in wanted])


def claim_f1(pairs: CheckedPairs) -> RowSums:
    """Harmonic mean of the corpus's precision and recall."""
    rows = np.concatenate([claim_precision(pairs).rows, claim_recall(pairs).rows], axis=1)
    return RowSums(rows, _f1)


def _f1(sums: Floats) -> Floats:
    """[R, 4] to [R]: 2 / (1/precision + 1/recall), 0 where either is 0."""
    supported, checkable, shared, wanted = sums.T
    weight = supported * wanted + shared * checkable
    found = 2 * supported * shared
    return np.divide(found, weight, out=np.zeros(len(sums)), where=weight != 0)


def share_with_status(status: str) -> Callable[[CheckedPairs], RowSums]:
    """Share of all captions whose check ended so: ``ok`` has claims, and none is refuted."""
    return lambda pairs: mean_of([check.validity_status == status for check in pairs.captions])


def supported_bits(pairs: CheckedPairs) -> RowSums:
    """Mean surprise of what a caption says rightly, in bits: rare groups count for more."""
    return mean_of([check.validity_bits for check in pairs.captions])


CLAIM_MEASURES: dict[str, Callable[[CheckedPairs], RowSums]] = {
    "claim_precision": claim_precision,
    "claim_recall": claim_recall,
    "claim_f1": claim_f1,
    "valid": share_with_status("ok"),
    "contradicted": share_with_status("contradicted"),
    "supported_bits": supported_bits,
}
