"""Mending: refuted entries go, what several candidates or the structure say stays or comes."""

import pytest

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.data.memory import Neighbour
from molcaption.engine.mend import mend
from molcaption.engine.runtimes import Generation

LEXICON = load_lexicon()
PHENOL = parse_smiles("COc1ccc(O)cc1")
HEAD = "The molecule is a member of phenols."


def _mended(*texts: str, near: tuple[Neighbour, ...] = ()) -> str:
    own = [Generation(text, 1.0 - i / 100, True) for i, text in enumerate(texts)]
    return mend(own, near, PHENOL, LEXICON).text


@pytest.mark.parametrize(
    ("others", "mended"),
    [
        (
            "It is a ketone, a member of phenols and an aromatic ether.",
            "It is a member of phenols and an aromatic ether.",
        ),
        (
            "It is an aromatic ether and a ketone. It has a role as a solvent.",
            "It is an aromatic ether. It has a role as a solvent.",
        ),
        ("It is a ketone. It has a role as a solvent.", "It has a role as a solvent."),
        ("It is found in wine. It is a thiol.", "It is found in wine."),
        ("It is a ketone.", ""),
        ("", ""),
    ],
)
def test_refuted_entries_of_a_single_candidate_are_struck_out(others: str, mended: str) -> None:
    assert _mended(f"{HEAD} {others}".strip()) == f"{HEAD} {mended}".strip()


@pytest.mark.parametrize(
    "caption", ["", "The molecule is a ketone. It has a role as a solvent.", f"{HEAD} It is a"]
)
def test_the_first_sentence_and_prose_stay_right_or_wrong(caption: str) -> None:
    assert _mended(caption) == caption


def test_a_refuted_first_sentence_says_less_where_others_do_not_agree_with_it() -> None:
    wrong = "The molecule is a member of phenols that is phenol carrying a thiol group."
    assert _mended(wrong, f"{wrong} It is a thiol.") == wrong
    assert _mended(wrong, "The molecule is a ketone.", "The molecule is a nitrile.") == HEAD


def test_an_entry_that_the_structure_supports_needs_one_of_seven_others_more() -> None:
    plain = f"{HEAD} It has a role as a solvent."
    true = f"{plain} It is an aromatic ether."
    vague = f"{HEAD} It has a role as a solvent and a fuel."
    assert _mended(true, *[plain] * 6) == true
    assert _mended(vague, *[plain] * 6) == plain
    assert _mended(vague, vague, vague, *[plain] * 4) == vague


def test_a_missing_statement_comes_to_its_place() -> None:
    whole = f"{HEAD} It has a role as a solvent. It is an aromatic ether. It derives from a phenol."
    without = f"{HEAD} It has a role as a solvent. It derives from a phenol."
    assert _mended(without, whole) == whole


def test_a_statement_without_a_favourite_is_the_most_typical_one() -> None:
    roles = ["a green plant metabolite", "a plant metabolite", "a human metabolite", "a fuel"]
    captions = [f"{HEAD} It has a role as {role}." for role in roles]
    assert _mended(*captions) == captions[1]


def test_neighbours_vote_by_what_they_tell() -> None:
    own, theirs = f"{HEAD} It has a role as a fuel.", f"{HEAD} It has a role as a solvent."
    assert _mended(own, near=(Neighbour(0.95, theirs, 2.0),)) == theirs
    assert _mended(own, near=(Neighbour(0.2, theirs, 0.01),)) == own


def test_entries_keep_the_order_in_which_they_are_said() -> None:
    caption = f"{HEAD} It has a role as a fuel, a solvent and an acid. It is a member of phenols."
    assert _mended(caption, caption) == caption


def test_mending_refutes_nothing_new() -> None:
    caption = (
        "The molecule is a steroid that is a ketone. It is a ketone, an organochlorine compound, a "
        "member of phenols and a steroid. It is a conjugate base of an acetic acid."
    )
    before = check_caption(PHENOL, caption, LEXICON)
    after = check_caption(PHENOL, _mended(caption, caption), LEXICON)
    assert after.n_contradicted < before.n_contradicted
    assert set(after.groups_supported) == set(before.groups_supported)
