"""The verb ``caption``: one output row per input record, with the evidence for its caption.

Records are read in windows. Within a window the runtime takes them by length, the rows are written
in the order of the input, so memory holds one window whatever the size of the input. A record that
is no molecule becomes a row with its error. The output appears when it is complete, not before;
captions are kept beside it (``OUT.captions``) while it is not, so that after an interruption of
any kind the same command goes on where it was.
"""

import itertools
import json
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from molcaption import __version__
from molcaption.chem.molecule import Reject
from molcaption.claims import Lexicon, load_lexicon, settle
from molcaption.data.atomic import cannot_write
from molcaption.data.lock import locked
from molcaption.data.memory_file import load_memory
from molcaption.data.readers import READERS, read_molecules
from molcaption.data.readers.inputs import expand, parse_shard
from molcaption.data.rerun import KEY, run_key, stored_key
from molcaption.data.windows import windows
from molcaption.data.writers import STDOUT, check_output, check_target, open_writer
from molcaption.engine.captioning import Captioning, Decoding
from molcaption.engine.rows import check_columns, make_rows
from molcaption.engine.runtimes import Runtime, load_runtime, model_hash
from molcaption.engine.store import open_store
from molcaption.engine.summary import Summary
from molcaption.engine.tally import Tally, check_rejects, parse_max_rejects
from molcaption.errors import CannotWriteError, NoInputError
from molcaption.log import progress
from molcaption.shipped import model_path

_log = logging.getLogger(__name__)


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
    draws: int | None = None,
    mend: bool = True,
    batch_size: int = 32,
    window: int = 1024,
    limit: int | None = None,
    shard: str | None = None,
    max_new_tokens: int | None = None,
    max_rejects: str | None = None,
    cache: str | Path | None = None,
    threads: int | None = None,
    force: bool = False,
) -> Summary:
    """Caption every record of ``inputs`` into ``output``.

    Args:
        inputs: compound files, folders of them and patterns; "-" is standard input and needs
            ``format``.
        output: its suffix chooses the format; "-" is standard output.
        model: bundle or merged model directory; default: the one that ships.
        memory: captioned molecules, any table with descriptions: the captions of the nearest ones
            compete with the captioner's own.
        memory_styles: of its rows only those whose ``style`` column is one of these.
        columns: which columns to write and under which names, ``id:ID,caption:description``.
        format, smiles_column, id_column, limit: as for `read_molecules`.
        draws: captions drawn at random beside the greedy one, of which the best is kept; by
            default as many as the model's maker found best.
        mend: strike refuted entries out of a caption's lists.
        batch_size: captions decoded together; never changes a caption.
        window: records read and held at once.
        shard: ``2/8`` captions the second of eight shares of the records.
        max_new_tokens: longest caption; default: the model's own.
        max_rejects: most rejects that are fine, a count or a percentage such as ``5%``.
        cache: folder that keeps captions for later runs, with this output or others.
        threads: CPU threads; all cores by default.
        force: write over an existing output.

    Raises:
        NoInputError, UsageError: an input or a column is not there.
        BadDataError: a damaged input or model; or, once the output is written, too many rejects.
        MissingError: no such model.
        CannotWriteError: the output exists, or cannot be written.
        LockedError: another run is writing the output.
    """
    start = time.monotonic()
    allowed = parse_max_rejects(max_rejects)
    inputs = expand(inputs, READERS)
    files = _checked(inputs, memory, output)
    path = model_path(model)
    lexicon = settle(load_lexicon())
    decisive = {
        "model": model_hash(path),
        "lexicon": lexicon.hash,
        "draws": draws,
        "mend": mend,
        "max_new_tokens": max_new_tokens,
        "memory_styles": memory_styles,
    }
    reading: dict[str, Any] = {
        "format": format, "smiles_column": smiles_column, "id_column": id_column,
        "limit": limit, "shard": parse_shard(shard),
    }  # fmt: skip
    # Reading the first window before the model is loaded tells of a wrong input at once.
    parts = windows(read_molecules(inputs, **reading), window)
    first = next(parts, [])
    check_columns(first, columns, format)
    key = run_key(files, {**decisive, **reading, "columns": columns})
    with _held(output):
        if _exists(output) and not force:
            return _leave(output, key)
        runtime = load_runtime(path, threads=threads)
        known = None if memory is None else load_memory(memory, lexicon, memory_styles)
        decoding = Decoding(
            runtime.draws if draws is None else draws, mend, batch_size, max_new_tokens
        )
        context = str(run_key([] if memory is None else [memory], decisive))
        metadata = _metadata(runtime, lexicon, inputs, decoding, memory, key)
        tally = Tally()
        with (
            open_store(_kept(output, cache), context, temporary=cache is None) as store,
            open_writer(output, columns=columns, metadata=metadata) as writer,
            progress(limit, "captioning") as shown,
        ):
            captioning = Captioning(runtime, known, lexicon, decoding, store)
            for part in itertools.chain([first], parts):
                rows = make_rows(part, captioning.captions(part), lexicon, format)
                writer.write(rows)
                tally.add(rows)
                shown.advance(len(part))
    summary = Summary.of(tally, captioning.made, time.monotonic() - start)
    facts = {**decisive, "version": __version__, "inputs": [*map(str, inputs)]}
    summary.tell(None if _is_stream(output) else Path(output), facts)
    check_rejects(tally, allowed, output)
    return summary


