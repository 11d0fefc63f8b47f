import pytest

from molcaption.claims.names import find_names
from molcaption.claims.zones import find_zones


def zones(caption):
    return [
        (zone.kind, caption[zone.start : zone.end].strip(" .;")) for zone in find_zones(caption)
    ]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        (
            "The molecule is an enone, a ketone and a member of phenols.",
            [("class", "enone"), ("class", "ketone"), ("class", "phenols")],
        ),
        (
            "The molecule is a phenol that carries a nitro group.",
            [("class", "phenol"), ("body", "that carries a nitro group")],
        ),
        (
            "It is an ester obtained by condensation of the carboxy group of A with B.",
            [
                ("class", "ester"),
                ("body", "obtained by"),
                ("origin", "condensation of the carboxy group of A with B"),
            ],
        ),
        ("It derives from a benzoic acid.", [("parent", "It derives from a benzoic acid")]),
        ("It is a conjugate base of a phenol.", [("relation", "a conjugate base of a phenol")]),
        ("It is an enantiomer of a (R)-X.", [("mirror", "an enantiomer of a (R)-X")]),
        ("It has a role as a ketone inhibitor.", []),
        ("Aspirin is a member of benzoic acids.", [("class", "benzoic acids")]),
        ("A steroid that is X.", [("class", "steroid"), ("body", "that is X")]),
        ("It is a steroid. Sugar is sweet and a ketone.", [("class", "steroid")]),
        ("", []),
        (" . ; ", []),
    ],
)
def test_zones(caption, expected):
    assert zones(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("It is a phenol that is pyridine substituted by a chloro group.", ["pyridine"]),
        ("It is a tautomer of a 2-aminopyridine.", ["2-aminopyridine"]),
        ("It derives from a L-leucine and a glycine.", []),
        ("It is a dipeptide composed of L-alanine and glycine units.", ["L-alanine", "glycine"]),
        ("It is an ester obtained by condensation of the carboxy group of acetic acid with the "
         "hydroxy group of phenol.", []),
    ],
)  # fmt: skip
def test_names_of_parents(caption, expected):
    spans = [span for zone in find_zones(caption) for span in find_names(caption, zone)]
    assert [caption[start:end] for start, end in spans] == expected
