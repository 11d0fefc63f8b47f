import numpy as np
import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.metrics import rows, text
from molcaption.metrics.chemistry import check_pairs
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import TOKENIZERS, split_words
from molcaption.metrics.wordnet import NO_WORDNET

CAPTIONS = [
    "The molecule is a ketone with a ring.",
    "The molecule is an acid",
    "acid",
    "nothing shared",
    "",
    "an acid is a molecule and the molecule is an acid",
]
REFERENCES = ["The molecule is a ketone that has a ring."] + ["The molecule is an acid."] * 5
SMILES = ["O=C1CCCCC1", "CC(=O)O", "CC(=O)O", "CC(=O)O", None, "CC(=O)O"]


def corpus(*, structures: bool) -> Corpus:
    claims = None
    if structures:
        mols = [parse_smiles(smiles) if smiles else None for smiles in SMILES]
        claims = check_pairs(mols, CAPTIONS, REFERENCES, load_lexicon(), "references")
    return Corpus(CAPTIONS, REFERENCES, TOKENIZERS["word"], NO_WORDNET, {}, claims)


def test_sentence_bleu_is_that_of_nltk() -> None:
    captions, references = split_words(CAPTIONS), split_words(REFERENCES)
    smooth = SmoothingFunction().method3
    expected = [
        sentence_bleu([reference], caption, smoothing_function=smooth)
        for caption, reference in zip(captions, references, strict=True)
    ]
    found = rows.sentence_bleu(text.bleu_counts(captions, references))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_rows_average_to_the_scores_of_the_corpus() -> None:
    pairs = corpus(structures=False)
    scored = rows.score_rows(pairs, list("abcdef"), None)
    assert [row.id for row in scored] == list("abcdef")
    for name in ("meteor", "rougeL", "exact"):
        mean = np.mean([row.scores[name] for row in scored])
        assert mean == pytest.approx(compute(name, pairs).value)


def test_columns_without_structures() -> None:
    row = rows.score_rows(corpus(structures=False), list("abcdef"), None)[0]
    assert list(rows.row_columns(row)) == [
        "id", "smiles", "caption", "reference", "bleu4", "meteor", "rougeL", "exact",
    ]  # fmt: skip


def test_columns_with_structures() -> None:
    scored = rows.score_rows(corpus(structures=True), list("abcdef"), SMILES)
    columns = rows.row_columns(scored[0])
    assert columns["smiles"] == SMILES[0]
    assert columns["groups_supported"] == ["ketone", "ring_number"]
    assert columns["reference_supported"] == ["ketone", "ring_number"]
    assert scored[4].check is scored[4].reference_check is None  # no structure
