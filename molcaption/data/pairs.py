"""Training data: structures with descriptions, with names, or alone.

TSV is read without quoting, since captions hold quotation marks of their own, CSV with, since they
hold commas too; the columns are found by name. Every structure becomes canonical isomeric SMILES
here, once, so that all stages see the same text for the same molecule; a row whose structure cannot
be read is left out and counted in the log.
"""

import csv
import gzip
import io
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from molcaption.chem.molecule import InvalidMolecule, canonical_smiles, parse_smiles
from molcaption.data.prose import in_style
from molcaption.errors import BadDataError, NoInputError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pair:
    """A structure (canonical SMILES) and a text about it; ``style`` names the text's diction."""

    id: str
    smiles: str
    description: str
    style: str = ""


def read_pairs(path: str | Path, styles: Collection[str] | None = None) -> list[Pair]:
    """Rows of a TSV or CSV (also ``.gz``) with columns ``id``/``cid``, ``smiles``, ``description``.

    Args:
        path: the table.
        styles: keep only rows whose ``style`` column is one of these, or whose text is ChEBI's
            prose if `CHEBI` is one (see `in_style`); all rows without it.

    Raises:
        NoInputError: there is no such file, or it has no row.
        BadDataError: a needed column is missing, or no structure can be read.
    """
    pairs: list[Pair] = []
    unreadable = 0
    for row in _rows(path, needed=("smiles", "description")):
        style = row.get("style", "")
        text = in_style(row["description"], style, styles)
        if text is None:
            continue
        smiles = _canonical(row["smiles"])
        if smiles is None or not text:
            unreadable += 1
            continue
        pairs.append(Pair(row.get("id") or row.get("cid") or "", smiles, text, style))
    if unreadable:
        _log.warning("%s: %d rows left out: structure or text missing", path, unreadable)
    if not pairs:
        raise BadDataError(f"{path}: no usable pair (styles: {styles or 'all'}); check the file")
    return pairs


def read_structures(path: str | Path) -> list[str]:
    """Every SMILES of a table with a ``smiles`` column, else the first word of every line."""
    with _open(path) as lines:
        named = "smiles" in lines.readline().lower().replace(",", " ").split()
    if named:
        return [row["smiles"] for row in _rows(path, needed=("smiles",))]
    with _open(path) as lines:
        return [line.split()[0] for line in lines if line.strip()]


def _canonical(smiles: str) -> str | None:
    try:
        return canonical_smiles(parse_smiles(smiles))
    except InvalidMolecule:
        return None


def _rows(path: str | Path, needed: Sequence[str]) -> Iterator[dict[str, str]]:
    with _open(path) as lines:
        quoted = ".csv" in Path(path).suffixes
        reader = csv.reader(
            lines,
            delimiter="," if quoted else "\t",
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in needed if name not in header]
        if missing:
            raise BadDataError(
                f"{path}: no column {', '.join(missing)}; there are: {', '.join(header) or 'none'}"
            )
        for cells in reader:
            yield dict(zip(header, [*cells, *[""] * len(header)], strict=False))


def _open(path: str | Path) -> io.TextIOWrapper:
    try:
        raw = gzip.open(path) if Path(path).suffix == ".gz" else Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise NoInputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return io.TextIOWrapper(raw, encoding="utf-8", newline="")  # type: ignore[arg-type]
