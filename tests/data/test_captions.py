import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molcaption.data.captions import CaptionTable, read_captions
from molcaption.data.writers import open_writer
from molcaption.errors import BadDataError, NoInputError, UsageError

TEXTS = ["An acid.", 'β-D-Gal — it\'s a "sugar", too', "", "\u2028 odd\u0085separators"]


def read(path: Path) -> CaptionTable:
    return read_captions(path, "id", "caption")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.tsv", "a.csv", "a.jsonl", "a.tsv.gz", "a.CSV"])
def test_what_our_writers_write_is_read_back(tmp_path: Path, name: str) -> None:
    texts = [*TEXTS, 'two\nlines and a\ttab, "quoted"']
    with open_writer(tmp_path / name) as writer:
        rows = [{"x": 1, "id": i, "caption": text} for i, text in enumerate(texts)]
        writer.write(rows)
    table = read(tmp_path / name)
    assert table.ids == ["0", "1", "2", "3", "4"]
    assert table.texts == texts
    assert not table.by_line


def test_unquoted_tsv_as_the_field_writes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'id\tcaption\n1\t"Foo" is a bar\n2\tno " end\n')
    assert read(path).texts == ['"Foo" is a bar', 'no " end']


def test_windows_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "\ufeffid\tcaption\r\n1\tan acid\r\n2\t\r\n")
    assert (read(path).ids, read(path).texts) == (["1", "2"], ["an acid", ""])


def test_ids_of_any_type_become_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "caption": ["a", None]}), tmp_path / "a.parquet")
    path = write(tmp_path / "a.jsonl", '{"id": 7, "caption": "a"}\n\n{"id": "8", "caption": null}')
    assert read(tmp_path / "a.parquet").ids == read(path).ids == ["7", "8"]
    assert read(tmp_path / "a.parquet").texts == read(path).texts == ["a", None]


def test_txt_lines_get_their_numbers(tmp_path: Path) -> None:
    table = read(write(tmp_path / "a.txt", "an acid\n\na\u2028base"))
    assert (table.ids, table.by_line) == (["1", "2", "3"], True)
    assert table.texts == ["an acid", "", "a\u2028base"]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.tsv", "", NoInputError, "the file is empty"),
        ("a.tsv", "id\tcaption\n", NoInputError, "no rows"),
        ("a.tsv", "ID\ttext\n1\tx\n", UsageError, "no column 'id'; the columns are ID, text"),
        ("a.csv", "id,text\n1,x\n", UsageError, "no column 'caption'; the columns are id, text"),
        ("a.jsonl", '{"id": 1}', UsageError, "no column 'caption'; the columns are id"),
        ("a.tsv", "id\tcaption\n1\tx\n2\n", BadDataError, "record 3: 1 fields, expected 2"),
        ("a.tsv", "id\tcaption\n1\tx\n2\ty\n1\tz\n2\tz", BadDataError, "2 ids .* once: 1, 2"),
        ("a.tsv", "id\tcaption\n\tx\n", BadDataError, "row 1: column 'id' has no id"),
        ("a.tsv", b"id\tcaption\n1\tx\n2\t\xe9\n", BadDataError, "a.tsv:3: not UTF-8"),
        ("a.csv", 'id,caption\n1,"x', BadDataError, "not a CSV file"),
        ("a.jsonl", '{"id": 1, "caption": "x"}\n{"id"', BadDataError, "a.jsonl:2: not JSON"),
        ("a.jsonl", "[1]", BadDataError, "expected a JSON object"),
        ("a.jsonl", '{"id": 1, "caption": "x"}\n{"id": 2}', BadDataError, "a.jsonl:2: .*caption"),
        ("a.jsonl", '{"id": 1, "caption": NaN}', BadDataError, r"row 1: .* nan \(float\)"),
        ("a.jsonl", '{"id": NaN, "caption": "x"}', BadDataError, "row 1: column 'id' has no id"),
        ("a.parquet", "PAR1", BadDataError, "cannot be read as Parquet"),
        ("a.tsv.gz", gzip.compress(b"id\tcaption\n1\tx")[:-9], BadDataError, "not a whole gzip"),
        ("a.xlsx", "x", UsageError, "name ending in one of .parquet"),
        ("a.parquet.gz", "x", UsageError, "name ending in one of .parquet"),
    ],
)  # fmt: skip
def test_bad_files(
    tmp_path: Path, name: str, content: str | bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        read(write(tmp_path / name, content))
    assert "\n" not in str(caught.value)


def test_parquet_without_the_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"], "text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="no column 'caption'; the columns are id, text"):
        read(tmp_path / "a.parquet")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no such file"):
        read(tmp_path / "a.tsv")
    (tmp_path / "b.tsv").mkdir()
    with pytest.raises(NoInputError, match="directory"):
        read(tmp_path / "b.tsv")


def test_very_long_cells(tmp_path: Path) -> None:
    rows = [{"id": "1", "caption": "x" * 200_000}]
    path = write(tmp_path / "a.jsonl", json.dumps(rows[0]))
    csv_path = write(tmp_path / "a.csv", f"id,caption\n1,{rows[0]['caption']}\n")
    assert read(path).texts == read(csv_path).texts == [rows[0]["caption"]]


@pytest.mark.parametrize("name", ["a.parquet", "a.tsv", "a.csv", "a.jsonl"])
def test_smiles_are_found_by_name(tmp_path: Path, name: str) -> None:
    with open_writer(tmp_path / name) as writer:
        rows = [
            {"id": 1, "SMILES": " CCO ", "caption": "a"},
            {"id": 2, "SMILES": "", "caption": ""},
        ]
        writer.write(rows)
    assert read(tmp_path / name).smiles == ["CCO", None]
    for column, expected in (("SMILES", ["CCO", None]), ("other", None)):
        assert read_captions(tmp_path / name, "id", "caption", column).smiles == expected


def test_smiles_may_be_the_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "SMILES\toutput\nCCO\tan alcohol\n")
    table = read_captions(path, "SMILES", "output")
    assert table.ids == table.smiles == ["CCO"]
    with open_writer(tmp_path / "a.parquet") as writer:
        writer.write([{"SMILES": "CCO", "output": "an alcohol"}])
    assert read_captions(tmp_path / "a.parquet", "SMILES", "output").smiles == ["CCO"]


def test_files_without_smiles(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.tsv", "id\tcaption\n1\tx\n")).smiles is None
    assert read(write(tmp_path / "a.txt", "x\n")).smiles is None
    path = write(tmp_path / "a.jsonl", '{"id": 1, "caption": "x", "smiles": "C"}\n'
                 '{"id": 2, "caption": "y"}\n{"id": 3, "caption": "z", "smiles": 7}')  # fmt: skip
    assert read(path).smiles == ["C", None, None]


def test_a_header_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="empty"):
        read(write(tmp_path / "a.tsv", "\n\n"))
