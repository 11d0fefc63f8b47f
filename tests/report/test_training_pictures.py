"""Pictures of training runs: every number that was measured, in SVG that stands alone."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from molcaption.errors import BadDataError, UsageError
from molcaption.report.lines import Line, bar_chart, line_chart, sheet
from molcaption.report.training import draw_run, is_run
from molcaption.reporting import report

SVG = "{http://www.w3.org/2000/svg}"


def stage(run: Path, name: str, *records: dict[str, object]) -> None:
    (run / name).mkdir(parents=True)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (run / name / "metrics.jsonl").write_text(lines)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "<mini>"
    stage(folder, "align",
          {"step": 10, "epoch": 0, "lr": 0.1, "grad_norm": 9.0, "loss": 2.0, "contrast": 1.0},
          {"step": 10, "dev/distance": 0.3, "dev/mean_predictor": 0.4, "dev/r@1": 0.25,
           "dev/r@10": 0.7, "dev/mrr": 0.4, "dev/mrr_chance": 0.01, "samples": []},
          {"step": 20, "epoch": 0, "lr": 0.05, "loss": float("nan"), "contrast": 0.5})  # fmt: skip
    stage(folder, "finetune",
          {"step": 5, "lr": 0.1, "loss": 2.0, "tokens_per_s": 1000.0},
          {"step": 5, "dev/loss": 1.5, "dev/bleu4": 0.25, "samples": ["a"]})  # fmt: skip
    (folder / "align" / "alignment.json").write_text(json.dumps({"ranks": {"1": 5, "2-3": 1}}))
    return folder


def texts(path: Path) -> list[str]:
    return [node.text or "" for node in ET.parse(path).iter() if node.tag == f"{SVG}text"]


def test_curves_of_every_stage(run: Path) -> None:
    written = report(run)
    assert [path.name for path in written] == ["curves.svg", "alignment.svg"]
    said = texts(run / "curves.svg")
    for text in ("align: losses", "align: learning rate", "align: on dev", "finetune: losses",
                 "finetune: on dev", "loss 2", "contrast 0.5", "R@1 0.25", "R@10 0.7",
                 "BLEU-4 0.25", "loss on dev 1.5", "learning rate 0.05"):  # fmt: skip
        assert text in said, text
    assert not [text for text in said if "grad" in text or "tokens" in text or "nan" in text]


def test_alignment_against_the_trivial_predictor(run: Path) -> None:
    draw_run(run)
    said = texts(run / "alignment.svg")
    assert {"projector 0.3", "mean vector 0.4", "MRR by chance 0.01", "1", "2-3"} <= set(said)
    (run / "align" / "alignment.json").unlink()
    draw_run(run)
    assert "2-3" not in texts(run / "alignment.svg")


def test_a_picture_stands_alone_and_is_the_same_each_time(run: Path) -> None:
    draw_run(run)
    first = (run / "curves.svg").read_text()
    draw_run(run)
    assert (run / "curves.svg").read_text() == first
    assert "<script" not in first and "url(" not in first and "&lt;mini&gt;" in first
    assert ET.fromstring(first).find(f"{SVG}title") is not None


def test_a_run_that_is_going_on_or_damaged(run: Path) -> None:
    path = run / "finetune" / "metrics.jsonl"
    path.write_text(path.read_text() + '{"step": 7, "lo')
    draw_run(run)
    path.write_text('{"no": "step"}\n' + path.read_text())
    with pytest.raises(BadDataError, match=r"metrics\.jsonl: line 1: expected"):
        draw_run(run)


def test_what_is_no_run(run: Path, tmp_path: Path) -> None:
    assert is_run(run) and not is_run(tmp_path) and not is_run(tmp_path / "absent")
    with pytest.raises(UsageError, match="leave -o out"):
        report(run, tmp_path / "x.html")


@pytest.mark.parametrize("points", [[(1, 5.0)], [(1, -2.0), (9, -2.0)], [(0, 0.0)], [(3, 1e-9)]])
def test_odd_lines_are_drawn_within_the_chart(points: list[tuple[float, float]]) -> None:
    chart = line_chart("x", [Line("<y>", points)])
    assert chart is not None
    root = ET.fromstring(sheet("t", [[chart]]))
    drawn = next(node for node in root.iter(f"{SVG}polyline")).attrib["points"]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for pair in drawn.split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= width and 0 <= y <= height


def test_nothing_to_draw() -> None:
    assert line_chart("x", [Line("y", [])]) is None and bar_chart("x", []) is None
