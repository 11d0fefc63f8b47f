"""`score`: numbers for a file of captions against a file of references.

Rows are joined on an id, never by position: a caption that is missing is charged as an empty one,
and one that belongs to no reference is refused, so that nobody gains by leaving rows out. Plain
`.txt` files have no ids; they are joined line by line and every signature says so.
"""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from molcaption import __version__
from molcaption.data.captions import CaptionTable, read_captions, some
from molcaption.data.writers import atomic_write
from molcaption.errors import BadDataError, UsageError
from molcaption.metrics.signatures import METRICS, Corpus, Score, compute
from molcaption.metrics.tokenizers import load_tokenizer
from molcaption.metrics.wordnet import NO_WORDNET, load_wordnet

log = logging.getLogger(__name__)
HEADLINE = "bleu4"


def score(
    predictions: str | Path,
    references: str | Path,
    *,
    output: str | Path | None = None,
    tokenizer: str = "word",
    wordnet: str | Path | None = None,
    id_column: str = "id",
    caption_column: str = "caption",
    description_column: str = "description",
    metrics: Sequence[str] | None = None,
    limit: int | None = None,
    format: str = "json",
    brief: bool = False,
    width: int = 4,
) -> list[Score]:
    """Score ``predictions`` against ``references`` and print or write the result.

    Args:
        output: file to write; standard output without it.
        tokenizer: `word`, `whitespace`, or a vocab.txt, tokenizer.json or directory with one.
        wordnet: folder of WordNet for METEOR; otherwise NLTK's search path, and if that has none
            METEOR matches words and stems only, which its signature says.
        metrics: names from `METRICS`, all by default.
        limit: score the first so many references only; the signatures say so.
        format: `json` or `table`.
        brief: print bare numbers only, one a line; BLEU-4 unless ``metrics`` says otherwise.
        width: digits after the point where numbers are printed for reading.

    Raises:
        MolcaptionError: bad options, files or joins; see `read_captions` and `join`.
    """
    names = _checked_metrics(metrics, brief)
    if format not in FORMATS:
        raise UsageError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    if (limit is not None and limit < 1) or width < 0:
        raise UsageError("limit has to be at least 1 and width at least 0")
    tokens = load_tokenizer(tokenizer)
    captions = read_captions(predictions, id_column, caption_column)
    descriptions = read_captions(references, id_column, description_column)
    left, right, origin = join(captions, descriptions, limit)
    synonyms = load_wordnet(wordnet) if "meteor" in names else NO_WORDNET
    corpus = Corpus(left, right, tokens, synonyms, origin)
    scores = [compute(name, corpus) for name in names]
    summary = {
        "version": __version__,
        "predictions": str(predictions),
        "references": str(references),
        "n": len(right),
        "charged_empty": corpus.n_empty,
        "missing": int(origin["missing"]),
    }
    _emit(_brief(scores, width) if brief else FORMATS[format](summary, scores, width), output)
    return scores


def join(
    captions: CaptionTable, descriptions: CaptionTable, limit: int | None = None
) -> tuple[list[str], list[str], dict[str, str]]:
    """Captions and references side by side in the references' order, and what to say about it.

    Raises:
        UsageError: one file has ids and the other has only lines.
        BadDataError: a caption without a reference, no id in common, or an empty reference.
    """
    if captions.by_line != descriptions.by_line:
        raise UsageError(
            f"{captions.path} and {descriptions.path}: a .txt has no ids to join a table on; "
            "give two .txt files, or two tables with ids"
        )
    n_captions, n_references = len(captions.ids), len(descriptions.ids)
    if captions.by_line and n_captions != n_references:
        raise BadDataError(
            f"{captions.path} has {n_captions} lines and {descriptions.path} has {n_references}; "
            "files without ids have to match line by line"
        )
    _refuse_strangers(captions, descriptions)
    found = dict(zip(captions.ids, captions.texts, strict=True))
    ids = descriptions.ids[:limit]
    missing = [i for i in ids if i not in found]
    if missing:
        log.warning(
            "%s: %d of %d references have no caption and are charged as empty: %s",
            captions.path, len(missing), len(ids), some(missing),
        )  # fmt: skip
    origin = {"missing": str(len(missing)), "join": "line" if captions.by_line else "id"}
    if limit is not None:
        origin["limit"] = str(limit)
    return [found.get(i) or "" for i in ids], _references(descriptions, len(ids)), origin


def _refuse_strangers(captions: CaptionTable, descriptions: CaptionTable) -> None:
    known = set(descriptions.ids)
    extra = [i for i in captions.ids if i not in known]
    if not extra:
        return
    if len(extra) == len(captions.ids):
        raise BadDataError(
            f"{captions.path}: none of its {len(extra)} ids is in {descriptions.path}; "
            f"first here {some(captions.ids, 2)}, first there {some(descriptions.ids, 2)}; "
            "choose the id column"
        )
    raise BadDataError(
        f"{captions.path}: {len(extra)} ids are not in {descriptions.path}: {some(extra)}; "
        "drop these captions, or give the references they belong to"
    )


def _references(descriptions: CaptionTable, n: int) -> list[str]:
    texts = [text or "" for text in descriptions.texts[:n]]
    empty = [i for i, text in zip(descriptions.ids, texts, strict=False) if not text.strip()]
    if empty:
        raise BadDataError(
            f"{descriptions.path}: {len(empty)} references are empty: {some(empty)}; "
            "nothing can be scored against them, drop these rows"
        )
    return texts


def _checked_metrics(metrics: Sequence[str] | None, brief: bool) -> list[str]:
    names = list(metrics) if metrics else ([HEADLINE] if brief else list(METRICS))
    for name in names:
        if name not in METRICS:
            raise UsageError(f"metric {name!r} is not one of {', '.join(METRICS)}")
    return names


def _brief(scores: list[Score], width: int) -> str:
    return "\n".join(f"{score.value:.{width}f}" for score in scores)


def _json(summary: dict[str, Any], scores: list[Score], width: int) -> str:
    rows = [asdict(score) for score in scores]
    return json.dumps({**summary, "scores": rows}, indent=2, ensure_ascii=False)


def _table(summary: dict[str, Any], scores: list[Score], width: int) -> str:
    broad = max(len(score.name) for score in scores)
    lines = [f"{score.name:<{broad}}  {score.value:>{width + 2}.{width}f}" for score in scores]
    signed = (f"{line}  {score.signature}" for line, score in zip(lines, scores, strict=True))
    return "\n".join(signed)


FORMATS: dict[str, Callable[[dict[str, Any], list[Score], int], str]] = {
    "json": _json,
    "table": _table,
}


def _emit(text: str, output: str | Path | None) -> None:
    if output in (None, "-"):
        sys.stdout.write(text + "\n")
        return
    with atomic_write(str(output), "w") as file:
        file.write(text + "\n")
