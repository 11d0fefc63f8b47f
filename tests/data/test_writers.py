"""Writing rows: every format back again, whole or not at all, with the columns asked for."""

import csv
import gzip
import json
import os
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molcaption.chem.molecule import Reject, canonical_smiles, parse_smiles
from molcaption.data.readers import read_molecules
from molcaption.data.writers import (
    MOL_KEY,
    OUTPUT_COLUMNS,
    atomic_write,
    check_output,
    check_target,
    open_writer,
    own_columns,
)
from molcaption.errors import CannotWriteError, UsageError

CLAIM = {"start": 0, "end": 4, "text": "acid", "concept": "acid", "confidence": None}
ROW = {
    "record": 0,
    "source": "a.sdf",
    "id": 'x "1",\ty',
    "smiles": "CCO",
    "caption": "It is\nan alcohol, α.",
    "confidence": 0.5,
    "validity_score": None,
    "groups_mentioned": ["alcohol", "ether"],
    "claims": [CLAIM],
    "error": None,
    "properties": {"B": "2", "A": "1\n\n$$$$"},
}
FORMATS = [".parquet", ".jsonl", ".csv", ".tsv", ".sdf"]


def write(path, *windows, **options):
    with open_writer(path, **options) as writer:
        for rows in windows:
            writer.write(rows)
    return path


def table(path):
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter="\t" if path.suffix == ".tsv" else ","))


def test_parquet_has_the_documented_types(tmp_path):
    whole = {name: ROW.get(name) for name in OUTPUT_COLUMNS}
    path = write(tmp_path / "a.parquet", [whole], [whole, whole], metadata={"version": "1"})
    read = pq.read_table(path)
    assert dict(zip(read.schema.names, read.schema.types, strict=True)) == OUTPUT_COLUMNS
    assert read.schema.metadata[b"version"] == b"1"
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    row = read.to_pylist()[2]
    assert row["properties"] == list(ROW["properties"].items())
    claim = dict.fromkeys(field.name for field in OUTPUT_COLUMNS["claims"].value_type) | CLAIM
    assert row["claims"] == [claim]
    assert row["caption"] == ROW["caption"]


def test_empty_parquet_has_all_columns(tmp_path):
    path = write(tmp_path / "a.parquet")
    assert pq.read_schema(path).names == list(OUTPUT_COLUMNS)


def test_own_columns_keep_their_types_and_widen_when_they_must(tmp_path):
    def rows(*values):
        return [{"record": 0, "error": None, "own": value} for value in values]

    def read(*windows):
        column = pq.read_table(write(tmp_path / "a.parquet", *windows))["own"]
        return column.type, column.to_pylist()

    assert read(rows(1, 2), rows(None, 3)) == (pa.int64(), [1, 2, None, 3])
    assert read(rows(None), rows(1)) == (pa.int64(), [None, 1])
    assert read(rows(1), rows(2.5)) == (pa.float64(), [1.0, 2.5])
    assert read(rows(1), rows("a"), rows(2)) == (pa.string(), ["1", "a", "2"])
    assert read(rows(["a"]), rows("b")) == (pa.string(), ['["a"]', "b"])
    assert read(rows(1, "a")) == (pa.string(), ["1", "a"])
    assert read(rows(["a"]), rows([]), rows(None)) == (pa.list_(pa.string()), [["a"], [], None])
    assert read(rows([]), rows(["a"])) == (pa.list_(pa.string()), [[], ["a"]])
    assert read(rows(True), rows(2)) == (pa.string(), ["true", "2"])
    assert read(rows(2**70)) == (pa.string(), [str(2**70)])


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_column_that_comes_late_is_kept(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", [{"id": "1"}], [{"id": "2", "late": "x"}], [{"id": "3"}])
    if suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif suffix == ".csv":
        rows = [{k: v or None for k, v in row.items()} for row in table(path)]
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["id"], row.get("late")) for row in rows] == [("1", None), ("2", "x"), ("3", None)]


def test_jsonl_is_strict(tmp_path):
    row = {"a": float("nan"), "b": [float("inf"), 1], "c": "\ud800x", "d": b"raw", "e": {1: "k"}}
    path = write(tmp_path / "a.jsonl", [row])
    expected = {"a": None, "b": [None, 1], "c": "?x", "d": "raw", "e": {"1": "k"}}
    assert json.loads(path.read_text("utf-8"), parse_constant=pytest.fail) == expected


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_delimited_comes_back(tmp_path, suffix):
    (row,) = table(write(tmp_path / f"a{suffix}", [ROW]))
    assert row["id"] == ROW["id"]
    assert row["caption"] == ROW["caption"]
    assert row["confidence"] == "0.5"
    assert row["error"] == ""
    assert json.loads(row["claims"]) == ROW["claims"]
    assert json.loads(row["properties"]) == ROW["properties"]
    (molecule,) = read_molecules([tmp_path / f"a{suffix}"])
    assert (molecule.id, molecule.smiles) == (ROW["id"], "CCO")


