import json
from typing import Any

import pytest

from molcaption.metrics.rendering import FORMATS, render_brief
from molcaption.metrics.scorecard import ScoreReport
from molcaption.metrics.signatures import Score


@pytest.fixture
def report() -> ScoreReport:
    scores = [
        Score("claim_f1", 0.51236, "claim_f1|n:3", 0.4, 0.61),
        Score("supported_bits", 12.5, "supported_bits|n:3"),
    ]
    against: dict[str, Any] = {
        "predictions": "other_50%.tsv",
        "paired": "randomisation",
        "resamples": 100,
        "seed": 0,
        "metrics": [{"name": "claim_f1", "value": 0.5, "low": None, "p": 1.0}],
    }
    breakdowns = {"size": [{"group": "up to 10", "n": 3, "claim_f1": 0.25}]}
    return ScoreReport({"n": 3}, scores, [], breakdowns, against)


def test_json_is_whole_and_exact(report: ScoreReport) -> None:
    found = json.loads(FORMATS["json"](report, 2))
    assert found["n"] == 3
    assert found["scores"][0] == {
        "name": "claim_f1", "value": 0.51236, "signature": "claim_f1|n:3", "low": 0.4, "high": 0.61,
    }  # fmt: skip
    assert found["scores"][1]["low"] is None
    assert found["breakdowns"] == report.breakdowns
    assert found["against"] == report.against


def test_table_is_aligned(report: ScoreReport) -> None:
    assert FORMATS["table"](report, 3).splitlines() == [
        "claim_f1         0.512  [0.400, 0.610]  claim_f1|n:3",
        "supported_bits  12.500                  supported_bits|n:3",
        "",
        "by size",
        "group     n  claim_f1",
        "up to 10  3     0.250",
        "",
        "against other_50%.tsv: randomisation, 100 resamples, seed 0",
        "name      value  low      p",
        "claim_f1  0.500    -  1.000",
    ]


def test_latex_escapes_and_keeps_signatures(report: ScoreReport) -> None:
    lines = FORMATS["latex"](report, 3).splitlines()
    assert lines[:2] == ["% claim_f1|n:3", "% supported_bits|n:3"]
    assert r"claim\_f1 & 0.512 & [0.400, 0.610] \\" in lines
    assert r"metric & score & 95 \% interval \\" in lines
    assert sum(line.startswith(r"\begin{tabular}") for line in lines) == 3
    assert sum(line == r"\end{tabular}" for line in lines) == 3
    text = [line for line in lines if not line.startswith("%")]
    assert not [line for line in text if "_" in line.replace(r"\_", "")]


def test_brief_is_bare(report: ScoreReport) -> None:
    assert render_brief(report, 1) == "0.5\n12.5"
