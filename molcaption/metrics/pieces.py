"""Tokenizers read from files: word pieces, the `tokenizers` library's JSON, SentencePiece models.

A vocabulary that is empty or lacks its unknown token is refused: one popular loader accepts it
silently and reports BLEU-2 0.82.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from molcaption.errors import BadDataError, MissingError

Split = Callable[[Sequence[str]], list[list[str]]]

MAX_PIECES = 512  # as the field's scripts truncate (MolT5, Edwards et al. 2022)
SPECIAL_PIECES = ("[PAD]", "[CLS]", "[SEP]")


def once_per_chunk(split: Split) -> Split:
    """The same tokens from a tokenizer that never looks across a space, each chunk cut only once.

    Captions repeat a small vocabulary: one chunk in 15 of the 3,300 pairs of a test split is new.
    """
    known: dict[str, list[str]] = {}

    def split_chunks(texts: Sequence[str]) -> list[list[str]]:
        chunked = [text.split(" ") for text in texts]
        new = list({chunk for chunks in chunked for chunk in chunks} - known.keys())
        known.update(zip(new, split(new), strict=True))
        return [[token for chunk in chunks for token in known[chunk]] for chunks in chunked]

    return split_chunks


def read_wordpiece(path: Path) -> Split:
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

    @once_per_chunk
    def split_all(texts: Sequence[str]) -> list[list[str]]:
        return [encoding.tokens for encoding in encode(list(texts), add_special_tokens=False)]

    def split(texts: Sequence[str]) -> list[list[str]]:
        return [_without_special(tokens[:MAX_PIECES]) for tokens in split_all(texts)]

    return split


def read_tokenizer_json(path: Path) -> Split:
    """Any tokenizer in the `tokenizers` library's own file, without its special tokens.

    Raises:
        BadDataError: the file is not such a tokenizer, or its vocabulary is empty.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(_read_text(path))
    except Exception as error:  # the library raises bare Exception
        raise BadDataError(f"{path}: not a tokenizer.json: {first_line(error)}") from error
    if not tokenizer.get_vocab_size():
        raise BadDataError(f"{path}: the tokenizer's vocabulary is empty")
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def split(texts: Sequence[str]) -> list[list[str]]:
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.tokens for encoding in encodings]

    return split


def read_sentencepiece(path: Path) -> Split:
    """Pieces of a SentencePiece model, as T5's `spiece.model`; it normalises text by itself.

    Raises:
        BadDataError: the file is no such model.
        MissingError: the package `sentencepiece` is not installed.
    """
    processor = _new_sentencepiece()
    try:
        processor.LoadFromSerializedProto(path.read_bytes())
    except (OSError, RuntimeError) as error:
        raise BadDataError(f"{path}: not a SentencePiece model: {first_line(error)}") from error

    def split(texts: Sequence[str]) -> list[list[str]]:
        pieces: list[list[str]] = processor.EncodeAsPieces(list(texts))
        return pieces

    return split


def _new_sentencepiece() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # SWIG's, at import
            from sentencepiece import SentencePieceProcessor
    except ImportError as error:
        raise MissingError(
            f"a SentencePiece model needs the package sentencepiece ({first_line(error)}); "
            "pip install 'molcaption[sentencepiece]'"
        ) from error
    return SentencePieceProcessor()


def _without_special(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token not in SPECIAL_PIECES]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDataError(f"{path}: cannot be read as UTF-8 text: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What went wrong, for the one line that a user reads."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
