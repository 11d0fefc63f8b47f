"""SD files: splitting, tags, odd line ends and encodings, and real collections."""

import csv
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molcaption.chem.molecule import Molecule, Reject
from molcaption.data.readers import read_molecules
from molcaption.data.readers.sdf import parse_tags, split_records
from molcaption.errors import NoInputError

BLOCK = """{title}
     test

  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.5000    0.0000    0.0000 O   0  0
  1  2  1  0
M  END
"""


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_molecules([path]))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["$$$$", ""])
def test_line_ends_and_missing_last_terminator(tmp_path, end, last):
    text = BLOCK.format(title="one") + "> <A>\n1\n\n$$$$\n" + BLOCK.format(title="two")
    text += "> <A>\n2\n\n" + last
    records = read(tmp_path / "a.sdf", text.replace("\n", end))
    assert [(m.id, m.smiles, m.properties) for m in records] == [
        ("one", "CO", {"A": "1"}),
        ("two", "CO", {"A": "2"}),
    ]


def test_a_bad_record_does_not_stop_the_rest(tmp_path):
    bad = [
        "",
        "garbage\n",
        "\n\n\nnot a counts line\nM  END\n",
        "t\n\n\n 99 98  0  0  0  0  0  0  0  0999 V2000\nM  END\n> <A>\nkept\n\n",
        "\0\0\n\n\n\0\n",
    ]
    good = BLOCK.format(title="good")
    text = "$$$$\n".join([good, *(part for b in bad for part in (b, good))])
    records = read(tmp_path / "a.sdf", text)
    assert len(records) == 2 * len(bad) + 1
    assert all(isinstance(r, Molecule) and r.id == "good" for r in records[::2])
    assert all(isinstance(r, Reject) and r.reason for r in records[1::2])
    assert records[7].properties == {"A": "kept"}


def test_tags_keep_order_names_and_every_line():
    text = (
        ">  <B> (7)\nsecond\n\n> 25 <A>\nfirst\nline two\n\nafter a blank line\n\n\n"
        ">  <EMPTY>\n\n> <B>\nagain\n\n> DT12\nbare\n\n"
    )
    assert list(parse_tags(text.splitlines(keepends=True)).items()) == [
        ("B", "second"),
        ("A", "first\nline two\n\nafter a blank line"),
        ("EMPTY", ""),
        ("B_2", "again"),
        ("DT12", "bare"),
    ]


def test_tags_of_any_encoding(tmp_path):
    block = BLOCK.format(title="x").encode()
    tag = b"> <N\xc3\xa4me>\ncaf\xe9\n\n> <U>\n\xce\xb1-\xce\xb2\n\n$$$$\n"
    (molecule,) = read(tmp_path / "a.sdf", block + tag)
    assert molecule.properties == {"Näme": "café", "U": "α-β"}


def test_a_huge_property_is_kept(tmp_path):
    value = "x" * 10_000_000
    (molecule,) = read(tmp_path / "a.sdf", BLOCK.format(title="x") + f"> <A>\n{value}\n\n$$$$\n")
    assert molecule.properties["A"] == value


lines = st.lists(
    st.sampled_from(["\n", "$$$$\n", "$$$$ x\n", "M  END\n", "> <A>\n", ">\n", "C\n", " $$$$\n"])
)


@given(lines)
def test_splitting_keeps_every_line(text):
    records = list(split_records(text))
    kept = [line for record in records for line in record]
    ends = sum(line.startswith("$$$$") for line in text)
    plain = [line for line in text if not line.startswith("$$$$")]
    assert kept == plain[: len(kept)]
    assert not any(line.strip() for line in plain[len(kept) :])
    assert ends <= len(records) <= ends + 1


@given(st.lists(st.tuples(st.text("AB", min_size=1), st.text("xy>$\n", max_size=12))))
def test_any_tags_keep_the_text(items):
    text = "".join(f"> <{name}>\n{value}\n\n" for name, value in items)
    tags = parse_tags(text.splitlines(keepends=True))
    letters = [sign for sign in text if sign in "xy$"]
    assert [s for k, v in tags.items() for s in k + v if s in "xy$"] == letters


@given(st.binary(max_size=400))
def test_random_bytes_never_crash(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.sdf"
    try:
        records = read(path, BLOCK.format(title="x").encode() + content)
    except NoInputError:
        pytest.fail("the block is a record")
    assert len(records) >= 1


def test_first_200(shared_data):
    path = shared_data / "sdf" / "first_200.props.sdf"
    records = list(read_molecules([path]))
    assert [r.record for r in records] == list(range(200))
    assert all(isinstance(r, Molecule) for r in records)
    texts = path.read_text("latin-1").split("$$$$")[:-1]
    assert all(m.properties["CLOGP"] in text for m, text in zip(records, texts, strict=True))


def test_pubchem_hard_set(shared_data):
    records = list(read_molecules([shared_data / "sdf" / "pubchem-hard-set.sdf.gz"]))
    assert len(records) == 1181
    assert all(r.properties["PUBCHEM_COMPOUND_CID"] == r.id for r in records)


# Where our splitter and RDKit's supplier differ, and why; counts are ok, failed, without atoms.
OURS = {
    "Issue3482695.sdf": (0, 0, 1),  # the manifest counts its one record twice
    "O2.sdf": (1, 1, 0),  # a second, blank record
    "SkipLines.sdf": (1, 1, 0),  # RDKit's supplier drops the damaged second record
    "esters.prop_name_trunc.sdf": (6, 0, 0),  # RDKit's supplier loses its place
    "esters_end.sdf": (6, 0, 0),  # only a blank line after the last terminator
    "github2285.sdf": (1, 0, 0),  # the same
    "strictLax2.sdf": (2, 0, 0),  # RDKit's supplier stops after the first
}
EMPTY = {"empty.sdf", "empty2.sdf"}


def test_rdkits_own_files(shared_data, tmp_path):
    folder = shared_data / "sdf_edge"
    with tarfile.open(folder / "rdkit.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    with (folder / "MANIFEST.tsv").open(encoding="utf-8") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) > 600
    for row in rows:
        path = tmp_path / row["file"]
        if path.name in EMPTY:
            with pytest.raises(NoInputError):
                list(read_molecules([path]))
            continue
        records = list(read_molecules([path]))
        rejects = [r for r in records if isinstance(r, Reject)]
        zero = sum(r.reason == "no atoms" for r in rejects)
        found = (len(records) - len(rejects), len(rejects) - zero, zero)
        counts = ("rdkit_ok", "rdkit_fail", "rdkit_zero_atom")
        assert found == OURS.get(path.name, tuple(int(row[c]) for c in counts)), path.name
        assert all(r.reason and "\n" not in r.reason for r in rejects)
