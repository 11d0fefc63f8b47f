"""The verb ``caption``: one output row per input record, with the evidence for its caption.

Records go in windows through the stations of engine/bulk.py, so memory does not grow with the
input; the rows are written in its order. A record that is no molecule becomes a row with its error.
The output appears when it is complete, not before; captions are kept beside it (``OUT.captions``)
while it is not, so that after an interruption of any kind the same command goes on where it was.
"""

import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from molcaption import __version__
from molcaption.chem.molecule import Reject
from molcaption.claims import Lexicon
from molcaption.data.lock import locked
from molcaption.data.readers import READERS, read_records
from molcaption.data.readers.inputs import expand, parse_shard, told_shard
from molcaption.data.readers.opening import check_input
from molcaption.data.writers import check_output, check_target, open_writer
from molcaption.engine import BATCH_SIZE
from molcaption.engine.bulk import captioned, cut, growing, open_workers, parsed
from molcaption.engine.captioning import Captioning
from molcaption.engine.job import Job
from molcaption.engine.outputs import (
    already_there,
    exists,
    held,
    is_folder,
    is_stream,
    kept,
    leave,
    make_folder,
    outputs_in,
    write_each,
)
from molcaption.engine.parts import begin_parts, end_parts, part_path, tally_of
from molcaption.engine.ray import caption_parts, check_request
from molcaption.engine.rows import check_columns
from molcaption.engine.runtimes import Beams
from molcaption.engine.store import open_store
from molcaption.engine.summary import Summary, check_summary
from molcaption.engine.tally import Allowed, Tally, check_rejects, parse_max_rejects
from molcaption.errors import NoInputError
from molcaption.log import progress
from molcaption.shipped import model_path
from molcaption.workers import Workers

_log = logging.getLogger(__name__)
_WINDOW = 1024


def caption(
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    model: str | Path | None = None,
    memory: str | Path | None = None,
    memory_styles: Sequence[str] | None = None,
    columns: str | None = None,
    format: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    has_header: bool | None = None,
    draws: int | None = None,
    beams: int = 1,
    length_penalty: float | None = None,
    mend: bool = True,
    batch_size: int = BATCH_SIZE,
    window: int = _WINDOW,
    limit: int | None = None,
    shard: str | None = None,
    max_new_tokens: int | None = None,
    max_rejects: str | None = None,
    cache: str | Path | None = None,
    threads: int | None = None,
    workers: int | None = None,
    molecule_timeout: float | None = None,
    engine: Literal["local", "ray"] = "local",
    force: bool = False,
) -> Summary:
    """Caption every record of ``inputs`` into ``output``.

    Args:
        inputs: compound files, folders of them and patterns; "-" is standard input and needs
            ``format``.
        output: its suffix chooses the format; "-" is standard output. A folder (that exists, or
            ends with a slash) gets ``NAME.parquet`` for each input, as a run of its own would
            write it.
        model: bundle or merged model directory; default: the one that ships.
        memory: captioned molecules, any table with descriptions: the captions of the nearest ones
            compete with the captioner's own.
        memory_styles: of its rows only those whose ``style`` column is one of these.
        columns: which columns to write and under which names, ``id:ID,caption:description``.
        format, smiles_column, id_column, has_header, limit: as for `read_molecules`.
        draws: captions drawn at random beside the greedy one, of which the best is kept; by
            default as many as the model's maker found best.
        beams: hypotheses of the beam search that finds the candidate beside the drawn ones; 1 is
            greedy search.
        length_penalty: of the beam search, see `Beams`.
        mend: put a caption together from what all candidates say and the structure does not
            refute; else the best candidate is left as it is.
        batch_size: captions decoded together; never changes a caption.
        window: records that go through the stations together; four windows are held at once.
        shard: ``2/8`` captions the second of eight shares of the records.
        max_new_tokens: longest caption; default: the model's own.
        max_rejects: most rejects that are fine, a count or a percentage such as ``5%``.
        cache: folder that keeps captions for later runs, with this output or others.
        threads: CPU threads of the decoder; all cores by default.
        workers: processes for all but decoding, see `default_workers`; 0 for none. They are started
            by import, so a script that calls this needs ``if __name__ == "__main__"``.
        molecule_timeout: seconds of processor time after which a molecule is given up; needs a
            worker.
        engine: "ray" has a Ray cluster caption, and writes the output, a folder, in parts.
        force: write over an existing output.

    Raises:
        NoInputError, UsageError: an input or a column is not there.
        BadDataError: a damaged input or model; or, once the output is written, too many rejects.
        MissingError: no such model, or no Ray.
        CannotWriteError: the output exists, or cannot be written.
        LockedError: another run is writing the output.
    """
    allowed = parse_max_rejects(max_rejects)
    search = Beams.of(beams, length_penalty)
    inputs = expand(inputs, READERS)
    reading = {
        "format": format, "smiles_column": smiles_column, "id_column": id_column,
        "has_header": has_header, "limit": limit, "shard": parse_shard(shard),
    }  # fmt: skip
    job = Job(
        model_path(model), memory, memory_styles, columns, reading, draws=draws, beams=search,
        mend=mend, batch_size=batch_size, window=window, max_new_tokens=max_new_tokens,
        threads=threads, workers=workers, molecule_timeout=molecule_timeout,
    )  # fmt: skip
    if engine == "ray":
        check_request(inputs, output, cache)
        # "." has no name to put the lock and the summary beside
        folder = Path(output) if Path(output).name.strip(".") else Path(output).resolve()
        return _write_parts(job, inputs, folder, allowed, force)
    with open_workers(workers, molecule_timeout) as pool:
        run = _Run(job, pool, cache, force)
        if not is_folder(output):
            return run.write(inputs, output, allowed)
        outputs = outputs_in(output, inputs)
        return write_each(outputs, lambda given, out: run.write([given], out, allowed))


