"""WordNet as METEOR needs it: the one-word synonyms of a word, and nothing downloaded.

NLTK's own reader does the reading. METEOR asks it for the same few thousand words over and over,
so `Synonyms` remembers the answers; `NO_WORDNET` stands in where there is no WordNet, which turns
METEOR's third stage off.
"""

import warnings
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import nltk
from nltk.corpus.reader import WordNetCorpusReader
from nltk.data import FileSystemPathPointer, PathPointer

from molcaption.errors import BadDataError, NoInputError


class _Lemma:
    """A synonym under the name NLTK's METEOR asks for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name


class _Synset:
    """All one-word synonyms of one word, gathered into a single set."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lemmas = [_Lemma(name) for name in names]

    def lemmas(self) -> list[_Lemma]:
        return self._lemmas


class _EnglishWordNet(WordNetCorpusReader):
    """NLTK's reader without the map between WordNet versions, which only other languages need.

    Building the map costs seconds and fails where WordNet lies outside an NLTK data folder.
    """

    def map_wn(self, version: str = "wordnet") -> None:
        """No map."""


class Synonyms:
    """The part of NLTK's WordNet reader that ``meteor_score`` uses, with its answers kept.

    ``version`` is WordNet's own (``3.0``), or ``none`` without a reader.
    """

    def __init__(self, reader: Any | None) -> None:
        self._reader = reader
        self._known: dict[str, list[_Synset]] = {}
        self.version: str = "none" if reader is None else reader.get_version()

    def synsets(self, word: str) -> list[_Synset]:
        """Synonyms of ``word``; METEOR skips those with an underscore, so they are left out."""
        if self._reader is None:
            return []
        if word not in self._known:
            lemmas = (lemma.name() for s in self._reader.synsets(word) for lemma in s.lemmas())
            names = sorted({name for name in lemmas if "_" not in name})
            self._known[word] = [_Synset(names)]
        return self._known[word]


NO_WORDNET = Synonyms(None)


def load_wordnet(folder: str | Path | None = None) -> Synonyms:
    """WordNet from ``folder``, else from NLTK's search path (``NLTK_DATA``), else none.

    Args:
        folder: the corpus itself (it holds ``data.noun``) or an NLTK data folder around it.
            A folder that the caller names has to hold WordNet; only the search may find nothing.

    Raises:
        NoInputError: ``folder`` holds no WordNet.
        BadDataError: it does, but NLTK cannot read it.
    """
    return NO_WORDNET if (found := _find(folder)) is None else _read(found)


def _find(folder: str | Path | None) -> PathPointer | None:
    if folder is None:
        return _find_below(None)
    root = Path(folder).resolve()
    if str(root) not in nltk.data.path:
        nltk.data.path.append(str(root))  # NLTK reads only below the folders listed here
    if (root / "data.noun").is_file():
        return FileSystemPathPointer(str(root))
    if (found := _find_below([str(root)])) is None:
        raise NoInputError(
            f"{folder}: holds no WordNet; expected data.noun in it or in its corpora/wordnet; "
            "unpack NLTK's wordnet corpus there, or leave the option out to score without"
        )
    return found


def _find_below(folders: list[str] | None) -> PathPointer | None:
    for resource in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):  # NLTK ships it zipped
        try:
            return nltk.data.find(resource, folders)
        except (LookupError, OSError):
            continue
    return None


@lru_cache(maxsize=2)  # reading takes seconds and the result never changes
def _read(corpus: PathPointer) -> Synonyms:
    try:
        with warnings.catch_warnings():
            # "multilingual functions are not available": METEOR needs English only.
            warnings.simplefilter("ignore")
            return Synonyms(_EnglishWordNet(corpus, None))
    except (OSError, ValueError, AssertionError, IndexError, KeyError) as error:
        raise BadDataError(f"{corpus}: cannot be read as WordNet: {error}") from error
