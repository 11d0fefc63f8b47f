"""Captions beside their references, joined on ids.

A caption that is missing is charged as an empty one, and one that belongs to no reference is
refused, so that nobody gains by leaving rows out. Plain `.txt` files have no ids; they are joined
line by line.
"""

import logging
from dataclasses import dataclass

from molcaption.data.captions import CaptionTable, some
from molcaption.errors import BadDataError, UsageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pairs:
    """N captions and references, in the order of the references.

    Attributes:
        missing: ids of references without a caption; theirs is "".
        join: what they were joined on, ``id`` or ``line``.
        limit: how many references were asked for, if not all.
        smiles: unparsed, [N]; None where neither file has a column of them.
        smiles_from: the file they come from, ``references`` if it has them, else ``predictions``.
    """

    ids: list[str]
    captions: list[str]
    references: list[str]
    missing: list[str]
    join: str
    limit: int | None
    smiles: list[str | None] | None
    smiles_from: str

    @property
    def origin(self) -> dict[str, str]:
        """How the pairs came together, for signatures."""
        limited = {} if self.limit is None else {"limit": str(self.limit)}
        return {"missing": str(len(self.missing)), "join": self.join, **limited}


def join(captions: CaptionTable, descriptions: CaptionTable, limit: int | None = None) -> Pairs:
    """Captions beside the first ``limit`` references, all by default.

    Raises:
        UsageError: one file has ids and the other has only lines.
        BadDataError: a caption without a reference, no id in common, or an empty reference.
    """
    _check_lines(captions, descriptions)
    _refuse_strangers(captions, descriptions)
    found = dict(zip(captions.ids, captions.texts, strict=True))
    ids = descriptions.ids[:limit]
    missing = [i for i in ids if i not in found]
    if missing:
        _log.warning(
            "%s: %d of %d references have no caption and are charged as empty: %s",
            captions.path, len(missing), len(ids), some(missing),
        )  # fmt: skip
    smiles, smiles_from = _smiles(captions, descriptions, ids)
    return Pairs(
        ids=ids,
        captions=[found.get(i) or "" for i in ids],
        references=_references(descriptions, len(ids)),
        missing=missing,
        join="line" if captions.by_line else "id",
        limit=limit,
        smiles=smiles,
        smiles_from=smiles_from,
    )


def _smiles(
    captions: CaptionTable, descriptions: CaptionTable, ids: list[str]
) -> tuple[list[str | None] | None, str]:
    # The references are the same for every system, so theirs count first.
    if descriptions.smiles is not None:
        return descriptions.smiles[: len(ids)], "references"
    if captions.smiles is None:
        return None, "none"
    found = dict(zip(captions.ids, captions.smiles, strict=True))
    return [found.get(i) for i in ids], "predictions"


def _check_lines(captions: CaptionTable, descriptions: CaptionTable) -> None:
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
