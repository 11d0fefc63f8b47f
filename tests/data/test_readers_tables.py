"""CSV, TSV, JSON lines and Parquet."""

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molcaption.chem.molecule import Molecule, Reject
from molcaption.data.readers import delimited, read_molecules
from molcaption.errors import BadDataError, NoInputError, UsageError


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_molecules([path], **options))


@pytest.mark.parametrize(
    "header",
    ["ID,SMILES,Description", "cid,Canonical SMILES,DESCRIPTION", "Name,molecule,reference"],
)
def test_columns_are_found_whatever_their_case(tmp_path, header):
    (molecule,) = read(tmp_path / "a.csv", f"{header}\n7,OCC,an alcohol\n")
    assert (molecule.id, molecule.smiles, molecule.description) == ("7", "CCO", "an alcohol")
    names = header.split(",")
    assert molecule.properties == {names[1]: "OCC", names[2]: "an alcohol"}


def test_named_columns_come_before_guesses(tmp_path):
    text = "id,smiles,key,structure2\n1,CC,k,OCC\n"
    options = {"smiles_column": "Structure2", "id_column": "key"}
    (molecule,) = read(tmp_path / "a.csv", text, **options)
    assert (molecule.id, molecule.smiles) == ("k", "CCO")
    assert molecule.properties == {"id": "1", "smiles": "CC", "structure2": "OCC"}


@pytest.mark.parametrize(
    "options",
    [{"smiles_column": "nope"}, {"id_column": "nope"}, {"description_column": "nope"}],
)
def test_a_column_that_is_not_there_names_those_that_are(tmp_path, options):
    with pytest.raises(UsageError, match=r"a\.csv: no column 'nope'; the columns are .*score"):
        read(tmp_path / "a.csv", "smiles,score\nC,1\n", **options)


def test_no_smiles_column(tmp_path):
    with pytest.raises(UsageError, match="the columns are a, b: name one with --smiles-column"):
        read(tmp_path / "a.csv", "a,b\n1,2\n")


def test_ragged_rows_are_rejects(tmp_path):
    text = "smiles,id,c\nC,1,x\nC,2\nC,3,x,y\n\nCC,4,x\n"
    records = read(tmp_path / "a.csv", text)
    assert [(type(r), r.id) for r in records] == [
        (Molecule, "1"),
        (Reject, "2"),
        (Reject, "3"),
        (Molecule, "4"),
    ]
    assert records[1].reason == "the row has 2 cells, expected 3"


def test_quotes_line_breaks_and_encodings(tmp_path):
    text = b'smiles,id,note\nC,"a ""b""","two\nlines, one cell"\n'
    text += b"C,caf\xe9,\xce\xb1\nC,x\0y,\n"
    records = read(tmp_path / "a.csv", text)
    assert [r.id for r in records] == ['a "b"', "café", "x\0y"]
    assert [r.properties["note"] for r in records] == ["two\nlines, one cell", "α", ""]


@pytest.mark.parametrize("after", [3, delimited.MAX_LINES + 500])
def test_an_open_quote_costs_one_row(tmp_path, after):
    text = 'smiles,id\nC,first\nC,"open\n' + "CC,more\n" * after
    records = read(tmp_path / "a.csv", text)
    assert [type(r) for r in records] == [Molecule, Reject] + [Molecule] * after
    assert "never closed" in records[1].reason


def test_huge_cell(tmp_path):
    (molecule,) = read(tmp_path / "a.csv", f"smiles,note\nC,{'x' * 5_000_000}\n")
    assert len(molecule.properties["note"]) == 5_000_000


@pytest.mark.parametrize("sign", ["\t", ";"])
def test_other_delimiters_in_csv(tmp_path, sign):
    (molecule,) = read(tmp_path / "a.csv", f"id{sign}smiles\nx{sign}CC\n")
    assert (molecule.id, molecule.smiles) == ("x", "CC")


def test_byte_order_mark_and_cr_line_ends(tmp_path):
    text = b"\xef\xbb\xbfsmiles,id\rC,1\rCC,2\r"
    assert [m.id for m in read(tmp_path / "a.csv", text)] == ["1", "2"]


def test_without_header(tmp_path):
    text = "CC\tx\t5\nCCC\ty\t6\n"
    records = read(tmp_path / "a.tsv", text, has_header=False)
    assert [(m.smiles, m.id, m.properties["3"]) for m in records] == [
        ("CC", "x", "5"),
        ("CCC", "y", "6"),
    ]


@given(st.text(alphabet='C,"\n\r;\0 é', max_size=60))
def test_any_csv_text_gives_records_or_one_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    records = read(path, "smiles,id\nC,first\n" + text)
    assert records[0].smiles == "C"


def test_jsonl_keeps_types_and_rejects_lines(tmp_path):
    lines = [
        '{"smiles": "CC", "id": 5, "score": 1.5, "tags": ["a"]}',
        "{broken",
        "[1]",
        '{"id": 6}',
        '{"smiles": null}',
        '{"smiles": 7}',
        "[" * 100_000,
    ]
    records = read(tmp_path / "a.jsonl", "\n".join(lines))
    assert records[0].properties == {"smiles": "CC", "score": 1.5, "tags": ["a"]}
    assert records[0].id == "5"
    reasons = ["not JSON", "a JSON list", "no 'smiles'", "no atoms", "holds a int", ""]
    assert [type(r) for r in records[1:]] == [Reject] * 6
    assert all(reason in r.reason for reason, r in zip(reasons, records[1:], strict=True))


def test_parquet_keeps_types(tmp_path):
    table = {"CID": [1, 2], "smiles": ["CC", None], "when": [datetime.date(2026, 1, 2), None]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    first, second = read_molecules([tmp_path / "a.parquet"])
    assert (first.id, first.properties["when"]) == ("1", datetime.date(2026, 1, 2))
    assert isinstance(second, Reject)
    with pytest.raises(UsageError, match="the columns are CID, smiles, when"):
        list(read_molecules([tmp_path / "a.parquet"], smiles_column="x"))


def test_corrupt_parquet(tmp_path):
    with pytest.raises(BadDataError, match="not a sound Parquet file after 0 records"):
        read(tmp_path / "a.parquet", b"PAR1 nonsense PAR1")
    pq.write_table(pa.table({"smiles": [str(n) for n in range(50_000)]}), tmp_path / "b.parquet")
    content = bytearray((tmp_path / "b.parquet").read_bytes())
    content[100:5000] = bytes(4900)
    with pytest.raises(BadDataError, match=r"b\.parquet: not a sound Parquet"):
        read(tmp_path / "b.parquet", bytes(content))
    pq.write_table(pa.table({"smiles": pa.array([], pa.string())}), tmp_path / "c.parquet")
    with pytest.raises(NoInputError):
        list(read_molecules([tmp_path / "c.parquet"]))


def test_same_molecules_from_every_format(tmp_path, shared_data):
    rows = list(read_molecules([shared_data / "captions" / "dev.tsv"], limit=50))
    as_json = [json.dumps({"id": m.id, "smiles": m.properties["smiles"]}) for m in rows]
    table = pa.table({"id": [m.id for m in rows], "smiles": [m.smiles for m in rows]})
    pq.write_table(table, tmp_path / "a.parquet")
    for records in (
        read(tmp_path / "a.jsonl", "\n".join(as_json)),
        list(read_molecules([tmp_path / "a.parquet"])),
    ):
        assert [(m.id, m.smiles) for m in records] == [(m.id, m.smiles) for m in rows]
    assert all(m.description for m in rows)
