"""Pictures of a training run, from the ``metrics.jsonl`` of its stages.

``curves.svg``: losses, learning rate and what was measured on dev, a row of charts for each stage.
``alignment.svg``: stage 1 against the trivial predictor and against chance.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from molcaption.data.atomic import atomic_write
from molcaption.errors import BadDataError
from molcaption.report.lines import Line, bar_chart, line_chart, sheet
from molcaption.report.markup import Html
from molcaption.report.tables import name_of

STAGES = ("backbone", "encoder", "align", "finetune")
METRICS, ALIGNMENT = "metrics.jsonl", "alignment.json"
CURVES_PICTURE, ALIGNMENT_PICTURE = "curves.svg", "alignment.svg"
_NO_LOSS = {"step", "epoch", "lr", "grad_norm", "tokens_per_s"}
_SHARES = ("r@1", "r@10", "mrr", "bleu4", "groups_f1", "gain")  # of what is measured on dev
_NAMES = {
    "dev/loss": "loss on dev", "lr": "learning rate", "dev/r@1": "R@1", "dev/r@10": "R@10",
    "dev/mrr": "MRR", "dev/mrr_chance": "MRR by chance", "dev/gain": "gain on mean",
    "dev/groups_f1": "groups F1", "dev/distance": "projector", "dev/mean_predictor": "mean vector",
}  # fmt: skip
Record = Mapping[str, Any]


def is_run(directory: Path) -> bool:
    """Whether it is the folder of a training run: a stage in it has left metrics."""
    return any((directory / stage / METRICS).is_file() for stage in STAGES)


def draw_run(directory: Path) -> list[Path]:
    """Draw what the stages of a run have measured so far; the pictures that were written.

    Raises:
        BadDataError: metrics of another making.
        CannotWriteError: the folder is read-only.
    """
    metrics = {
        stage: _read(directory / stage / METRICS)
        for stage in STAGES
        if (directory / stage / METRICS).is_file()
    }
    rows = [charts for stage, records in metrics.items() if (charts := _charts(stage, records))]
    pictures = {CURVES_PICTURE: sheet(f"Training curves of {directory.name}", rows)} if rows else {}
    if aligned := _alignment(directory, metrics.get("align", [])):
        pictures[ALIGNMENT_PICTURE] = sheet(f"Alignment of {directory.name}", [aligned])
    for name, picture in pictures.items():
        with atomic_write(directory / name, "w") as file:
            file.write(picture)
    return [directory / name for name in pictures]


def _read(path: Path) -> list[Record]:
    records: list[Record] = []
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            records.append({**record, "step": int(record["step"])})
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):  # half a line: training goes on, or was killed
                break
            raise BadDataError(f"{path}: line {number}: expected an object with a step") from error
    return records


def _charts(stage: str, records: list[Record]) -> list[Html]:
    losses = list(dict.fromkeys(key for r in records for key in r if _is_loss(key)))
    charts = (
        line_chart(f"{stage}: losses", [_line(records, key) for key in [*losses, "dev/loss"]]),
        line_chart(f"{stage}: learning rate", [_line(records, "lr")]),
        line_chart(f"{stage}: on dev", [_line(records, f"dev/{key}") for key in _SHARES]),
    )
    return [chart for chart in charts if chart]


def _is_loss(key: str) -> bool:
    return key not in _NO_LOSS and not key.startswith("dev/") and key != "samples"


def _line(records: Iterable[Record], key: str) -> Line:
    points = [
        (record["step"], record[key])
        for record in records
        if isinstance(record.get(key), int | float) and math.isfinite(record[key])
    ]
    return Line(_NAMES.get(key) or name_of(key.removeprefix("dev/")), points)


def _alignment(directory: Path, records: list[Record]) -> list[Html]:
    """Distance against the mean vector, retrieval against chance, ranks of the right texts."""
    keys = (("distance", "mean_predictor"), ("r@1", "r@10", "mrr", "mrr_chance"))
    titles = ("Distance to the texts of dev", "Retrieval among the texts of dev")
    charts = [
        line_chart(title, [_line(records, f"dev/{key}") for key in names])
        for title, names in zip(titles, keys, strict=True)
    ]
    return [chart for chart in (*charts, _ranks(directory / "align" / ALIGNMENT)) if chart]


def _ranks(path: Path) -> Html | None:
    """None where there is no report, or one from before ranks were kept."""
    try:
        ranks = json.loads(path.read_text("utf-8"))["ranks"]
    except (OSError, ValueError, KeyError):
        return None
    return bar_chart("Rank of the right text, pairs of dev", list(ranks.items()))
