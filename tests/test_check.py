"""`check`: the validity columns for captions of any origin, whatever the table holds."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molcaption.check import Summary, check
from molcaption.claims import load_lexicon
from molcaption.errors import CannotWriteError, NoInputError, UsageError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
ROWS = [
    (ASPIRIN, "It is a member of benzoic acids.", "ok"),
    (ASPIRIN, "The molecule is a steroid.", "contradicted"),
    (ASPIRIN, "", "not_checkable"),
    (ASPIRIN, "A remedy known to everybody since 1899.", "not_checkable"),
    ("C1CC", "It is a steroid.", "mol_error"),
    ("", "It is a steroid.", "mol_error"),
]


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "captions.tsv"
    lines = [f"{smiles}\t{caption}\tkept {i}" for i, (smiles, caption, _) in enumerate(ROWS)]
    path.write_text("\n".join(["smiles\tcaption\tnote", *lines, ""]), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def checked(tmp_path: Path, smiles: str, caption: str) -> dict[str, Any]:
    """The row of one caption, given as JSON so that any character may be in it."""
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps({"smiles": smiles, "caption": caption}) + "\n", encoding="utf-8")
    check(path, tmp_path / "one.parquet")
    (row,) = rows_of(tmp_path / "one.parquet")
    return row


def test_every_row_is_judged_and_none_is_lost(captions: Path, tmp_path: Path) -> None:
    output = tmp_path / "checked.parquet"
    assert check(captions, output) == Summary(6, contradicted=1, not_checkable=2, mol_errors=2)
    rows = rows_of(output)
    assert [row["validity_status"] for row in rows] == [status for *_, status in ROWS]
    assert [row["note"] for row in rows] == [f"kept {i}" for i in range(6)]
    assert [row["caption"] or "" for row in rows] == [caption for _, caption, _ in ROWS]
    assert [row["validity_score"] for row in rows] == [1.0, 0.0, None, None, None, None]
    assert [bool(row["error"]) for row in rows] == [False] * 4 + [True] * 2
    assert rows[0]["groups_supported"] == ["benzoic_acid"]
    assert rows[1]["groups_contradicted"] == ["steroid"]


def test_the_lexicon_is_in_the_metadata(captions: Path, tmp_path: Path) -> None:
    check(captions, tmp_path / "checked.parquet")
    lexicon = load_lexicon()
    stored = pq.read_schema(tmp_path / "checked.parquet").metadata[b"molcaption.lexicon"].decode()
    assert stored == f"{lexicon.version} {lexicon.hash}"


def test_a_users_lexicon_is_laid_over_ours(captions: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "- id: household_remedy\n  names: [remedy, remedies]\n"
        "  smarts: 'c1ccccc1C(=O)[OX2H1]'\n  strength: exact\n"
        f"  pos: ['{ASPIRIN}']\n  neg: [CCO]\n  source: a test\n",
        encoding="utf-8",
    )
    table = tmp_path / "in.tsv"
    table.write_text(f"smiles\tcaption\n{ASPIRIN}\tIt is a remedy.\nCCO\tIt is a remedy.\n")
    for lexicon, expected in [(None, ["not_checkable"] * 2), (mine, ["ok", "contradicted"])]:
        check(table, tmp_path / "out.parquet", lexicon=lexicon)
        found = [row["validity_status"] for row in rows_of(tmp_path / "out.parquet")]
        assert found == expected


def test_verdicts_do_not_depend_on_the_order_of_atoms(tmp_path: Path) -> None:
    mol = Chem.MolFromSmiles("C[C@H](N)C(=O)N[C@@H](Cc1ccccc1)C(=O)OC")
    said = (
        "It is a dipeptide composed of L-alanine and L-phenylalanine. It has two carboxy groups. "
        "It is a steroid that carries an amino group."
    )
    expected = checked(tmp_path, Chem.MolToSmiles(mol), said)
    assert expected["n_supported"] >= 2
    assert expected["n_contradicted"] >= 2
    for seed in range(5):
        other = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed + 1)[0]
        row = checked(tmp_path, other, said)
        assert row["claims"] == expected["claims"]


@pytest.mark.parametrize(
    "caption",
    [
        "It is a steroid. " * 600,
        "β-D-glucosid‐artiges Zeug ist 麻黄碱, it is a steroid 🧪.",
        "CC(=O)Oc1ccccc1C(=O)O is drawn; it is a steroid",
        "It is a steroid\x00\x1b[31m with \t tabs \r\n and lines",
        "((((((((" * 500 + " It is a steroid.",
        "3,3,3,3," * 1_000 + "-hydroxy",
    ],
)
def test_hostile_captions_come_back_whole(tmp_path: Path, caption: str) -> None:
    row = checked(tmp_path, ASPIRIN, caption)
    assert row["caption"] == caption
    assert row["validity_status"] in ("contradicted", "not_checkable")
    for claim in row["claims"]:
        assert caption[claim["start"] : claim["end"]] == claim["text"]


def test_output_feeds_a_second_run(captions: Path, tmp_path: Path) -> None:
    check(captions, tmp_path / "first.parquet")
    check(tmp_path / "first.parquet", tmp_path / "second.parquet")
    first, second = rows_of(tmp_path / "first.parquet"), rows_of(tmp_path / "second.parquet")
    assert [row["claims"] for row in second] == [row["claims"] for row in first]


def test_an_input_is_never_overwritten(captions: Path) -> None:
    before = captions.read_bytes()
    with pytest.raises(CannotWriteError, match="is also an input"):
        check(captions, captions)
    assert captions.read_bytes() == before


def test_one_clear_line(captions: Path, tmp_path: Path) -> None:
    output = tmp_path / "checked.parquet"
    with pytest.raises(UsageError, match="no column 'text'; the columns are caption, note"):
        check(captions, output, caption_column="text")
    with pytest.raises(NoInputError, match=r"none\.tsv"):
        check(tmp_path / "none.tsv", output)
    with pytest.raises(UsageError, match="unknown output format"):
        check(captions, tmp_path / "checked.xlsx")
    assert not output.exists()