@dataclass(frozen=True)
class _Run:
    """What all outputs of a command have in common on one machine; see `caption`."""

    job: Job
    pool: Workers[Lexicon]
    cache: str | Path | None
    force: bool

    def write(self, inputs: Sequence[str], output: str | Path, allowed: Allowed) -> Summary:
        """Write one output."""
        start = time.monotonic()
        check_output(output)
        files = _checked(inputs, self.job.memory, output)
        if self.force or not exists(output):
            self.pool.warm()  # the workers load what they need while this process does so
        key = self.job.key(files)
        with held(output):
            if exists(output) and not self.force:
                return leave(output, key)
            if not self.force and not is_stream(output):
                check_summary(Path(output))
            tally, captioning = self._run(inputs, output, key)
        seconds = time.monotonic() - start
        summary = Summary.of(tally, captioning.made, seconds, captioning.idle_share)
        _tell(summary, self.job, inputs, None if is_stream(output) else Path(output))
        check_rejects(tally, allowed, output)
        return summary

    def _run(
        self, inputs: Sequence[str], output: str | Path, key: str | None
    ) -> tuple[Tally, Captioning]:
        """Read, caption and write."""
        job = self.job
        format = job.reading["format"]
        windows = growing(read_records(inputs, **job.reading), job.window)
        # Reading the first window before the model is loaded tells of a wrong input at once.
        first = next(windows, [])
        check_columns(first, job.columns, format)
        metadata = job.metadata(inputs, key)
        tally = Tally()
        with (
            open_store(
                kept(output, self.cache), job.context, temporary=self.cache is None
            ) as store,
            open_writer(output, columns=job.columns, metadata=metadata) as writer,
            progress(job.reading["limit"], "captioning") as shown,
        ):
            captioning = Captioning(job.captioner, job.lexicon, store, self.pool)
            parts = parsed(itertools.chain([first], windows), self.pool)
            for rows in captioned(parts, captioning, job.lexicon, format, self.pool):
                writer.write(rows)
                tally.add(rows)
                shown.advance(len(rows))
        return tally, captioning


def _write_parts(
    job: Job, inputs: Sequence[str], folder: Path, allowed: Allowed, force: bool
) -> Summary:
    """Write an output in parts, on a Ray cluster."""
    start = time.monotonic()
    make_folder(folder)
    files = _checked(inputs, job.memory, part_path(folder, 0))
    key = str(job.key(files, window=job.window))
    with locked(folder):
        complete = tally_of(folder, key) is not None
        if complete and not force:
            return already_there(folder)
        if not force:
            check_summary(folder)
        first = next(cut(read_records(inputs, **job.reading), job.window), [])
        check_columns(first, job.columns, job.reading["format"])
        done = begin_parts(folder, None if complete else key, force=force)
        made = caption_parts(job, inputs, folder, key, done)
        tally = end_parts(folder, key)
    summary = Summary.of(tally, made, time.monotonic() - start)
    _tell(summary, job, inputs, folder)
    check_rejects(tally, allowed, folder)
    return summary


def survey(
    inputs: Sequence[str | Path],
    *,
    format: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    has_header: bool | None = None,
    limit: int | None = None,
    shard: str | None = None,
    workers: int | None = None,
    molecule_timeout: float | None = None,
) -> Summary:
    """Read and count what `caption` would caption, without a model and without an output.

    Raises:
        NoInputError, UsageError, BadDataError: as `caption`.
    """
    start, tally = time.monotonic(), Tally()
    records = read_records(
        inputs, format=format, smiles_column=smiles_column, id_column=id_column,
        has_header=has_header, limit=limit, shard=parse_shard(shard),
    )  # fmt: skip
    with open_workers(workers, molecule_timeout) as pool:
        for record in itertools.chain.from_iterable(parsed(cut(records, _WINDOW), pool)):
            reason = record.reason if isinstance(record, Reject) else None
            tally.add([{"source": record.source, "record": record.record, "error": reason,
                        "validity_status": None}])  # fmt: skip
    for text, number in tally.listed_reasons().items():
        _log.info("%d rejected: %s", number, text)
    _log.info(
        "%d records, %d rejected; nothing was captioned (--dry-run)", tally.records, tally.rejected
    )
    return Summary.of(tally, 0, time.monotonic() - start)


def _checked(
    inputs: Sequence[str | Path], memory: str | Path | None, output: str | Path
) -> list[str | Path]:
    """All files that decide the output, once it is clear that it can be written."""
    files = [*inputs, *([] if memory is None else [memory])]
    check_target(output, files)
    for path in inputs:
        check_input(str(path))
    if memory is not None and not Path(memory).is_file():
        raise NoInputError(f"--memory {memory}: no such file")
    return files


def _tell(summary: Summary, job: Job, inputs: Sequence[str], output: Path | None) -> None:
    """The summary with what else programs want to know of the run."""
    facts = {
        **job.decisive,
        "version": __version__,
        "inputs": [*map(str, inputs)],
        "shard": told_shard(job.reading["shard"]),
    }
    summary.tell(output, facts)