def test_zero_and_false_are_not_empty_cells(tmp_path):
    (row,) = table(write(tmp_path / "a.csv", [{"a": 0, "b": 0.0, "c": False}]))
    assert row == {"a": "0", "b": "0.0", "c": "false"}


SOURCE = """the title
  made by hand
a comment
  3  2  0  0  0  0  0  0  0  0999 V2000
   11.0000   -7.0000    0.0000 C   0  0
   12.5000   -7.0000    0.0000 O   0  0
   13.0000   -8.0000    0.0000 H   0  0
  1  2  1  0
  2  3  1  0
M  END
"""


def test_sdf_keeps_the_block_to_the_letter(tmp_path):
    (tmp_path / "in.sdf").write_text(SOURCE + "> <CAPTION>\nold\n\n> <B>\n2\n\n$$$$\n")
    (molecule,) = read_molecules([tmp_path / "in.sdf"])
    row = {**ROW, "id": molecule.id, "properties": molecule.properties, MOL_KEY: molecule.mol}
    path = write(tmp_path / "out.sdf", [row])
    assert path.read_text("utf-8").startswith(SOURCE)
    (again,) = read_molecules([path])
    assert again.id == "the title"
    assert again.properties["CAPTION"] == ROW["caption"]
    assert (again.properties["input_CAPTION"], again.properties["B"]) == ("old", "2")
    assert list(again.properties)[:2] == ["input_CAPTION", "B"]


@pytest.mark.parametrize("smiles", ["C[C@H](N)C(=O)O", "C/C=C\\C", "[Na+].[Cl-]", "*C"])
def test_sdf_of_a_molecule_without_coordinates_keeps_stereo(tmp_path, smiles):
    path = write(tmp_path / "a.sdf", [{"id": "two\nlines", MOL_KEY: parse_smiles(smiles)}])
    (molecule,) = read_molecules([path])
    assert molecule.smiles == canonical_smiles(parse_smiles(smiles))
    assert molecule.id == "two lines"


def test_sdf_values_cannot_break_the_file(tmp_path):
    nasty = ["$$$$", "\n\n> <FAKE>\nx", "a\r\n\r\nb", "", "> <X>"]
    rows = [
        {"id": "x", "caption": text, "properties": {"N<a>\nme": text}, MOL_KEY: parse_smiles("C")}
        for text in nasty
    ]
    path = write(tmp_path / "a.sdf", rows)
    records = list(read_molecules([path]))
    assert len(records) == len(nasty)
    assert all(list(r.properties) == ["N_a_ me", "ID", "CAPTION"] for r in records)
    letters = [[s for s in text if s in "$FAKExab<>"] for text in nasty]
    got = [[s for s in r.properties["CAPTION"] if s in "$FAKExab<>"] for r in records]
    assert got == letters
    assert sum(mol is not None for mol in Chem.SDMolSupplier(str(path))) == len(nasty)


def test_sdf_of_a_reject_says_why(tmp_path):
    path = write(tmp_path / "a.sdf", [{"id": "bad", "error": "unclosed ring", "caption": None}])
    (record,) = read_molecules([path])
    assert isinstance(record, Reject)
    assert (record.id, record.properties) == ("bad", {"ID": "bad", "ERROR": "unclosed ring"})


@pytest.mark.parametrize("suffix", FORMATS)
def test_columns_choose_and_rename(tmp_path, suffix):
    row = {**ROW, "own": 5, MOL_KEY: parse_smiles("CCO")}
    columns = "id:ID, caption:description,own"
    path = write(tmp_path / f"a{suffix}", [row], columns=columns)
    if suffix == ".parquet":
        names = pq.read_table(path).to_pylist()[0]
    elif suffix == ".jsonl":
        names = json.loads(path.read_text("utf-8"))
    elif suffix == ".sdf":
        (molecule,) = read_molecules([path])
        names = molecule.properties
    else:
        (names,) = table(path)
    assert list(names) == ["ID", "description", "own"]
    assert names["description"] == ROW["caption"]


def test_unknown_or_malformed_columns(tmp_path):
    path = tmp_path / "a.csv"
    with pytest.raises(UsageError, match="no column 'nope'; the columns are record, source, id"):
        write(path, [ROW], columns="id,nope")
    for text in ("", "id,,smiles", "id:a,smiles:a", "id,id", ":x"):
        with pytest.raises(UsageError, match="--columns"):
            write(path, [ROW], columns=text)
    assert list(tmp_path.iterdir()) == []


