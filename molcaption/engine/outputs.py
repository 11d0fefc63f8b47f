"""A folder as output: a file for each input, each as a run of its own would have written it."""

import logging
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from pathlib import Path

from molcaption.data.atomic import cannot_write
from molcaption.data.readers.opening import STDIN
from molcaption.engine.summary import Summary
from molcaption.errors import BadDataError, LockedError, MolcaptionError, NoInputError, UsageError

_log = logging.getLogger(__name__)
_SUFFIX = ".parquet"
_OTHERS_GO_ON = (BadDataError, NoInputError, LockedError)
"""Errors of one input; any other (a full disk, a missing model) would meet the next one too."""


def is_folder(output: str | Path) -> bool:
    """Whether the output is a folder: it is there, or its name ends with a slash."""
    return str(output).endswith("/") or Path(output).is_dir()


def outputs_in(folder: str | Path, inputs: Sequence[str]) -> list[tuple[str, Path]]:
    """Each input with its output ``FOLDER/NAME.parquet``; the folder is made if it is not there.

    Raises:
        UsageError: standard input, which has no name, or two inputs of one name.
        CannotWriteError: the folder cannot be made.
    """
    outputs: dict[Path, str] = {}
    for given in inputs:
        if given == STDIN:
            raise UsageError(f"-: standard input has no name for a file in {folder}: give a file")
        out = Path(folder) / f"{_stem(given)}{_SUFFIX}"
        if out in outputs:
            raise UsageError(f"{outputs[out]} and {given} would both be written to {out}: "
                             "caption them in two runs")  # fmt: skip
        outputs[out] = given
    with cannot_write(Path(folder)):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return [(given, out) for out, given in outputs.items()]


def write_each(
    outputs: Sequence[tuple[str, Path]], write: Callable[[str, Path], Summary]
) -> Summary:
    """Write the outputs one after another; what is wrong with one input does not stop the others.

    Raises:
        BadDataError, NoInputError, LockedError: once all are done, what was wrong with the first
            that failed.
    """
    summaries, failures = [], list[MolcaptionError]()
    for given, out in outputs:
        try:
            summaries.append(write(given, out))
        except _OTHERS_GO_ON as error:
            _log.warning("%s", error)
            failures.append(error)
    if failures:
        raise type(failures[0])(
            f"{len(failures)} of {len(outputs)} inputs failed, the others are written; "
            f"the first: {failures[0]}"
        )
    return reduce(add, summaries)


def _stem(path: str) -> str:
    """The name without the suffix of its format and without ``.gz``."""
    name = Path(path).name
    return Path(name[:-3] if name.lower().endswith(".gz") else name).stem
