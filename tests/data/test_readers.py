"""What all readers share: choice by suffix, numbering, gzip, limits, missing and empty files."""

import gzip
import io
from pathlib import Path

import pytest

from molcaption.chem.molecule import Molecule, Reject
from molcaption.data.readers import (
    READERS,
    has_own_columns,
    parse_record,
    read_molecules,
    read_records,
)
from molcaption.errors import BadDataError, NoInputError, UsageError


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_records_are_numbered_over_all_files(tmp_path):
    first = write(tmp_path / "a.smi", "CCO ethanol\nC1CC broken\n")
    second = write(tmp_path / "b.csv", "id,smiles\nx,CC\n")
    records = list(read_molecules([first, second]))
    assert [(r.record, r.source, r.id) for r in records] == [
        (0, str(first), "ethanol"),
        (1, str(first), "broken"),
        (2, str(second), "x"),
    ]
    assert [type(r) for r in records] == [Molecule, Reject, Molecule]
    assert records[1].text == "C1CC"


@pytest.mark.parametrize("suffix", [s for s in READERS if s not in {".pkl", ".pickle", ".pt"}])
def test_missing_empty_and_folder(tmp_path, suffix):
    with pytest.raises(NoInputError, match="No such file"):
        list(read_molecules([tmp_path / f"missing{suffix}"]))
    with pytest.raises(NoInputError, match="empty"):
        list(read_molecules([write(tmp_path / f"empty{suffix}", "")]))
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(NoInputError, match="folder without a compound file"):
        list(read_molecules([tmp_path / f"folder{suffix}"]))


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.smi", "\n \n"), ("a.csv", "smiles,id\n"), ("a.sdf", "\n\n"), ("a.jsonl", "\n")],
)
def test_file_without_records(tmp_path, name, text):
    with pytest.raises(NoInputError, match="holds no records"):
        list(read_molecules([write(tmp_path / name, text)]))


def test_a_missing_second_file_is_told_before_the_first_record(tmp_path):
    first = write(tmp_path / "a.smi", "C\n")
    with pytest.raises(NoInputError):
        next(read_molecules([first, tmp_path / "missing.smi"]))


def test_unknown_suffix_names_the_known(tmp_path):
    with pytest.raises(UsageError, match=r"'\.docx'.*sdf.*parquet"):
        list(read_molecules([tmp_path / "a.docx"]))
    with pytest.raises(UsageError, match="unknown format 'docx'"):
        list(read_molecules([tmp_path / "a.smi"], format="docx"))
    with pytest.raises(UsageError, match="--format"):
        list(read_molecules(["-"]))


def test_format_overrules_the_suffix(tmp_path):
    path = write(tmp_path / "molecules.dat", "CCO ethanol\n")
    assert [m.smiles for m in read_molecules([path], format="smi")] == ["CCO"]


def test_limit(tmp_path):
    paths = [write(tmp_path / name, "C\nCC\nCCC\n") for name in ("a.smi", "b.smi")]
    assert [m.smiles for m in read_molecules(paths, limit=4)] == ["C", "CC", "CCC", "C"]
    assert list(read_molecules(paths, limit=0)) == []


def test_gzip_by_content_or_name(tmp_path):
    named = write(tmp_path / "a.smi.gz", gzip.compress(b"CCO\n"))
    hidden = write(tmp_path / "b.smi", gzip.compress(b"CCC\n"))
    plain = write(tmp_path / "c.smi.gz", "CCN\n")
    assert [m.smiles for m in read_molecules([named, hidden, plain])] == ["CCO", "CCC", "CCN"]


def test_truncated_gzip_says_how_far_it_was_read(tmp_path):
    lines = "".join(f"C{'C' * (n % 50)}O name-{n * 7919}\n" for n in range(20_000))
    path = write(tmp_path / "a.smi.gz", gzip.compress(lines.encode())[:-2000])
    read = []
    with pytest.raises(BadDataError, match=r"a\.smi\.gz: truncated or damaged gzip after \d+") as e:
        read.extend(iter_into(read, read_records([path])))
    assert len(read) > 1000
    assert f"after {len(read)} records" in str(e.value)


def iter_into(read, records):
    for record in records:
        read.append(record)
    return []


def test_damaged_gzip(tmp_path):
    content = bytearray(gzip.compress(b"CCO\n" * 1000))
    content[20:30] = b"\xff" * 10
    with pytest.raises(BadDataError, match="gzip"):
        list(read_molecules([write(tmp_path / "a.smi.gz", bytes(content))]))


@pytest.mark.parametrize(
    ("format", "text"),
    [("smi", "CCO x\n"), ("csv", "smiles,id\nCCO,x\n"), ("jsonl", '{"smiles":"CCO","id":"x"}\n')],
)
def test_standard_input(monkeypatch, format, text):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    (molecule,) = read_molecules(["-"], format=format)
    assert (molecule.smiles, molecule.id, molecule.source) == ("CCO", "x", "-")


def test_utf16_is_refused(tmp_path):
    with pytest.raises(BadDataError, match="UTF-16"):
        list(read_molecules([write(tmp_path / "a.csv", "smiles\nC\n".encode("utf-16"))]))


def test_parsing_can_happen_elsewhere(tmp_path):
    path = write(tmp_path / "a.smi", "OCC x\nC1 y\n")
    assert [type(parse_record(raw)) for raw in read_records([path])] == [Molecule, Reject]


def test_own_columns():
    assert has_own_columns("a.csv.gz")
    assert not has_own_columns("a.sdf")


def test_smiles_lines(tmp_path):
    text = (
        b"CCO\tethyl alcohol \r\n\r\nCC\nCCC |$a;b;c$| propane\nC caf\xe9\nC caf\xc3\xa9\nC\0C x\n"
    )
    records = list(read_molecules([write(tmp_path / "a.smi", text)]))
    names = ["ethyl alcohol", "", "propane", "café", "café", "x"]
    assert [r.id for r in records] == names
    assert isinstance(records[-1], Reject)


def test_smiles_header_only_on_request(tmp_path):
    path = write(tmp_path / "a.txt", "SMILES Name\nCCO x\n")
    assert isinstance(next(read_molecules([path])), Reject)
    assert [m.id for m in read_molecules([path], has_header=True)] == ["x"]


def test_real_smiles(shared_data):
    paths = [shared_data / "structures" / f"{n}.smi" for n in ("explicitvalence", "cornercases")]
    records = list(read_molecules(paths))
    assert len(records) == 69
    assert all(r.reason for r in records if isinstance(r, Reject))
    assert sum(isinstance(r, Reject) for r in records) == 25


def test_folders_and_patterns_are_read_in_order(tmp_path: Path) -> None:
    for name in ("b.smi", "a.smi.gz", "c.csv", ".hidden.smi", "notes.doc"):
        content = b"SMILES\nC" if name == "c.csv" else b"C\n"
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    (tmp_path / "deeper.sdf").mkdir()
    names = [Path(m.source).name for m in read_molecules([tmp_path])]
    assert names == ["a.smi.gz", "b.smi", "c.csv"]
    assert [m.record for m in read_molecules([f"{tmp_path}/*.smi*", tmp_path / "c.csv"])] == [
        0,
        1,
        2,
    ]
    (tmp_path / "[b].smi").write_text("CC\n")
    assert [m.smiles for m in read_molecules([tmp_path / "[b].smi"])] == ["CC"]
    for wrong in (f"{tmp_path}/*.xyz", tmp_path / "deeper.sdf"):
        with pytest.raises(NoInputError):
            list(read_molecules([wrong]))
