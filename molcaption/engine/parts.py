"""An output in parts: a folder of Parquet files, each a window of the records, in their order.

Parts are written one by one, by any machine that sees the folder. Each is whole or absent and tells
by its key which command it belongs to, and the last one that it is the last. So what is there
already and whether all is there can be seen from the folder alone, and a part that two machines
write at once is the same twice.
"""

import re
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

import pyarrow.parquet as pq

from molcaption.claims import Lexicon
from molcaption.data.readers.raw import RawRecord
from molcaption.data.rerun import stored_key
from molcaption.data.writers import open_writer
from molcaption.data.writers.parquet import unify
from molcaption.data.writers.schema import parse_columns
from molcaption.engine.bulk import captioned, growing, parsed
from molcaption.engine.captioning import Captioning
from molcaption.engine.job import Job
from molcaption.engine.outputs import kept
from molcaption.engine.store import open_store
from molcaption.engine.tally import Tally
from molcaption.errors import CannotWriteError
from molcaption.workers import Workers

_NAME = re.compile(r"part-(\d{6,})\.parquet")
_UNFINISHED = re.compile(r"\.part-.*\.tmp|part-.*\.captions(-journal)?")
"""What a killed process leaves behind."""
_TALLY, _LAST = "molcaption.tally", "molcaption.last"


def part_path(folder: Path, number: int) -> Path:
    """Where a part lies; parts are in order by name."""
    return folder / f"part-{number:06}.parquet"


def begin_parts(folder: Path, key: str | None, *, force: bool) -> set[int]:
    """Numbers of the parts that are there already.

    Args:
        key: of the parts that may stay; None to make all anew.
        force: remove the others.

    Raises:
        CannotWriteError: parts would have to be removed, and ``force`` is false; or something else
            is in the way.
    """
    done, others = set(), []
    for path in sorted(folder.iterdir()):
        match, theirs = _NAME.fullmatch(path.name), stored_key(path)
        if match is None and _UNFINISHED.fullmatch(path.name):
            continue
        if match is None or theirs is None:
            raise CannotWriteError(
                f"{path}: is in the way, expected nothing there or parts of an earlier run; move "
                "it, or give another folder"
            )
        if theirs == key:
            done.add(int(match[1]))
        else:
            others.append(path)
    if others and not force:
        raise CannotWriteError(
            f"{others[0]}: made by another command; give another folder, or --force"
        )
    for path in others:
        path.unlink()
    return done


def write_part(
    job: Job,
    records: Sequence[RawRecord],
    path: Path,
    workers: Workers[Lexicon],
    *,
    inputs: Sequence[str],
    key: str,
    last: bool,
) -> int:
    """Caption a window into its part; how many captions were made.

    A part that is there is left, and one that was interrupted goes on where it was.

    Raises:
        CannotWriteError, MissingError, BadDataError: as `molcaption.caption.caption`.
    """
    if stored_key(path) == key:
        return 0
    tally = Tally()
    with open_store(kept(path, None), job.context, temporary=True) as store:
        captioning = Captioning(job.captioner, job.lexicon, store, workers)
        parts = captioned(
            parsed(growing(records, job.window), workers),
            captioning, job.lexicon, job.reading["format"], workers,
        )  # fmt: skip
        rows = list(chain.from_iterable(parts))
        tally.add(rows)
        if rows and (chosen := parse_columns(job.columns)):
            # A chosen column that this window happens to lack is no mistake of the user's.
            rows[0] = dict.fromkeys(chosen) | rows[0]
        metadata = job.metadata(inputs, key) | {_TALLY: tally.to_json()}
        metadata |= {_LAST: "yes"} if last else {}
        with open_writer(path, columns=job.columns, metadata=metadata) as writer:
            writer.write(rows)
    return captioning.made


def tally_of(folder: Path, key: str) -> Tally | None:
    """What all parts together hold; None while one is missing.

    Each is opened by its name, since a network file system may list a new file late.
    """
    tally = Tally()
    for number in count():
        path = part_path(folder, number)
        if stored_key(path) != key:
            return None
        facts = pq.read_schema(path).metadata
        tally += Tally.from_json(facts[_TALLY.encode()].decode())
        if _LAST.encode() in facts:
            return tally
    return None


def end_parts(folder: Path, key: str) -> Tally:
    """Once all parts are written: give them one schema, and count what they hold.

    Raises:
        CannotWriteError: a part is missing.
    """
    tally = tally_of(folder, key)
    if tally is None:
        raise CannotWriteError(
            f"{folder}: a part is missing that was written: is the folder the same one on all "
            "machines? Run the command again"
        )
    unify([path for path in sorted(folder.iterdir()) if _NAME.fullmatch(path.name)])
    for path in folder.iterdir():
        if _UNFINISHED.fullmatch(path.name):
            path.unlink()
    return tally
