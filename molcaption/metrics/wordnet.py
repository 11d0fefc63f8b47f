"""WordNet as METEOR needs it: the one-word synonyms of a word, and nothing downloaded.

The database files are read as wndb(5) lays them out, one look-up at a time: NLTK's reader parses
all of them first, which takes longer than everything else in scoring 3,300 captions. Which forms a
word may have is NLTK's rule (its ``_morphy``, after Princeton's), and tests hold the answers to its
reader's. `NO_WORDNET` stands in where there is no WordNet: METEOR's third stage then finds nothing.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import nltk
from nltk.corpus.reader import WordNetCorpusReader

from molcaption.errors import BadDataError, NoInputError

Folder = Path | zipfile.Path  # NLTK ships WordNet zipped and reads it either way
Endings = Iterable[tuple[str, str]]

PARTS_OF_SPEECH = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
VERSION = re.compile(rb"WordNet (\d+\.\d+) Copyright", re.IGNORECASE)
MARKER = re.compile(r"\([^()]*\)$")  # of adjectives, where they may stand: "galore(ip)"


class _PartOfSpeech:
    """The index, data and exceptions of nouns, verbs, adjectives or adverbs."""

    def __init__(self, folder: Folder, name: str, endings: Endings) -> None:
        self._index = _entries(folder / f"index.{name}")
        self._exceptions = _entries(folder / f"{name}.exc")
        self._data = (folder / f"data.{name}").read_bytes()
        self._endings = tuple(endings)

    def synonyms(self, word: str) -> Iterator[str]:
        """Every lemma of every synset of every form of ``word``."""
        for form in self._forms(word):
            senses = self._index[form].split()  # pos, number of synsets, …, their byte offsets
            for offset in senses[-int(senses[1]) :]:
                yield from self._lemmas(offset)

    def _forms(self, word: str) -> set[str]:
        if word in self._exceptions:
            forms = self._exceptions[word].split()
        else:
            forms = [word.removesuffix(a) + b for a, b in self._endings if word.endswith(a)]
        return {form for form in (word, *forms) if form in self._index}

    def _lemmas(self, offset: str) -> list[str]:
        start = int(offset)
        line = self._data[start : self._data.find(b"\n", start)].decode("utf-8")
        fields = line.split()  # offset, file, type, number of lemmas in hex, lemma, id, lemma, …
        if fields[:1] != [offset]:
            raise ValueError(f"the index points to byte {start}, where no synset begins")
        return [MARKER.sub("", lemma) for lemma in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]


class Synonyms:
    """Synonyms by word, each looked up once.

    ``version`` is WordNet's own (``3.0``), or ``none`` without one.
    """

    def __init__(self, folder: Folder | None) -> None:
        self._where = str(folder)
        self._known: dict[str, frozenset[str]] = {}
        self._parts: list[_PartOfSpeech] = []
        self.version = "none"
        if folder is not None:
            endings = WordNetCorpusReader.MORPHOLOGICAL_SUBSTITUTIONS
            self._parts = [
                _PartOfSpeech(folder, name, endings[tag]) for tag, name in PARTS_OF_SPEECH.items()
            ]
            stated = VERSION.search((folder / "data.adj").read_bytes())
            self.version = stated[1].decode() if stated else "unknown"

    def of(self, word: str) -> frozenset[str]:
        """One-word lemmas that share a synset with a form of ``word``; METEOR skips the others.

        Raises:
            BadDataError: WordNet's files contradict each other.
        """
        if word not in self._known:
            try:
                lemmas = [lemma for part in self._parts for lemma in part.synonyms(word.lower())]
            except (ValueError, IndexError) as error:
                raise BadDataError(f"{self._where}: cannot be read as WordNet: {error}") from error
            self._known[word] = frozenset(lemma for lemma in lemmas if "_" not in lemma)
        return self._known[word]


NO_WORDNET = Synonyms(None)


def load_wordnet(folder: str | Path | None = None) -> Synonyms:
    """WordNet from ``folder``, else from NLTK's search path (``NLTK_DATA``), else none.

    Args:
        folder: the corpus itself (it holds ``data.noun``) or an NLTK data folder around it.
            A folder that the caller names has to hold WordNet; only the search may find nothing.

    Raises:
        NoInputError: ``folder`` holds no WordNet.
        BadDataError: it does, but its files are not WordNet's.
    """
    for root in nltk.data.path if folder is None else [folder]:
        for place in (Path(root), Path(root, "corpora/wordnet"), Path(root, "corpora/wordnet.zip")):
            if (_opened(place) / "data.noun").is_file():
                return _read(place.resolve())
    if folder is None:
        return NO_WORDNET
    raise NoInputError(
        f"{folder}: holds no WordNet; expected data.noun in it or in its corpora/wordnet; "
        "unpack NLTK's wordnet corpus there, or leave the option out to score without"
    )


@lru_cache(maxsize=2)  # what was read and looked up never changes
def _read(place: Path) -> Synonyms:
    try:
        return Synonyms(_opened(place))
    except (OSError, ValueError) as error:
        raise BadDataError(f"{place}: cannot be read as WordNet: {error}") from error


def _opened(place: Path) -> Folder:
    is_zip = place.suffix == ".zip" and zipfile.is_zipfile(place)
    return zipfile.Path(place, "wordnet/") if is_zip else place


def _entries(file: Folder) -> dict[str, str]:
    """Lines by their first word; the licence at the top is indented and drops out."""
    lines = file.read_text(encoding="utf-8").split("\n")
    return {word: rest for word, _, rest in (line.partition(" ") for line in lines) if word}
