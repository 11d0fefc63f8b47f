"""Where rows go: a file with what lies beside it, or a folder with a file for each input, each as a
run of its own would have written it."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from operator import add
from pathlib import Path

from molcaption import __version__
from molcaption.claims import Lexicon
from molcaption.data.atomic import STDOUT
from molcaption.data.lock import locked
from molcaption.data.readers.opening import STDIN
from molcaption.data.rerun import KEY, stored_key
from molcaption.engine.captioning import LoadedCaptioner
from molcaption.engine.store import remove_store
from molcaption.engine.summary import Summary
from molcaption.errors import (
    BadDataError,
    CannotWriteError,
    LockedError,
    MolcaptionError,
    NoInputError,
    UsageError,
)

_log = logging.getLogger(__name__)
_SUFFIX = ".parquet"
_OTHERS_GO_ON = (BadDataError, NoInputError, LockedError)
"""Errors of one input; any other (a full disk, a missing model) would meet the next one too."""


def held(output: str | Path) -> AbstractContextManager[None]:
    """The lock of an output file; a stream needs none."""
    return nullcontext() if is_stream(output) else locked(Path(output))


def kept(output: str | Path, cache: str | Path | None) -> Path | None:
    """Where captions are kept while the run lasts, or for good."""
    if cache is not None:
        make_folder(cache)
        return Path(cache) / "captions"
    return None if is_stream(output) else Path(f"{output}.captions")


def is_stream(output: str | Path) -> bool:
    """Standard output, a pipe or a device: nothing can lie beside it."""
    return str(output) == STDOUT or (Path(output).exists() and not Path(output).is_file())


def exists(output: str | Path) -> bool:
    """Whether a file is there that would be written over."""
    return str(output) != STDOUT and Path(output).is_file()


def leave(output: str | Path, key: str | None) -> Summary:
    """An existing output: nothing to do if it is what this command would write.

    Raises:
        CannotWriteError: it is something else, or a format that cannot tell.
    """
    if key is not None and stored_key(Path(output)) == key:
        remove_store(Path(f"{output}.captions"))  # killed just before it would have gone
        return already_there(output)
    raise CannotWriteError(f"{output}: exists already; give another name, or --force")


def already_there(output: str | Path) -> Summary:
    """Of an output that the same command made: there is nothing to do."""
    _log.info("%s: already there, made by the same command; --force makes it anew", output)
    return Summary(0, 0, 0, 0, {}, 0.0)


def metadata_of(
    captioner: LoadedCaptioner,
    lexicon: Lexicon,
    inputs: Sequence[str | Path],
    memory: str | Path | None,
    key: str | None,
) -> dict[str, str]:
    """What the Parquet file says about its making."""
    runtime, _, decoding = captioner
    first = "greedy" if decoding.beams.width == 1 else "beam search"
    facts = {
        "molcaption.version": __version__,
        "molcaption.model": runtime.name,
        "molcaption.model_hash": runtime.model_hash,
        "molcaption.decode": json.dumps(
            {
                "method": "best of candidates" if decoding.draws else first,
                "draws": decoding.draws,
                "beams": decoding.beams.width,
                "length_penalty": decoding.beams.length_penalty,
                "mend": decoding.mend,
                "max_new_tokens": decoding.max_new_tokens,
            }
        ),
        "molcaption.memory": "" if memory is None else str(memory),
        "molcaption.lexicon": f"{lexicon.version} {lexicon.hash}",
        "molcaption.inputs": json.dumps([str(path) for path in inputs]),
    }
    return facts if key is None else {**facts, KEY: key}


def is_folder(output: str | Path) -> bool:
    """Whether the output is a folder: it is there, or its name ends with a slash."""
    return str(output).endswith("/") or Path(output).is_dir()


def make_folder(folder: str | Path) -> None:
    """Make a folder, and those above it, if it is not there.

    Raises:
        CannotWriteError: it cannot be made, or is a file.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWriteError(f"{folder}: cannot make this folder: {error.strerror}") from error


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
    make_folder(folder)
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
