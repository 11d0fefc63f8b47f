"""Every number equals a plain call of the library that defines it, to the last digit."""

import warnings

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from molcaption.metrics import ngrams, text
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer, split_words
from molcaption.metrics.wordnet import NO_WORDNET

Pairs = list[tuple[str, str]]


def corpus(pairs: Pairs) -> Corpus:
    captions, references = zip(*pairs, strict=True)
    return Corpus(captions, references, load_tokenizer("word"), NO_WORDNET)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bleu_is_nltks(pairs: Pairs, order: int) -> None:
    c = corpus(pairs)
    plain = corpus_bleu(
        [[tokens] for tokens in c.reference_tokens], c.caption_tokens, (1 / order,) * order
    )
    assert text.bleu(c.bleu_counts.sum(axis=0), order) == plain


def test_bleu_of_a_part_of_the_rows_is_nltks(golden_pairs: Pairs) -> None:
    c = corpus(golden_pairs)
    rows = [1, 1, 0, 2, 1]  # as a bootstrap draws them
    plain = corpus_bleu(
        [[c.reference_tokens[i]] for i in rows], [c.caption_tokens[i] for i in rows]
    )
    assert text.bleu(c.bleu_counts[rows].sum(axis=0), 4) == plain


def test_bleu_without_a_match_of_some_order_is_nltks_and_warns_nobody() -> None:
    captions, references = split_words(["a b c d"]), split_words(["a b d c"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NLTK's, about zero counts
        plain = corpus_bleu([[references[0]]], captions)
    ours = text.bleu(text.bleu_counts(captions, references)[0], 4)
    assert ours == plain
    assert 0 < ours < 1e-70


def test_bleu_of_nothing_is_zero() -> None:
    counts = text.bleu_counts([[], []], [["a"], ["b", "c"]])
    assert text.bleu(counts.sum(axis=0), 4) == 0.0
    assert text.bleu_counts([], []).shape == (0, 10)


def test_sacrebleu_is_sacrebleus(pairs: Pairs) -> None:
    captions, references = map(list, zip(*pairs, strict=True))
    counts = text.sacrebleu_counts(captions, references)
    plain = sacrebleu.corpus_bleu(captions, [references]).score / 100
    assert text.sacrebleu(counts.sum(axis=0)) == plain
    assert text.sacrebleu(counts.sum(axis=0).astype(float)) == plain


@pytest.mark.parametrize(
    "pair",
    [
        ("a b c d", "a b d c"),  # no match of order 3: smoothed
        ("a b", "a b"),  # too short for order 3: no smoothing helps
        ("x", "a b c"),
        ("", "a b c"),
        ("1,5-diol &quot;x&quot;  ", '1,5-diol "x"'),
    ],
)
def test_sacrebleu_at_the_edges(pair: tuple[str, str]) -> None:
    caption, reference = pair
    plain = sacrebleu.corpus_bleu([caption], [[reference]]).score / 100
    assert text.sacrebleu(text.sacrebleu_counts([caption], [reference])[0]) == plain


def test_the_signature_of_sacrebleu_is_sacrebleus(golden_pairs: Pairs) -> None:
    metric = sacrebleu.BLEU()
    metric.corpus_score(["a"], [["a"]])
    theirs = dict(part.split(":") for part in str(metric.get_signature()).split("|"))
    theirs["sacrebleu"] = theirs.pop("version")
    ours = dict(
        part.split(":")
        for part in compute("sacrebleu", corpus(golden_pairs)).signature.split("|")[1:]
    )
    assert {key: ours[key] for key in theirs} == theirs


def test_rows_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        text.bleu_counts([["a"]], [["a"], ["b"]])


def test_side_counts() -> None:
    c = corpus([("a b a b", "a b"), (" x ", "x")])
    assert compute("distinct1", c).value == pytest.approx(3 / 5)
    assert compute("distinct2", c).value == pytest.approx(2 / 3)
    assert compute("length_ratio", c).value == pytest.approx(5 / 3)
    assert compute("exact", c).value == pytest.approx(1 / 2)
    assert ngrams.distinct([[]], 1) == 0.0


@given(st.text(alphabet=st.sampled_from(" \n\t\u00a0\x1c-.,&;1aB>(β'\"")) | st.text())
def test_tokens_are_sacrebleus(line: str) -> None:
    assert text.split_13a([line]) == [Tokenizer13a()(line.rstrip()).split()]
