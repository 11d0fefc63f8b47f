import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from molcaption.baseline import baseline
from molcaption.claims import load_lexicon
from molcaption.data.features import features_of
from molcaption.data.memory_file import load_memory
from molcaption.errors import BadDataError, CannotWriteError, MissingError, NoInputError, UsageError

TRAIN = [
    ("chebi", "t1", "CCO", "Ethanol, a primary alcohol."),
    ("chebi", "t2", "c1ccccc1O", "It is a phenol and it is a ring."),
    ("other", "t3", "CCCO", "Propanol."),
    ("chebi", "t4", "CC(=O)O", "It is an acid and it is a liquid."),
    ("chebi", "t5", "CCN", "It is an amine and it is a gas."),
    ("chebi", "t6", "CCS", ""),
]
INPUT = [("a", "CCCO"), ("b", "not a molecule"), ("c", "Oc1ccccc1"), ("d", "OCC")]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "train.tsv"
    rows = [("style", "id", "smiles", "description"), *TRAIN]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "input.tsv"
    rows = [("id", "smiles"), *INPUT]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(train: Path, molecules: Path, **options: Any) -> list[dict[str, Any]]:
    output = train.with_name("out.parquet")
    n = baseline(train, molecules, output, **options)
    rows = pq.read_table(output).to_pylist()
    assert len(rows) == n
    return rows


def test_nearest(train: Path, molecules: Path) -> None:
    rows = run(train, molecules)
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["neighbour"] for row in rows] == ["t3", None, "t2", "t1"]
    assert [row["similarity"] for row in rows] == [1.0, None, 1.0, 1.0]
    assert rows[3]["caption"] == "Ethanol, a primary alcohol."
    assert rows[3]["smiles"] == "CCO"


def test_a_reject_gets_its_row_and_reason(train: Path, molecules: Path) -> None:
    row = run(train, molecules)[1]
    assert (row["caption"], row["smiles"]) == (None, "not a molecule")
    assert row["error"]
    assert run(train, molecules)[0]["error"] is None


def test_styles_choose_what_is_copied_from(train: Path, molecules: Path) -> None:
    row = run(train, molecules, styles=["chebi"])[0]
    assert row["neighbour"] == "t1"
    assert 0 < row["similarity"] < 1


def test_constant_is_the_caption_most_like_the_others(train: Path, molecules: Path) -> None:
    captions = {row["caption"] for row in run(train, molecules, kind="constant") if row["caption"]}
    assert len(captions) == 1
    assert captions < {"It is an acid and it is a liquid.", "It is an amine and it is a gas.",
                       "It is a phenol and it is a ring."}  # fmt: skip


def test_random_follows_the_seed_and_not_the_company(train: Path, molecules: Path) -> None:
    first = run(train, molecules, kind="random", seed=1)
    assert run(train, molecules, kind="random", seed=1, limit=1) == first[:1]
    drawn = {run(train, molecules, kind="random", seed=s)[0]["neighbour"] for s in range(30)}
    assert drawn == {"t1", "t2", "t3", "t4", "t5"}  # never t6, which has no caption


@pytest.mark.parametrize("model", ["tiny_bundle", "tiny_model"])
def test_nearest_by_embedding(
    train: Path, molecules: Path, model: str, request: pytest.FixtureRequest
) -> None:
    rows = run(train, molecules, kind="embedding", model=request.getfixturevalue(model))
    assert [row["neighbour"] for row in rows] == ["t3", None, "t2", "t1"]
    assert [row["similarity"] for row in rows] == [1.0, None, 1.0, 1.0]


def test_embedding_with_a_bundle_needs_no_torch(
    train: Path, molecules: Path, tiny_bundle: Path
) -> None:
    script = (
        "import sys; from molcaption.baseline import baseline; "
        f"baseline({str(train)!r}, {str(molecules)!r}, {str(train.with_name('out.jsonl'))!r}, "
        f"kind='embedding', model={str(tiny_bundle)!r}); "
        "assert 'torch' not in sys.modules"
    )
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True, timeout=120)


def test_several_inputs_are_numbered_through(train: Path, molecules: Path) -> None:
    output = train.with_name("out.parquet")
    assert baseline(train, [molecules, molecules], output) == 8
    assert pq.read_table(output)["record"].to_pylist() == list(range(8))


@pytest.mark.parametrize("given", [0, 1])
def test_no_input_is_overwritten(train: Path, molecules: Path, given: int) -> None:
    output = (train, molecules)[given]
    before = output.read_bytes()
    with pytest.raises(CannotWriteError, match="is also an input"):
        baseline(train, molecules, output)
    assert output.read_bytes() == before


def test_errors(train: Path, molecules: Path) -> None:
    with pytest.raises(
        UsageError, match="kind 'best' is not one of nearest, profile, embedding, constant, random"
    ):
        run(train, molecules, kind="best")
    for options in ({"kind": "embedding"}, {"model": "x"}):
        with pytest.raises(UsageError, match="kind embedding needs a model, and no other kind"):
            run(train, molecules, **options)
    with pytest.raises(MissingError, match="nowhere: holds no captioner"):
        run(train, molecules, kind="embedding", model="nowhere")
    with pytest.raises(BadDataError, match="no row of style pubchem; there are chebi, other"):
        run(train, molecules, styles=["chebi", "pubchem"])
    with pytest.raises(BadDataError, match="none of 4 records has a molecule and a description"):
        run(molecules, molecules)
    with pytest.raises(NoInputError):
        run(train, train.with_name("none.tsv"))
    with pytest.raises(CannotWriteError, match="does not exist"):
        baseline(train, molecules, train.parent / "none" / "out.parquet")
    with pytest.raises(UsageError, match="unknown output format"):
        baseline(train, molecules, train.with_name("out.xlsx"))
    assert not train.with_name("out.parquet").exists()


def test_profile_copies_what_a_memory_would_show(train: Path, tmp_path: Path) -> None:
    output, table = tmp_path / "out.tsv", tmp_path / "in.tsv"
    table.write_text("id\tsmiles\na\tCCCCO\nb\tnot one\nc\tOc1ccccc1\n", "utf-8")
    baseline(train, table, output, kind="profile")
    rows = [line.split("\t") for line in output.read_text("utf-8").splitlines()[1:]]
    assert [row[3] for row in rows] == ["Propanol.", "", "It is a phenol and it is a ring."]
    memory = load_memory(train, load_lexicon())
    near = memory.neighbours(features_of(["CCCCO"], load_lexicon())[0], 1)
    assert near[0].caption == rows[0][3]
