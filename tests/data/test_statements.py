"""Captions taken apart and written again."""

import pytest

from molcaption.data.statements import Statement, classes, naming, read, write

CAPTION = (
    "The molecule is a ketone. It is isolated from roses. It has a role as a metabolite. It is a "
    "ketone, a member of phenols and an aromatic ether. It derives from a 2,4-dimethylphenol."
)


def test_a_caption_is_a_head_statements_and_prose() -> None:
    draft = read(CAPTION)
    assert draft.head == "The molecule is a ketone."
    assert draft.others == (
        "It is isolated from roses.",
        Statement("It has a role as ", ("a metabolite",)),
        Statement("It is ", ("a ketone", "a member of phenols", "an aromatic ether")),
        Statement("It derives from ", ("a 2,4-dimethylphenol",)),
    )


@pytest.mark.parametrize(
    "caption",
    [
        "",
        ".",
        "It is a ketone.",
        CAPTION,
        CAPTION.removesuffix("."),
        "A thing. It is a ketone, a member of",
        "A thing. It is a conjugate base and a conjugate acid of a lysine.",
        "A thing. It is an inhibitor of an oxidase, a bad one, and is used in peace.",
        "A thing. It is a ketone. It is the major one. It is a thiol.",
    ],
)
def test_writing_gives_the_caption_back(caption: str) -> None:
    draft = read(caption)
    assert write(draft.head, draft.others) == caption


def test_an_entry_said_twice_is_kept_once() -> None:
    draft = read("A thing. It is a ketone, a thiol and a ketone.")
    assert draft.others == (Statement("It is ", ("a ketone", "a thiol")),)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        ("The molecule is a ketone.", ["a ketone"]),
        (
            "The molecule is a ketone that is acetone carrying a thiol and a nitro group.",
            ["a ketone"],
        ),
        (
            "The molecule is a thiol, a ketone and a member of ureas.",
            ["a thiol", "a ketone", "a member of ureas"],
        ),
        (
            "The molecule is a 1-acyl-sn-glycero-3-phospho-(1'-sn-glycerol) (LPG).",
            ["a 1-acyl-sn-glycero-3-phospho-(1'-sn-glycerol)"],
        ),
        (
            "The molecule is an N,N-dimethylamine obtained by magic; major species at pH 7.3.",
            ["an N,N-dimethylamine"],
        ),
        ("Ketones smell.", []),
    ],
)
def test_the_classes_of_a_first_sentence(head: str, named: list[str]) -> None:
    assert classes(head) == named


def test_classes_are_named_as_they_are_read() -> None:
    entries = ["a thiol", "a ketone", "a member of ureas"]
    assert classes(naming(entries)) == entries
