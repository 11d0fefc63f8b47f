import shutil
from pathlib import Path

import nltk
import pytest
from nltk.corpus.reader import WordNetCorpusReader

from molcaption.errors import BadDataError, NoInputError
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet


def test_synonyms_of_every_form(small_wordnet: Path) -> None:
    wordnet = load_wordnet(small_wordnet)
    assert wordnet.version == "9.9"
    assert wordnet.of("dose") == {"dose", "portion", "administer"}  # noun and verb
    assert wordnet.of("dosing") == {"dose", "administer"}  # an ending
    assert wordnet.of("mice") == {"mouse", "rodent"}  # an exception; no lemma of two words
    assert wordnet.of("toxic") == {"toxic", "poisonous"}  # without the marker of adjectives
    assert wordnet.of("Slowly") == {"slowly", "tardily"}
    assert wordnet.of("s") == wordnet.of("##ol") == wordnet.of("") == frozenset()


def test_a_zipped_wordnet(small_wordnet: Path) -> None:
    corpora = small_wordnet / "corpora"
    shutil.make_archive(str(corpora / "wordnet"), "zip", corpora, "wordnet")
    shutil.rmtree(corpora / "wordnet")
    assert load_wordnet(small_wordnet).of("mice") == {"mouse", "rodent"}


def test_a_named_folder_without_wordnet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="holds no WordNet"):
        load_wordnet(tmp_path)


def test_a_search_that_finds_nothing_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    assert load_wordnet() is NO_WORDNET
    assert NO_WORDNET.version == "none"
    assert NO_WORDNET.of("acid") == frozenset()


def test_the_search_path_comes_in_order(
    small_wordnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path), str(small_wordnet)])
    found = load_wordnet()
    assert found.version == "9.9"
    assert load_wordnet(small_wordnet / "corpora" / "wordnet") is found


def test_a_broken_wordnet_is_bad_data(small_wordnet: Path, tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text("x", encoding="utf-8")
    with pytest.raises(BadDataError, match="cannot be read as WordNet"):
        load_wordnet(tmp_path)
    data = small_wordnet / "corpora" / "wordnet" / "data.noun"
    data.write_text(" " + data.read_text("utf-8"), encoding="utf-8")
    with pytest.raises(BadDataError, match="where no synset begins"):
        load_wordnet(small_wordnet).of("mouse")


def test_answers_are_those_of_nltks_reader(
    wordnet_folder: Path, nltk_wordnet: WordNetCorpusReader
) -> None:
    corpus = wordnet_folder / "corpora" / "wordnet"
    ours = load_wordnet(wordnet_folder)
    assert ours.version == nltk_wordnet.get_version() == "3.0"
    lemmas = [line.split()[0] for line in (corpus / "index.noun").read_text().splitlines()[29::400]]
    irregular = [line.split()[0] for line in (corpus / "verb.exc").read_text().splitlines()[::20]]
    words = [*lemmas, *(f"{lemma}s" for lemma in lemmas), *irregular, "fatter", "galore", "##yl"]
    for word in words:
        names = (lemma.name() for synset in nltk_wordnet.synsets(word) for lemma in synset.lemmas())
        assert ours.of(word) == {name for name in names if "_" not in name}, word
