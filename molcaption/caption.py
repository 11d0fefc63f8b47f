"""The verb ``caption``: one output row per input record, with the evidence for its caption.

Records are read in windows. Within a window the runtime takes them by length, the rows are written
in the order of the input, so memory holds one window whatever the size of the input. A record that
is no molecule becomes a row with its error. The output appears when it is complete, not before.
"""

import itertools
import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from molcaption import __version__
from molcaption.chem.molecule import Molecule, Reject
from molcaption.claims import Lexicon, load_lexicon, settle
from molcaption.data.features import features_of
from molcaption.data.memory import Memory
from molcaption.data.memory_file import load_memory
from molcaption.data.readers import read_molecules
from molcaption.data.rerun import KEY, run_key, stored_key
from molcaption.data.windows import windows
from molcaption.data.writers import STDOUT, check_output, check_target, open_writer
from molcaption.engine.choice import NEIGHBOURS, choose
from molcaption.engine.mend import mend as mended
from molcaption.engine.questions import questions
from molcaption.engine.rows import check_columns, make_rows
from molcaption.engine.runtimes import Generation, Runtime, load_runtime, model_hash
from molcaption.engine.tally import Tally, check_rejects, parse_max_rejects
from molcaption.errors import CannotWriteError, MissingError, NoInputError
from molcaption.log import progress
from molcaption.shipped import DEFAULT_MODEL, shipped_path

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did; ``records`` includes the rejected, ``seconds`` is wall time."""

    records: int
    rejected: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Decoding:
    """How captions are made; see `caption`."""

    draws: int
    mend: bool
    batch_size: int
    max_new_tokens: int | None


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
    mend: bool = False,
    batch_size: int = 32,
    window: int = 1024,
    limit: int | None = None,
    max_new_tokens: int | None = None,
    max_rejects: str | None = None,
    threads: int | None = None,
    force: bool = False,
) -> Summary:
    """Caption every record of ``inputs`` into ``output``.

    Args:
        inputs: compound files; "-" is standard input and needs ``format``.
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
        max_new_tokens: longest caption; default: the model's own.
        max_rejects: most rejects that are fine, a count or a percentage such as ``5%``.
        threads: CPU threads; all cores by default.
        force: write over an existing output.

    Raises:
        NoInputError, UsageError: an input or a column is not there.
        BadDataError: a damaged input or model; or, once the output is written, too many rejects.
        MissingError: no such model.
        CannotWriteError: the output exists, or cannot be written.
    """
    start = time.monotonic()
    allowed = parse_max_rejects(max_rejects)
    check_output(output)
    files = [*inputs, *([] if memory is None else [memory])]
    check_target(output, files)
    if memory is not None and not Path(memory).is_file():
        raise NoInputError(f"--memory {memory}: no such file")
    path = _model_path(model)
    lexicon = settle(load_lexicon())
    options = {
        "columns": columns,
        "format": format,
        "smiles_column": smiles_column,
        "id_column": id_column,
        "limit": limit,
        "max_new_tokens": max_new_tokens,
        "draws": draws,
        "mend": mend,
        "memory_styles": memory_styles,
    }
    records = read_molecules(
        inputs, format=format, smiles_column=smiles_column, id_column=id_column, limit=limit
    )
    # Reading the first window before the model is loaded tells of a wrong input at once.
    parts = windows(records, window)
    first = next(parts, [])
    check_columns(first, columns, format)
    key = run_key(files, {**options, "model": model_hash(path), "lexicon": lexicon.hash})
    if _exists(output) and not force:
        return _leave(output, key)
    runtime = load_runtime(path, threads=threads)
    known = None if memory is None else load_memory(memory, lexicon, memory_styles)
    decoding = _Decoding(
        runtime.draws if draws is None else draws, mend, batch_size, max_new_tokens
    )
    metadata = _metadata(runtime, lexicon, inputs, decoding, memory, key)
    tally = Tally()
    with (
        open_writer(output, columns=columns, metadata=metadata) as writer,
        progress(limit, "captioning") as shown,
    ):
        for part in itertools.chain([first], parts):
            captions = _captions(part, runtime, known, lexicon, decoding)
            writer.write(make_rows(part, captions, lexicon, format))
            tally.add(part)
            shown.advance(len(part))
    summary = Summary(tally.records, tally.rejected, time.monotonic() - start)
    _close(summary)
    check_rejects(tally, allowed, output)
    return summary


def _captions(
    records: Sequence[Molecule | Reject],
    runtime: Runtime,
    memory: Memory | None,
    lexicon: Lexicon,
    decoding: _Decoding,
) -> Iterator[Generation]:
    """Captions of the molecules among ``records``, in order."""
    molecules = [record for record in records if isinstance(record, Molecule)]
    smiles = [molecule.smiles for molecule in molecules]
    found = features_of(smiles, lexicon) if memory or runtime.vocabulary else None
    made = runtime.candidates(
        questions(smiles, runtime.vocabulary, lexicon, found),
        draws=decoding.draws,
        batch_size=decoding.batch_size,
        max_new_tokens=decoding.max_new_tokens,
    )
    for i, (molecule, candidates) in enumerate(zip(molecules, made, strict=True)):
        near = memory.neighbours(found[i], NEIGHBOURS) if memory and found else ()
        chosen = choose(candidates, near, molecule.mol, lexicon)
        text = mended(chosen.text, molecule.mol, lexicon) if decoding.mend else chosen.text
        yield replace(chosen, text=text)


def _model_path(model: str | Path | None) -> Path:
    if model is not None:
        return Path(model)
    shipped = shipped_path(DEFAULT_MODEL)
    if shipped is None:
        raise MissingError(
            f"no captioner ships with this installation ({DEFAULT_MODEL} is missing); "
            "name one with --model DIR"
        )
    return shipped


def _exists(output: str | Path) -> bool:
    return str(output) != STDOUT and Path(output).is_file()


def _leave(output: str | Path, key: str | None) -> Summary:
    """An existing output: nothing to do if it is what this command would write.

    Raises:
        CannotWriteError: it is something else, or a format that cannot tell.
    """
    if key is not None and stored_key(Path(output)) == key:
        _log.info("%s: already there, made by the same command; --force makes it anew", output)
        return Summary(0, 0, 0.0)
    raise CannotWriteError(f"{output}: exists already; give another name, or --force")


def _metadata(
    runtime: Runtime,
    lexicon: Lexicon,
    inputs: Sequence[str | Path],
    decoding: _Decoding,
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


def _close(summary: Summary) -> None:
    rate = summary.records / max(summary.seconds, 1e-9)
    fields = {
        "n": summary.records,
        "rejected": summary.rejected,
        "seconds": round(summary.seconds, 3),
        "rate": round(rate, 3),
    }
    _log.info(
        "%d records, %d rejected, %.0f s, %.1f/s",
        summary.records, summary.rejected, summary.seconds, rate, extra={"fields": fields},
    )  # fmt: skip
