"""What the tests of text metrics share: WordNet, and pairs of caption and reference."""

import random
import tarfile
from pathlib import Path

import nltk
import pytest
from nltk.corpus.reader import WordNetCorpusReader

Pairs = list[tuple[str, str]]

# Written for these tests: an empty caption, one word, differing case, Greek and accents.
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
WORDS = "the acid acids acidic a ring rings is , . group ester".split()


def noisy_pairs(n: int) -> Pairs:
    """Captions of all lengths from nothing to 40 words, with repeats, from a small vocabulary."""
    rng = random.Random(7)
    lengths = [(rng.randrange(40), 1 + rng.randrange(40)) for _ in range(n)]
    return [tuple(" ".join(rng.choices(WORDS, k=k)) for k in pair) for pair in lengths]


@pytest.fixture
def golden_pairs() -> Pairs:
    return PAIRS


@pytest.fixture(params=["golden", "noisy"])
def pairs(request: pytest.FixtureRequest) -> Pairs:
    """A few written pairs, and 200 random ones."""
    return PAIRS if request.param == "golden" else noisy_pairs(200)


@pytest.fixture(scope="session")
def wordnet_folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NLTK's data folder with WordNet 3.0 in it."""
    folder = tmp_path_factory.mktemp("nltk")
    with tarfile.open(shared_data / "nltk" / "wordnet.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "nltk_min"


@pytest.fixture
def nltk_wordnet(wordnet_folder: Path, monkeypatch: pytest.MonkeyPatch) -> WordNetCorpusReader:
    """NLTK's own reader of the same WordNet."""

    class EnglishOnly(WordNetCorpusReader):
        def map_wn(self, version: str = "wordnet") -> None:
            """The map for other languages fails outside of NLTK's own data folder."""

    monkeypatch.setattr(nltk.data, "path", [str(wordnet_folder)])  # NLTK reads nowhere else
    with pytest.warns(UserWarning, match="multilingual"):
        return EnglishOnly(str(wordnet_folder / "corpora" / "wordnet"), None)


@pytest.fixture
def small_wordnet(tmp_path: Path) -> Path:
    """Five synsets in WordNet's own layout, made up for these tests, in an NLTK data folder."""
    folder = tmp_path / "small" / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    licence = "  1 WordNet 9.9 Copyright of nobody  \n"
    synsets = {
        "noun": [["dose", "portion"], ["mouse", "rodent", "field_mouse"]],
        "verb": [["dose", "administer"]],
        "adj": [["toxic(p)", "poisonous"]],
        "adv": [["slowly", "tardily"]],
    }
    exceptions = {"noun": "mice mouse\n"}
    for part, members in synsets.items():
        data, index = licence, {}
        for lemmas in members:
            for lemma in lemmas:
                index.setdefault(lemma.partition("(")[0], []).append(f"{len(data):08d}")
            words = " ".join(f"{lemma} 0" for lemma in lemmas)
            data += f"{len(data):08d} 03 {part[0]} {len(lemmas):02x} {words} 000 | a gloss  \n"
        entries = [
            f"{lemma} {part[0]} {len(at)} 1 @ {len(at)} 0 {' '.join(at)}  "
            for lemma, at in sorted(index.items())
        ]
        (folder / f"data.{part}").write_text(data, encoding="utf-8")
        (folder / f"index.{part}").write_text(licence + "\n".join(entries) + "\n", "utf-8")
        (folder / f"{part}.exc").write_text(exceptions.get(part, ""), encoding="utf-8")
    return tmp_path / "small"
