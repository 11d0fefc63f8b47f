"""Tokenizers that stand behind BLEU and METEOR, each naming itself for the signature.

The same predictions score up to 0.10 BLEU-4 apart under different tokenizers, so a score without
its tokenizer means nothing. `word` is built in and needs no file. A `vocab.txt` of word pieces
(SciBERT's gives the numbers that papers print) and a `tokenizer.json` are read with the
`tokenizers` library, and their names carry a hash of the file. A vocabulary that is empty or lacks
its unknown token is refused: one popular loader accepts it silently and reports BLEU-2 0.82.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from molcaption.errors import BadDataError, NoInputError, UsageError

WORD_PATTERN = re.compile(r"\w+|[^\w\s]")
MAX_PIECES = 512  # as the field's scripts truncate (MolT5, Edwards et al. 2022)
SPECIAL_PIECES = ("[PAD]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class TextTokenizer:
    """A named way to cut texts into tokens: ``split(texts)`` gives one token list per text.

    ``name`` goes into the signature: ``word``, or kind, file name and the first eight hex digits
    of the file's SHA-256.
    """

    name: str
    split: Callable[[Sequence[str]], list[list[str]]]


def split_words(texts: Sequence[str]) -> list[list[str]]:
    r"""Lower-case, then every run of word characters and every single other non-space character.

    The pattern is ``\w+|[^\w\s]`` on ``str.lower()``: `(2R)-ol.` gives `( 2r ) - ol .`.
    """
    return [WORD_PATTERN.findall(text.lower()) for text in texts]


def split_whitespace(texts: Sequence[str]) -> list[list[str]]:
    """Split on whitespace and keep case: what `str.split` based scripts report."""
    return [text.split() for text in texts]


def load_wordpiece(path: Path) -> TextTokenizer:
    """Word pieces of an uncased BERT vocabulary, one piece a line.

    Text is cleaned, lower-cased and stripped of accents as in BERT; at most `MAX_PIECES` pieces
    are kept and `SPECIAL_PIECES` are dropped, as in MolT5's evaluation.

    Raises:
        BadDataError: the file is no uncased word-piece vocabulary.
    """
    from tokenizers.implementations import BertWordPieceTokenizer

    pieces = _read_text(path).split("\n")
    missing = [piece for piece in ("[UNK]", "[CLS]", "[SEP]") if piece not in pieces]
    if missing:
        raise BadDataError(
            f"{path}: not a word-piece vocabulary: it lacks {', '.join(missing)}; "
            "expected one piece a line, as in BERT's vocab.txt"
        )
    if sum(p != p.lower() for p in pieces if not p.startswith("[")) > len(pieces) / 20:
        raise BadDataError(
            f"{path}: looks like a cased vocabulary, expected an uncased one; "
            "give the model's tokenizer.json, which says how to treat case"
        )
    encode = BertWordPieceTokenizer(str(path), lowercase=True).encode_batch

    def split(texts: Sequence[str]) -> list[list[str]]:
        encodings = encode(list(texts), add_special_tokens=False)
        return [_without_special(encoding.tokens[:MAX_PIECES]) for encoding in encodings]

    return TextTokenizer(f"wordpiece-{path.stem}-{_hash(path)}", split)


def load_tokenizer_json(path: Path) -> TextTokenizer:
    """Any tokenizer in the `tokenizers` library's own file, without its special tokens.

    Raises:
        BadDataError: the file is not such a tokenizer, or its vocabulary is empty.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(_read_text(path))
    except Exception as error:  # the library raises bare Exception
        raise BadDataError(f"{path}: not a tokenizer.json: {_first_line(error)}") from error
    if not tokenizer.get_vocab_size():
        raise BadDataError(f"{path}: the tokenizer's vocabulary is empty")
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def split(texts: Sequence[str]) -> list[list[str]]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.tokens for encoding in encodings]

    return TextTokenizer(f"tokenizer-{path.stem}-{_hash(path)}", split)


TOKENIZERS: dict[str, TextTokenizer] = {
    "word": TextTokenizer("word", split_words),
    "whitespace": TextTokenizer("whitespace", split_whitespace),
}
TOKENIZER_FILES: dict[str, Callable[[Path], TextTokenizer]] = {
    ".txt": load_wordpiece,
    ".json": load_tokenizer_json,
}
DIRECTORY_FILES = ("tokenizer.json", "vocab.txt")  # the first that is there wins


def load_tokenizer(name_or_path: str) -> TextTokenizer:
    """A built-in tokenizer by name, or one from a file or tokenizer directory.

    Raises:
        UsageError: neither a known name nor a file of a known kind.
        NoInputError: the file or directory holds no tokenizer.
        BadDataError: the file is there and is not what it claims to be.
    """
    if name_or_path in TOKENIZERS:
        return TOKENIZERS[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        found = [path / name for name in DIRECTORY_FILES if (path / name).is_file()]
        if not found:
            raise NoInputError(f"{path}: holds none of {', '.join(DIRECTORY_FILES)}")
        path = found[0]
    if not path.is_file():
        raise UsageError(
            f"tokenizer {name_or_path!r} is neither a file nor one of {', '.join(TOKENIZERS)}"
        )
    if path.suffix not in TOKENIZER_FILES:
        raise UsageError(
            f"{path}: tokenizer files end in {' or '.join(TOKENIZER_FILES)}, got {path.suffix!r}"
        )
    return TOKENIZER_FILES[path.suffix](path)


def _without_special(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token not in SPECIAL_PIECES]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataError(f"{path}: cannot be read as UTF-8 text: {_first_line(error)}") from error


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