def test_own_columns_never_hide_ours():
    own = own_columns({"smiles": "OCC", "score": 1, "input_smiles": "x", "_mol": 2})
    assert own == {"input_input_smiles": "OCC", "score": 1, "input_smiles": "x", "input__mol": 2}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")

    def fail():
        with open_writer(path) as writer:
            writer.write([ROW])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_appears_before_the_end(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with open_writer(path) as writer:
        writer.write([ROW])
        assert not path.exists()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_permissions_and_links(tmp_path):
    umask = os.umask(0o022)
    os.umask(umask)
    fresh = write(tmp_path / "fresh.csv", [ROW])
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o666 & ~umask
    kept = tmp_path / "kept.csv"
    kept.write_text("old")
    kept.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(kept)
    write(tmp_path / "link.csv", [ROW])
    assert (tmp_path / "link.csv").is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert kept.read_text().startswith("record,")


def test_where_one_cannot_write(tmp_path):
    with pytest.raises(CannotWriteError, match=r"the folder .* does not exist"):
        write(tmp_path / "missing" / "a.csv", [ROW])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CannotWriteError, match="is a folder"):
        write(tmp_path / "folder.csv", [ROW])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWriteError, match="Permission denied"):
        write(tmp_path / "a.csv", [ROW])


def test_what_must_not_be_written_is_told_before_the_work(tmp_path, monkeypatch):
    taken = tmp_path / "in.csv"
    taken.write_text("precious")
    link = tmp_path / "link.csv"
    link.symlink_to(taken)
    for path in (taken, link, tmp_path / "." / "in.csv"):
        with pytest.raises(CannotWriteError, match="is also an input"):
            check_target(path, [tmp_path / "other.csv", taken])
    for path in ("-", "/dev/null", tmp_path / "new.csv"):
        check_target(path, [taken, "-", "/dev/null"])
    assert sorted(tmp_path.iterdir()) == [taken, link]
    for path, message in [(tmp_path, "is a folder"), (tmp_path / "no" / "a.csv", "not exist")]:
        with pytest.raises(CannotWriteError, match=message):
            check_target(path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(CannotWriteError, match=r"new\.csv: cannot write: the folder .* read-only"):
        check_target(tmp_path / "new.csv")


def test_disk_full_is_one_line():
    with (
        pytest.raises(CannotWriteError, match=r"^/dev/full: cannot write: No space left"),
        open_writer("/dev/full", format="csv") as writer,
    ):
        writer.write([ROW] * 10_000)


def test_a_device_stays_a_device():
    write("/dev/null", [ROW], format="csv")
    with open("/dev/null", "rb") as null:  # noqa: PTH123 (a device)
        assert stat.S_ISCHR(os.fstat(null.fileno()).st_mode)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".sdf"])
def test_gzip_is_the_same_text_each_time(tmp_path, suffix):
    plain = write(tmp_path / f"a{suffix}", [ROW])
    first = write(tmp_path / f"b{suffix}.gz", [ROW])
    second = write(tmp_path / f"c{suffix}.gz", [ROW])
    assert first.read_bytes() == second.read_bytes()
    assert gzip.decompress(first.read_bytes()) == plain.read_bytes()


def test_standard_output(capfdbinary):
    write("-", [{"id": "é"}])
    write("-", [{"id": "é"}], format="tsv")
    assert capfdbinary.readouterr().out == '{"id": "é"}\nid\né\n'.encode()


def test_formats_that_do_not_go(tmp_path):
    for path, format in [("a.docx", None), ("-", "parquet"), ("a.parquet.gz", None), ("a", "x")]:
        with pytest.raises(UsageError):
            check_output(path, format)


def test_atomic_text_and_bytes(tmp_path):
    with atomic_write(tmp_path / "a", "w") as file:
        file.write("α\n")
    with atomic_write(tmp_path / "b") as file:
        file.write(b"\xff")
    assert (tmp_path / "a").read_text("utf-8") == "α\n"
    assert (tmp_path / "b").read_bytes() == b"\xff"


@pytest.mark.parametrize("suffix", FORMATS)
def test_real_records_come_back(tmp_path, shared_data, suffix):
    records = list(read_molecules([shared_data / "sdf" / "pubchem-hard-set.sdf.gz"], limit=100))
    rows = [
        {"id": m.id, "smiles": m.smiles, "properties": m.properties, MOL_KEY: m.mol}
        for m in records
    ]
    path = write(tmp_path / f"a{suffix}", rows[:60], rows[60:])
    again = list(read_molecules([path]))
    assert [(m.id, m.smiles) for m in again] == [(m.id, m.smiles) for m in records]