def survey(
    inputs: Sequence[str | Path],
    *,
    format: str | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    limit: int | None = None,
    shard: str | None = None,
) -> Summary:
    """Read and count what `caption` would caption, without a model and without an output.

    Raises:
        NoInputError, UsageError, BadDataError: as `caption`.
    """
    start, tally = time.monotonic(), Tally()
    records = read_molecules(
        inputs, format=format, smiles_column=smiles_column, id_column=id_column, limit=limit,
        shard=parse_shard(shard),
    )  # fmt: skip
    for record in records:
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
    check_output(output)
    files = [*inputs, *([] if memory is None else [memory])]
    check_target(output, files)
    if memory is not None and not Path(memory).is_file():
        raise NoInputError(f"--memory {memory}: no such file")
    return files


def _held(output: str | Path) -> AbstractContextManager[None]:
    """The lock of an output file; a stream needs none."""
    return nullcontext() if _is_stream(output) else locked(Path(output))


def _kept(output: str | Path, cache: str | Path | None) -> Path | None:
    """Where captions are kept while the run lasts, or for good."""
    if cache is not None:
        folder = Path(cache)
        with cannot_write(folder / "captions"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder / "captions"
    return None if _is_stream(output) else Path(f"{output}.captions")


def _is_stream(output: str | Path) -> bool:
    """Standard output, a pipe or a device: nothing can lie beside it."""
    return str(output) == STDOUT or (Path(output).exists() and not Path(output).is_file())


def _exists(output: str | Path) -> bool:
    return str(output) != STDOUT and Path(output).is_file()


def _leave(output: str | Path, key: str | None) -> Summary:
    """An existing output: nothing to do if it is what this command would write.

    Raises:
        CannotWriteError: it is something else, or a format that cannot tell.
    """
    if key is not None and stored_key(Path(output)) == key:
        Path(f"{output}.captions").unlink(missing_ok=True)  # killed just before it would have gone
        _log.info("%s: already there, made by the same command; --force makes it anew", output)
        return Summary(0, 0, 0, 0, {}, 0.0)
    raise CannotWriteError(f"{output}: exists already; give another name, or --force")


def _metadata(
    runtime: Runtime,
    lexicon: Lexicon,
    inputs: Sequence[str | Path],
    decoding: Decoding,
    memory: str | Path | None,
    key: str | None,
) -> dict[str, str]:
    """What the Parquet file says about its making."""
    facts = {
        "molcaption.version": __version__,
        "molcaption.model": runtime.name,
        "molcaption.model_hash": runtime.model_hash,
        "molcaption.decode": json.dumps(
            {
                "method": "best of candidates" if decoding.draws else "greedy",
                "draws": decoding.draws,
                "mend": decoding.mend,
                "max_new_tokens": decoding.max_new_tokens,
            }
        ),
        "molcaption.memory": "" if memory is None else str(memory),
        "molcaption.lexicon": f"{lexicon.version} {lexicon.hash}",
        "molcaption.inputs": json.dumps([str(path) for path in inputs]),
    }
    return facts if key is None else {**facts, KEY: key}
