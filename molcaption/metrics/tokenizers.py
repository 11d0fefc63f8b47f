"""Tokenizers that stand behind BLEU and METEOR, each naming itself for the signature.

The same predictions score up to 0.10 BLEU-4 apart under different tokenizers, so a score without
its tokenizer means nothing. `word` is built in and needs no file. A `vocab.txt` of word pieces
(SciBERT's gives the numbers that papers print), a `tokenizer.json` and a SentencePiece model are
files, and their names carry a hash of the content. A name on the Hugging Face hub means the copy in
its cache: nothing is downloaded.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from molcaption.errors import NoInputError, UsageError
from molcaption.metrics.pieces import (
    Split,
    read_sentencepiece,
    read_tokenizer_json,
    read_wordpiece,
)

WORD_PATTERN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class TextTokenizer:
    """A named way to cut texts into tokens: ``split(texts)`` gives one token list per text.

    ``name`` goes into the signature: ``word``, or kind, file name and the first eight hex digits
    of the file's SHA-256; for a tokenizer from the hub's cache its name there and the digits.
    """

    name: str
    split: Split


def split_words(texts: Sequence[str]) -> list[list[str]]:
    r"""Lower-case, then every run of word characters and every single other non-space character.

    The pattern is ``\w+|[^\w\s]`` on ``str.lower()``: `(2R)-ol.` gives `( 2r ) - ol .`.
    """
    return [WORD_PATTERN.findall(text.lower()) for text in texts]


def split_whitespace(texts: Sequence[str]) -> list[list[str]]:
    """Split on whitespace and keep case: what `str.split` based scripts report."""
    return [text.split() for text in texts]


TOKENIZERS: dict[str, TextTokenizer] = {
    "word": TextTokenizer("word", split_words),
    "whitespace": TextTokenizer("whitespace", split_whitespace),
}
TOKENIZER_FILES: dict[str, tuple[str, Callable[[Path], Split]]] = {  # suffix -> kind and reader
    ".txt": ("wordpiece", read_wordpiece),
    ".json": ("tokenizer", read_tokenizer_json),
    ".model": ("sentencepiece", read_sentencepiece),
}
DIRECTORY_FILES = (  # the first that is there wins
    "tokenizer.json", "vocab.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model",
)  # fmt: skip


def load_tokenizer(name_or_path: str) -> TextTokenizer:
    """A built-in tokenizer by name, or one from a file, a tokenizer directory or the hub's cache.

    Raises:
        UsageError: neither a built-in name, nor a file of a known kind, nor cached.
        NoInputError: the directory or the cached copy holds no tokenizer.
        BadDataError: the file is there and is not what it claims to be.
        MissingError: a SentencePiece model without the package that reads it.
    """
    if name_or_path in TOKENIZERS:
        return TOKENIZERS[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        return _load_file(_file_in(path))
    if path.is_file():
        return _load_file(path)
    return _load_cached(name_or_path)


def _load_file(path: Path) -> TextTokenizer:
    if path.suffix not in TOKENIZER_FILES:
        raise UsageError(
            f"{path}: tokenizer files end in {', '.join(TOKENIZER_FILES)}, got {path.suffix!r}"
        )
    kind, read = TOKENIZER_FILES[path.suffix]
    return TextTokenizer(f"{kind}-{path.stem}-{_hash(path)}", read(path))


def _file_in(directory: Path) -> Path:
    for name in DIRECTORY_FILES:
        if (directory / name).is_file():
            return directory / name
    raise NoInputError(f"{directory}: holds none of {', '.join(DIRECTORY_FILES)}")


def _load_cached(name: str) -> TextTokenizer:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        file = _file_in(Path(snapshot_download(name, local_files_only=True)))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise UsageError(
            f"tokenizer {name!r} is neither a file nor one of {', '.join(TOKENIZERS)}, and the "
            "Hugging Face cache has none of that name; nothing is downloaded, name a file"
        ) from error
    return replace(_load_file(file), name=f"hub-{name}-{_hash(file)}")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
