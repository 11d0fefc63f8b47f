"""The verb ``report``: pages and pictures of what lies on disk already.

Of a file of captions one HTML page, of a training run the pictures of its stages. Nothing is
captioned, checked or trained for it: a page shows the verdicts that stand in the file.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from molcaption.claims import load_lexicon
from molcaption.data.readers import read_records
from molcaption.data.windows import windows
from molcaption.data.writers import OUTPUT_COLUMNS, STDOUT, atomic_write, check_target
from molcaption.data.writers.schema import parse_columns
from molcaption.engine.outputs import is_folder
from molcaption.engine.summary import summary_path
from molcaption.errors import BadDataError, UsageError
from molcaption.report.caption_page import MOLECULES, CaptionPage
from molcaption.report.training import draw_run, is_run

_log = logging.getLogger(__name__)
_OPTIONAL = {"source", "inchikey", "confidence", "properties"}
_NEEDED = [name for name in OUTPUT_COLUMNS if name not in _OPTIONAL]
ROWS_AT_ONCE = 1_000


def report(
    input: str | Path, output: str | Path | None = None, *, molecules: int = MOLECULES
) -> list[Path]:
    """Draw what ``input`` holds; the files that were written.

    Args:
        input: what ``caption`` or ``check`` wrote (Parquet, JSON lines, CSV or TSV), or the folder
            of a training run.
        output: the page; a run's pictures lie in its own folder.
        molecules: how many of the first records the page shows; its numbers are of all.

    Raises:
        UsageError: no ``output`` for a page, or one for a run; or the file lacks columns.
        NoInputError, BadDataError: the input is missing or damaged.
        CannotWriteError: the page cannot be written, or is the input.
    """
    if is_run(Path(input)):
        if output is not None:
            raise UsageError(f"{input}: the pictures of a run go into its folder; leave -o out")
        written = draw_run(Path(input))
    elif output is None:
        raise UsageError(f"{input}: name the page to write with -o report.html")
    else:
        _write_page(input, output, molecules)
        written = [Path(output)]
    for path in written:
        _log.info("%s: written", path)
    return written


def check_page(captions: str | Path, output: str | Path, columns: str | None) -> None:
    """Tell before the captions are made that no page could be drawn of them.

    Args:
        columns: those that the captions are going to have, as in ``--columns``.

    Raises:
        UsageError: the captions go where they cannot be read again, or lack columns.
        CannotWriteError: the page cannot be written.
    """
    check_target(output, [captions])
    chosen = parse_columns(columns)
    kept = _NEEDED if chosen is None else [name for name in chosen if chosen[name] == name]
    if missing := set(_NEEDED) - set(kept):
        raise UsageError(f"--html needs the column {min(missing)!r}; leave --columns out")
    suffix = Path(str(captions).lower().removesuffix(".gz")).suffix
    if suffix == ".sdf" or str(captions) == STDOUT or is_folder(captions):
        raise UsageError(f"--html is drawn from one table: write a .parquet, not {captions}")


def _write_page(input: str | Path, output: str | Path, molecules: int) -> None:
    check_target(output, [input])
    page = CaptionPage(load_lexicon(), molecules)
    for part in windows(_rows(input), ROWS_AT_ONCE):
        page.add(part)
    html = page.render(Path(input).name, _told(Path(input)))
    with atomic_write(output, "w") as file:
        file.write(html)


def _rows(input: str | Path) -> Iterator[dict[str, Any]]:
    """Output rows, with the types that the columns have in Parquet."""
    for raw in read_records([input], id_column=None):
        row = {"id": raw.id, **raw.properties}
        if missing := [name for name in _NEEDED if name not in row]:
            raise UsageError(
                f"{input}: no column {missing[0]!r}; expected a table that `molcaption caption` or "
                "`molcaption check` wrote, with all its columns (.parquet .jsonl .csv .tsv)"
            )
        try:
            yield {name: _typed(row.get(name), kind) for name, kind in OUTPUT_COLUMNS.items()}
        except ValueError as error:
            raise BadDataError(f"{input}: record {raw.record}: damaged cell: {error}") from error


def _typed(value: Any, kind: pa.DataType) -> Any:
    """A cell of a text format as what it was; see `molcaption.data.writers.values`."""
    if not isinstance(value, str) or pa.types.is_string(kind):
        return value
    return json.loads(value) if value else None


def _told(input: Path) -> dict[str, Any]:
    """What the run that wrote ``input`` said of itself."""
    try:
        summary = json.loads(summary_path(input).read_text("utf-8"))
        return {
            "seconds": f"{summary['seconds']:.0f}",
            "records a second": f"{summary['rate']:.1f}",
            "model": str(summary["model"])[:12],
            "molcaption": summary["version"],
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # `check` leaves none, and a page can do without
