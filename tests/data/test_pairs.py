"""Training pairs as people write them: TSV and CSV, whole rows and rows that were cut off."""

from pathlib import Path

import pytest

from molcaption.data.pairs import read_pairs

TEXT = 'The molecule is "wood alcohol", a solvent, and an alcohol.'


def test_csv_has_quotes_and_tsv_has_none(tmp_path: Path) -> None:
    quoted = TEXT.replace('"', '""')
    (tmp_path / "a.csv").write_text(f'id,smiles,description\n1,CO,"{quoted}"\n')
    (tmp_path / "a.tsv").write_text(f"id\tsmiles\tdescription\n1\tCO\t{TEXT}\n")
    for name in ("a.csv", "a.tsv"):
        assert [pair.description for pair in read_pairs(tmp_path / name)] == [TEXT]


def test_rows_that_were_cut_off_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("id\tsmiles\tdescription\n1\tCO\tAn alcohol.\n2\tCCO\n3\n\n5\tC(\tA gas.\n")
    assert [pair.id for pair in read_pairs(path)] == ["1"]
    assert "rows left out" in caplog.text
