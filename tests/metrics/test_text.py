"""Every number equals a plain call of the library that defines it, to the last digit."""

import gzip
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from nltk.translate.bleu_score import corpus_bleu
from nltk.translate.meteor_score import meteor_score
from rouge_score.rouge_scorer import RougeScorer

from molcaption.metrics import text
from molcaption.metrics.signatures import Corpus, compute
from molcaption.metrics.tokenizers import load_tokenizer, split_words
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet

# Written for this test; the values below were computed with plain nltk 3.10.4 and rouge_score.
PAIRS = [
    (
        "The molecule is a carboxylic acid that is benzoic acid substituted by a hydroxy group.",
        "The molecule is a monohydroxybenzoic acid that is benzoic acid with a hydroxy group at "
        "position 2. It derives from a benzoic acid.",
    ),
    (
        "It is a conjugate base of a phenol and has functions in plants.",
        "It is a conjugate base of a phenol. It has a function as a plant metabolite.",
    ),
    ("", "The molecule is an alkane."),
    ("ethanol", "Ethanol"),
    ("A (2R)-β-hydroxy acid — naïve, 50 % pure.", "A (2S)-β-hydroxy acid: naïve, 40 % pure."),
]
GOLDEN = {
    "bleu2": 0.4367954808117851,
    "bleu4": 0.31386151611743984,
    "meteor": 0.4523526237478519,
    "rouge1": 0.600453720508167,
    "rouge2": 0.28941798941798946,
    "rougeL": 0.600453720508167,
}

MOMU = {
    "bleu2": 0.5324291460271013,
    "bleu4": 0.4456614250078922,
    "meteor": 0.5582335314659328,
    "rouge1": 0.6216177742805807,
    "rouge2": 0.46989204033857784,
    "rougeL": 0.5642962657194562,
}


MOLT5 = {  # four digits, as published: BLEU-2, BLEU-4, METEOR
    "molt5-small": (0.5315, 0.4449, 0.5575),
    "molt5-base": (0.5508, 0.4644, 0.5745),
    "molt5-large": (0.5877, 0.5023, 0.6142),
}


class NoSynonyms:
    """The least that NLTK's METEOR asks of WordNet."""

    def synsets(self, word: str) -> list[object]:
        return []


def corpus(pairs: list[tuple[str, str]]) -> Corpus:
    captions, references = zip(*pairs, strict=True)
    return Corpus(captions, references, load_tokenizer("word"), NO_WORDNET)


def noisy_pairs(n: int) -> list[tuple[str, str]]:
    """Captions of all lengths from nothing to 40 words, with repeats, from a small vocabulary."""
    rng = random.Random(7)
    words = [
        "the",
        "acid",
        "acids",
        "acidic",
        "a",
        "ring",
        "rings",
        "is",
        ",",
        ".",
        "group",
        "ester",
    ]
    return [
        (
            " ".join(rng.choices(words, k=rng.randrange(40))),
            " ".join(rng.choices(words, k=1 + rng.randrange(40))),
        )
        for _ in range(n)
    ]


@pytest.mark.parametrize(("name", "value"), GOLDEN.items())
def test_own_golden_set(name: str, value: float) -> None:
    assert compute(name, corpus(PAIRS)).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("pairs", [PAIRS, noisy_pairs(200)], ids=["golden", "noisy"])
def test_bleu_is_nltks(pairs: list[tuple[str, str]], order: int) -> None:
    c = corpus(pairs)
    plain = corpus_bleu(
        [[tokens] for tokens in c.reference_tokens], c.caption_tokens, (1 / order,) * order
    )
    assert text.bleu(c.bleu_counts.sum(axis=0), order) == plain


def test_bleu_of_a_part_of_the_rows_is_nltks() -> None:
    c = corpus(PAIRS)
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


def test_meteor_is_nltks() -> None:
    c = corpus(PAIRS + noisy_pairs(100))
    plain = [
        meteor_score([reference], caption, wordnet=NoSynonyms())
        for caption, reference in zip(c.caption_tokens, c.reference_tokens, strict=True)
    ]
    assert c.meteor.tolist() == plain


def test_meteor_without_wordnet_still_matches_stems() -> None:
    score = text.meteor([["acids"]], [["acid"]], NO_WORDNET)
    assert score[0] == pytest.approx(0.5)  # one match, one chunk: 1 - 0.5 * 1
    assert text.meteor([["acids"]], [["ester"]], NO_WORDNET)[0] == 0.0


def test_rouge_is_rouge_scores() -> None:
    pairs = PAIRS + noisy_pairs(50)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    ours = corpus(pairs).rouge
    for row, (caption, reference) in enumerate(pairs):
        plain = scorer.score(reference, caption)
        assert {kind: values[row] for kind, values in ours.items()} == {
            kind: score.fmeasure for kind, score in plain.items()
        }


def test_rows_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        text.bleu_counts([["a"]], [["a"], ["b"]])


def test_side_counts() -> None:
    c = corpus([("a b a b", "a b"), (" x ", "x")])
    assert compute("distinct1", c).value == pytest.approx(3 / 5)
    assert compute("distinct2", c).value == pytest.approx(2 / 3)
    assert compute("length_ratio", c).value == pytest.approx(5 / 3)
    assert compute("exact", c).value == pytest.approx(1 / 2)
    assert text.distinct([[]], 1) == 0.0


def prediction_file(shared_data: Path, name: str) -> list[list[str]]:
    file = shared_data / "predictions" / f"{name}.tsv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        return [line.rstrip("\n").split("\t") for line in lines][1:]


def published(shared_data: Path, wordnet_folder: Path, name: str) -> Corpus:
    rows = prediction_file(shared_data, name)
    vocabulary = shared_data / "vocab" / "scibert_scivocab_uncased.txt"
    return Corpus(
        [row[2].removeprefix("[CLS] ") for row in rows],
        [row[1] for row in rows],
        load_tokenizer(str(vocabulary)),
        load_wordnet(wordnet_folder),
    )


@pytest.fixture(scope="module")
def momu(shared_data: Path, wordnet_folder: Path) -> Corpus:
    return published(shared_data, wordnet_folder, "momu-small")


@pytest.mark.parametrize(("name", "value"), MOMU.items())
def test_published_scores_of_momu_small(momu: Corpus, name: str, value: float) -> None:
    assert compute(name, momu).value == pytest.approx(value, abs=5e-13)


@pytest.mark.parametrize(("name", "values"), MOLT5.items())
def test_published_scores_of_molt5(
    shared_data: Path, wordnet_folder: Path, name: str, values: tuple[float, ...]
) -> None:
    scored = published(shared_data, wordnet_folder, name)
    ours = tuple(round(compute(metric, scored).value, 4) for metric in ("bleu2", "bleu4", "meteor"))
    assert ours == values


def test_wordnet_synonyms_change_no_digit_of_nltks_meteor(
    momu: Corpus, wordnet_folder: Path
) -> None:
    plain_reader = load_wordnet(wordnet_folder)._reader
    pairs = list(zip(momu.caption_tokens, momu.reference_tokens, strict=True))[:60]
    plain = [meteor_score([reference], c, wordnet=plain_reader) for c, reference in pairs]
    assert momu.meteor[:60].tolist() == plain
    without = text.meteor(momu.caption_tokens[:60], momu.reference_tokens[:60], NO_WORDNET)
    assert np.any(without < momu.meteor[:60])
