import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.implementations import BertWordPieceTokenizer

from molcaption.errors import BadDataError, MissingError, NoInputError, UsageError
from molcaption.metrics.pieces import SPECIAL_PIECES
from molcaption.metrics.tokenizers import load_tokenizer, split_whitespace, split_words

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "acid", "amino", "##s", "α", "a", "-"]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return path


def test_words_are_lower_cased_runs_and_single_signs() -> None:
    text = "(2R)-Ol.  β-D-Gal-(1->3)\u2028NaCl_x é"
    assert split_words([text, ""]) == [
        ["(", "2r", ")", "-", "ol", ".", "β", "-", "d", "-", "gal", "-",
         "(", "1", "-", ">", "3", ")", "nacl_x", "é"],
        [],
    ]  # fmt: skip


def test_whitespace_keeps_case() -> None:
    assert split_whitespace(["An Acid. "]) == [["An", "Acid."]]


def test_wordpiece_lower_cases_and_drops_special_pieces(vocabulary: Path) -> None:
    tokens = load_tokenizer(str(vocabulary)).split(["[CLS] Amino acids\tÁ-α zzz [SEP]", ""])
    assert tokens == [["amino", "acid", "##s", "a", "-", "α", "[UNK]"], []]


def test_wordpiece_keeps_512_pieces(vocabulary: Path) -> None:
    assert len(load_tokenizer(str(vocabulary)).split(["acid " * 600])[0]) == 512


def test_name_follows_the_files_content(vocabulary: Path) -> None:
    before = load_tokenizer(str(vocabulary)).name
    vocabulary.write_text("\n".join([*PIECES, "ester"]), encoding="utf-8")
    after = load_tokenizer(str(vocabulary)).name
    assert before.startswith("wordpiece-vocab-") and after.startswith("wordpiece-vocab-")
    assert before != after


def test_a_directory_is_searched(vocabulary: Path) -> None:
    assert load_tokenizer(str(vocabulary.parent)).name == load_tokenizer(str(vocabulary)).name


def test_tokenizer_json(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer = Tokenizer(models.WordLevel({"acid": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(1)  # a setting of training that must not shorten captions
    tokenizer.save(str(path))
    loaded = load_tokenizer(str(path))
    assert loaded.split(["acid ester acid"]) == [["acid", "[UNK]", "acid"]]
    assert loaded.name.startswith("tokenizer-tokenizer-")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lacks \\[UNK\\], \\[CLS\\], \\[SEP\\]"),
        ("the\nacid\n", "not a word-piece vocabulary"),
        ("[UNK]\n[CLS]\n[SEP]\nAcid\nacid\nThe\n", "looks like a cased vocabulary"),
    ],
)
def test_an_empty_or_wrong_vocabulary_is_refused(
    vocabulary: Path, content: str, message: str
) -> None:
    vocabulary.write_text(content, encoding="utf-8")
    with pytest.raises(BadDataError, match=message):
        load_tokenizer(str(vocabulary))


def test_files_that_are_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadDataError, match="not a tokenizer"):
        load_tokenizer(str(tmp_path / "tokenizer.json"))
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(BadDataError, match="UTF-8"):
        load_tokenizer(str(tmp_path / "vocab.txt"))


def test_sentencepiece(tmp_path: Path) -> None:
    trainer = pytest.importorskip("sentencepiece").SentencePieceTrainer
    texts = tmp_path / "texts.txt"
    texts.write_text("an amino acid\nan acid ester\n" * 20, encoding="utf-8")
    prefix = tmp_path / "spiece"
    trainer.train(
        input=str(texts),
        model_prefix=str(prefix),
        vocab_size=18,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    loaded = load_tokenizer(str(tmp_path / "spiece.model"))
    (pieces, nothing) = loaded.split(["an acid", ""])
    assert "".join(pieces) == "▁an▁acid"
    assert nothing == []
    assert loaded.name.startswith("sentencepiece-spiece-")
    directory = tmp_path / "t5"
    directory.mkdir()
    (tmp_path / "spiece.model").rename(directory / "spiece.model")
    assert load_tokenizer(str(directory)).name == loaded.name


def test_a_broken_sentencepiece_model(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    (tmp_path / "spiece.model").write_bytes(b"no model")
    with pytest.raises(BadDataError, match=r"spiece\.model: not a SentencePiece model"):
        load_tokenizer(str(tmp_path / "spiece.model"))


def test_sentencepiece_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    (tmp_path / "spiece.model").write_bytes(b"x")
    with pytest.raises(MissingError, match=r"pip install 'molcaption\[sentencepiece\]'"):
        load_tokenizer(str(tmp_path / "spiece.model"))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with the tokenizer `somebody/pieces` in it, as a download leaves it."""
    cache = tmp_path / "hub"
    snapshot = cache / "models--somebody--pieces" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def test_a_hub_tokenizer_that_is_cached(hub_cache: Path) -> None:
    loaded = load_tokenizer("somebody/pieces")
    assert loaded.split(["an acid"]) == [["[UNK]", "acid"]]
    assert loaded.name.startswith("hub-somebody/pieces-")


@pytest.mark.parametrize("name", ["somebody/else", "wrod", "/nowhere/vocab.txt", "a/b/c", ".."])
def test_nothing_is_downloaded(
    hub_cache: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises((UsageError, NoInputError)) as caught:
        load_tokenizer(name)
    assert "\n" not in str(caught.value)


def test_unknown_names_and_kinds_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'wrod' is neither a file nor one of word, whitespace"):
        load_tokenizer("wrod")
    (tmp_path / "vocab.bin").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"end in \.txt, \.json, \.model, got '\.bin'"):
        load_tokenizer(str(tmp_path / "vocab.bin"))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NoInputError, match="holds none of"):
        load_tokenizer(str(tmp_path / "nothing"))


@given(st.text(alphabet=st.sampled_from(" \n\t\u00a0\x1c\u0301aciDmÁ-[]CLSα文")) | st.text())
def test_wordpieces_are_the_librarys(text: str) -> None:
    """Chunks are cut one by one, which must not show."""
    pieces = {piece: place for place, piece in enumerate(PIECES)}
    whole = BertWordPieceTokenizer(pieces, lowercase=True).encode(text, add_special_tokens=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.txt")
        path.write_text("\n".join(PIECES), encoding="utf-8")
        ours = load_tokenizer(str(path)).split([f"acid {text}"])[0]
    assert ours == ["acid", *(t for t in whole.tokens[:511] if t not in SPECIAL_PIECES)]
