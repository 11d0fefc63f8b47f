from pathlib import Path

import nltk
import pytest

from molcaption.errors import BadDataError, NoInputError
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet


def test_a_named_folder_without_wordnet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="holds no WordNet"):
        load_wordnet(tmp_path)


def test_a_search_that_finds_nothing_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    assert load_wordnet() is NO_WORDNET
    assert NO_WORDNET.version == "none"
    assert NO_WORDNET.synsets("acid") == []


def test_a_broken_wordnet_is_bad_data(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text("x", encoding="utf-8")
    with pytest.raises(BadDataError, match="cannot be read as WordNet"):
        load_wordnet(tmp_path)


def test_real_wordnet_from_either_folder_and_from_the_search_path(
    wordnet_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = load_wordnet(wordnet_folder)
    assert named.version == "3.0"
    assert load_wordnet(wordnet_folder / "corpora" / "wordnet") is named
    monkeypatch.setattr(nltk.data, "path", [str(wordnet_folder)])
    assert load_wordnet() is named
    names = {lemma.name() for synset in named.synsets("acid") for lemma in synset.lemmas()}
    assert {"acid", "acidic"} <= names
    assert not any("_" in name for name in names)
