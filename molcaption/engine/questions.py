"""From molecules to what a captioner is asked: what it sees of each, and its prompt's SMILES."""

from collections.abc import Sequence

from molcaption.claims import Lexicon
from molcaption.data.features import Features, FeatureVocabulary, MoleculeView, features_of, views

Question = tuple[MoleculeView, str]
"""What a captioner sees of a molecule, and its SMILES."""


def questions(
    smiles: Sequence[str],
    vocabulary: FeatureVocabulary | None,
    lexicon: Lexicon,
    found: Sequence[Features] | None = None,
) -> list[Question]:
    """One question per molecule, in order.

    Args:
        smiles: canonical. The graph is made of it, as in training: a caption must not depend on
            the order in which a file lists the atoms, and chirality tags do.
        vocabulary: of a captioner that reads features.
        found: features of the molecules, where they are known already.
    """
    if vocabulary is not None and found is None:
        found = features_of(smiles, lexicon, vocabulary)
    return list(zip(views(smiles, vocabulary, found), smiles, strict=True))
