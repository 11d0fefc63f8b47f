"""What a user names as input: files, folders, patterns that no shell has expanded, and a share."""

import glob
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from molcaption.chem.molecule import InvalidMolecule, parse_smiles
from molcaption.data.readers.opening import STDIN
from molcaption.errors import NoInputError, UsageError

Shard = tuple[int, int]
"""Which of how many shares: (i, n) takes the records whose number is i modulo n."""


def expand(inputs: Sequence[str | Path], suffixes: Collection[str]) -> list[str]:
    """Every file that ``inputs`` name, folders and patterns in alphabetical order.

    Args:
        inputs: files, "-", folders (all files in them with a known suffix, not in their
            subfolders), and patterns such as ``library/*.sdf``; a file of that very name comes
            first.
        suffixes: of the formats that can be read.

    Raises:
        NoInputError: a folder or pattern without a file.
    """
    files: list[str] = []
    for given in map(str, inputs):
        if Path(given).is_dir():
            found = sorted(str(p) for p in Path(given).iterdir() if _is_input(p, suffixes))
            wanted = f"folder without a compound file ({', '.join(sorted(suffixes))})"
        elif glob.has_magic(given) and not Path(given).exists():
            found = sorted(path for path in glob.glob(given) if Path(path).is_file())  # noqa: PTH207 (Path.glob refuses absolute patterns)
            wanted = "no file fits this pattern"
        else:
            found, wanted = [given], ""
        if not found:
            raise NoInputError(f"{given}: {wanted}")
        files += found
    return files


def _is_input(path: Path, suffixes: Collection[str]) -> bool:
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return path.is_file() and not path.name.startswith(".") and suffix in suffixes


def all_smiles(inputs: Sequence[str], suffixes: Collection[str]) -> bool:
    """Whether ``inputs`` are molecules, written as SMILES, and not files.

    A file of that name comes first, and what is spelt like one (a known suffix, "-") is one.

    Raises:
        NoInputError: an input is neither, or files and molecules are mixed.
    """
    paths = [given for given in inputs if _is_path(given, suffixes)]
    molecules = [given for given in inputs if given not in paths]
    for given in molecules:
        try:
            parse_smiles(given)
        except InvalidMolecule as error:
            raise NoInputError(f"{given}: no such file, and no SMILES: {error}") from error
    if paths and molecules:
        raise NoInputError(
            f"{molecules[0]}: no such file; a SMILES cannot stand beside files such as {paths[0]}"
        )
    return not paths


def _is_path(given: str, suffixes: Collection[str]) -> bool:
    suffix = Path(given.lower().removesuffix(".gz")).suffix
    if given == STDIN or suffix in suffixes or Path(given).exists():
        return True
    return any(glob.iglob(given))  # noqa: PTH207 (as in `expand`)


def parse_shard(text: str | None) -> Shard | None:
    """``2/8``, the second of eight shares, as (1, 8).

    Raises:
        UsageError: not of this form, or no such share.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard {text!r}: expected I/N such as 2/8, I from 1 to N")
    return int(match[1]) - 1, int(match[2])


def told_shard(shard: Shard | None) -> str | None:
    """The text that `parse_shard` reads."""
    return None if shard is None else f"{shard[0] + 1}/{shard[1]}"
