"""METEOR equals NLTK's to the last digit, with synonyms and without."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from nltk.corpus.reader import WordNetCorpusReader
from nltk.translate.meteor_score import align_words, meteor_score

from molcaption.metrics.meteor import align, meteor
from molcaption.metrics.tokenizers import split_words
from molcaption.metrics.wordnet import NO_WORDNET, Synonyms, load_wordnet


@dataclass
class Lemma:
    text: str

    def name(self) -> str:
        return self.text


class AsNltkAsks:
    """Our synonyms in the shape of NLTK's reader: a word's own set of lemmas."""

    def __init__(self, synonyms: Synonyms) -> None:
        self._synonyms = synonyms

    def synsets(self, word: str) -> list["AsNltkAsks"]:
        self._lemmas = [Lemma(name) for name in self._synonyms.of(word)]
        return [self]

    def lemmas(self) -> list[Lemma]:
        return self._lemmas


class Rings(Synonyms):
    """Every word is a synonym of every other, so that the last free place has to be found."""

    def of(self, word: str) -> frozenset[str]:
        return frozenset(["ring", "ester", "acid", "group", "the"])


@pytest.mark.parametrize("synonyms", [NO_WORDNET, Rings(None)], ids=["none", "many"])
def test_meteor_is_nltks(pairs: list[tuple[str, str]], synonyms: Synonyms) -> None:
    captions, references = map(split_words, zip(*pairs, strict=True))
    plain = [
        meteor_score([reference], caption, wordnet=AsNltkAsks(synonyms))
        for caption, reference in zip(captions, references, strict=True)
    ]
    assert meteor(captions, references, synonyms).tolist() == plain


def test_the_alignment_is_nltks() -> None:
    caption = "the rings of esters , the ring dosed".split()
    reference = "The ester dose is a ring of rings".split()
    matches, _, _ = align_words(caption, reference, wordnet=AsNltkAsks(Rings(None)))
    assert align(caption, reference, Rings(None)) == matches


def test_stems_and_synonyms_match_in_turn(small_wordnet: Path) -> None:
    wordnet = load_wordnet(small_wordnet)
    assert align(["Doses", "rings"], ["ring", "portion"], wordnet) == [(0, 1), (1, 0)]
    assert align(["Doses", "rings"], ["ring", "portion"], NO_WORDNET) == [(1, 0)]


def test_scores_by_hand() -> None:
    assert meteor([["acids"]], [["acid"]], NO_WORDNET)[0] == pytest.approx(0.5)  # one chunk of one
    assert meteor([["acids"]], [["ester"]], NO_WORDNET)[0] == 0.0
    assert meteor([[], ["a"]], [["a"], []], NO_WORDNET).tolist() == [0.0, 0.0]


def test_real_synonyms_change_no_digit(
    shared_data: Path, wordnet_folder: Path, nltk_wordnet: WordNetCorpusReader
) -> None:
    lines = (shared_data / "captions" / "dev.tsv").read_text("utf-8").splitlines()[1:121]
    texts = split_words([line.split("\t")[-1] for line in lines])
    plain = [
        meteor_score([reference], caption, wordnet=nltk_wordnet)
        for caption, reference in pairwise(texts)
    ]
    ours = meteor(texts[:-1], texts[1:], load_wordnet(wordnet_folder))
    assert ours.tolist() == plain
    assert np.any(meteor(texts[:-1], texts[1:], NO_WORDNET) < ours)
