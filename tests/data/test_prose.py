"""ChEBI's prose under other names: recognised, put into its own words, and rid of others'."""

from pathlib import Path

import pytest

from molcaption.data.captioned import read_captioned
from molcaption.data.pairs import read_pairs
from molcaption.data.prose import CHEBI, chebi_prose, in_style

KETONE = "The molecule is a ketone that is odd. It has a role as a solvent."


@pytest.mark.parametrize(
    "text",
    [
        KETONE,
        "it is a ketone that is odd. It has a role as a solvent.",
        f"{KETONE} it boils at 80 degrees. Do not drink it.",
        f"{KETONE} The molecule is a natural product found in roses.",
        f"{KETONE}Solventone is a natural product found in roses.",
        f"{KETONE} It is a conjugate acid of a it(1-).",
    ],
)
def test_the_same_caption_in_other_words(text: str) -> None:
    assert chebi_prose(text) == KETONE


def test_parents_are_named_as_in_chebi20() -> None:
    text = "The molecule is a ketone. It is functionally related to a butanone."
    assert chebi_prose(text) == "The molecule is a ketone. It derives from a butanone."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "it appears as a colourless liquid. It is a ketone.",
        "it, also known as butanone, is a ketone. It has a role as a solvent.",
        "The molecule is a ketone.",
        "it is a it derivative. It has a role as a solvent.",
        "it is the simplest of its kind. It has a role as a solvent.",
        "A ketone that is odd. It has a role as a solvent.",
    ],
)
def test_what_is_not_chebis_prose_or_has_lost_a_name_is_left_alone(text: str) -> None:
    assert chebi_prose(text) is None


def test_rows_of_a_named_style_are_taken_as_they_are() -> None:
    text = "it is a ketone. It has a role as a solvent."
    assert in_style(text, "pcdes", ["pcdes"]) == in_style(text, "pcdes", None) == text
    assert in_style(text, "pcdes", ["chebi20"]) is None
    assert in_style(text, "pcdes", ["chebi20", CHEBI]) == chebi_prose(text)


def test_tables_give_rows_in_chebis_prose_whatever_their_style(tmp_path: Path) -> None:
    table = tmp_path / "known.tsv"
    table.write_text(
        "id\tstyle\tsmiles\tdescription\n"
        f"1\tchebi20\tCCC(C)=O\t{KETONE}\n"
        "2\tpcdes\tCC(C)=O\tit is a ketone. It has a role as a solvent.\n"
        "3\tpcdes\tCCO\tit appears as a liquid.\n",
        encoding="utf-8",
    )
    expected = [KETONE, "The molecule is a ketone. It has a role as a solvent."]
    assert [pair.description for pair in read_pairs(table, ["chebi20", CHEBI])] == expected
    assert [m.description for m in read_captioned(table, ["chebi20", CHEBI])] == expected
    assert [m.description for m in read_captioned(table, ["chebi20"])] == expected[:1]
