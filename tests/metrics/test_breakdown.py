from pathlib import Path

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.metrics.breakdown import BREAKDOWNS, NO_STRUCTURE
from molcaption.metrics.chemistry import CheckedPairs, check_pairs
from molcaption.metrics.retrieval import FingerprintIndex
from molcaption.metrics.statistics import mean_of

SMILES = ["CCO", None, "CCCCCCCCCCO", "CCCCCCCCCCCO", "Oc1ccccc1"]
REFERENCES = [
    "The molecule is a primary alcohol.",
    "The molecule is a primary alcohol.",
    "The molecule is a primary alcohol.",
    "The molecule is a primary alcohol that carries a hydroxy group.",
    "The molecule is a member of phenols. It is a conjugate acid of a phenolate anion.",
]
CAPTIONS = ["The molecule is a primary alcohol.", "", "It is a frobnicator.", "It is a ketone.", ""]
METRICS = {"x": mean_of([0.0, 1.0, 2.0, 3.0, 5.0])}


@pytest.fixture(scope="module")
def pairs() -> CheckedPairs:
    mols = [parse_smiles(smiles) if smiles else None for smiles in SMILES]
    return check_pairs(mols, CAPTIONS, REFERENCES, load_lexicon(), "references")


def test_by_size(pairs: CheckedPairs) -> None:
    assert BREAKDOWNS["size"](pairs, METRICS, None) == [
        {"group": "up to 10", "n": 2, "x": 2.5},
        {"group": "11-20", "n": 2, "x": 2.5},
        {"group": NO_STRUCTURE, "n": 1, "x": 1.0},
    ]


def test_by_components() -> None:
    mols = [parse_smiles(smiles) for smiles in ("CCO", "[Na+].[Cl-]", "O.O.CC(=O)O")]
    pairs = check_pairs(mols, CAPTIONS[:3], REFERENCES[:3], load_lexicon(), "references")
    assert BREAKDOWNS["components"](pairs, {"x": mean_of([0.0, 1.0, 2.0])}, None) == [
        {"group": "one component", "n": 1, "x": 0.0},
        {"group": "salts and mixtures", "n": 2, "x": 1.5},
    ]


def test_by_similarity(pairs: CheckedPairs) -> None:
    training = FingerprintIndex([parse_smiles(s) for s in ("OCC", "CCCCCCCCCCCCCCCO")])
    rows = BREAKDOWNS["similarity"](pairs, METRICS, training)
    by_group = {row["group"]: row for row in rows}
    assert by_group["1"]["n"] == 3  # ethanol, and chains that a fingerprint cannot tell apart
    assert by_group["under 0.4"] == {"group": "under 0.4", "n": 1, "x": 5.0}
    assert sum(row["n"] for row in rows) == len(SMILES)
    with pytest.raises(ValueError, match="training molecules"):
        BREAKDOWNS["similarity"](pairs, METRICS, None)


def test_by_family_of_the_concept(pairs: CheckedPairs) -> None:
    rows = {row["group"]: row for row in BREAKDOWNS["claims"](pairs, {}, None)}
    functional = rows["functional"]
    assert (functional["supported"], functional["contradicted"]) == (1, 1)
    assert functional["claim_precision"] == 0.5
    assert rows["unknown terms"]["n"] == rows["unknown terms"]["unchecked"] == 1
    assert rows["unknown terms"]["claim_precision"] is None
    files = Path(__file__).parents[2] / "molcaption" / "claims" / "concepts"
    families = {path.stem for path in files.glob("*.yaml")}
    assert set(rows) <= families | {"unknown terms"}


def test_by_scope(pairs: CheckedPairs) -> None:
    rows = BREAKDOWNS["scope"](pairs, {}, None)
    assert rows[0]["group"] == "class"
    assert [row["n"] for row in rows] == sorted((row["n"] for row in rows), reverse=True)
    by_group = {row["group"]: row for row in rows}
    assert by_group["class"]["claim_recall"] == 1 / 4  # of three alcohols and a phenol
    assert by_group["relation"]["n"] == 0  # only the references say something of this kind
    assert by_group["relation"]["claim_recall"] == 0.0


def test_parts_add_up_to_the_whole(pairs: CheckedPairs) -> None:
    for name in ("claims", "scope"):
        rows = BREAKDOWNS[name](pairs, {}, None)
        assert sum(row["n"] for row in rows) == sum(check.n_claims for check in pairs.captions)
        assert sum(r["supported"] for r in rows) == sum(c.n_supported for c in pairs.captions)
