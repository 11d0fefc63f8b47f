"""The screen: what it sorts out is what all tests would have refuted, and nothing else."""

import csv
from pathlib import Path

import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import Lexicon, Structure, load_lexicon, profile
from molcaption.claims.paths import EVERY_PATH, paths_of
from molcaption.claims.queries import strict_query
from molcaption.claims.requirements import requirement
from molcaption.claims.screen import Screen

REFERENCES = Path(__file__).parents[2] / "examples" / "references.tsv"
ODD = [
    "",
    "*",
    "[H][H]",
    "[2H]C([2H])([2H])O",
    "*C(=O)O*",
    "C[N+](C)(C)CC(=O)[O-].[Na+].[Cl-]",
    "[Fe+2].[c-]1cccc1.[c-]1cccc1",
    "N->[Fe+2]<-N",
    "OC(=O)C~O",
    "F[U](F)(F)(F)(F)F",
    "[Gd]" + "(O)" * 20 + "O",
    "OCC" * 60,
    "c12c3c4c5c1c6c7c8c2c9c1c3c2c3c4c4c%10c5c5c6c6c7c7c%11c8c9c8c9c1c2c1c2c3c4c3c4c%10c5c5c6c6c7c7"
    "c%11c8c8c9c1c1c2c3c2c4c5c6c3c7c8c1c23",
]


def read(smiles: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    mol.UpdatePropertyCache(strict=False)
    return mol


def molecules() -> list[Chem.Mol]:
    with REFERENCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [parse_smiles(row["smiles"]) for row in rows[:40]] + [read(smiles) for smiles in ODD]


def test_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = load_lexicon()
    lexicon.screen.prepare()
    screened = [profile(mol, lexicon) for mol in molecules()]
    monkeypatch.setattr(Screen, "left", lambda self, structure: list(lexicon.concepts))
    for mol, found in zip(molecules(), screened, strict=True):
        whole = profile(mol, lexicon)
        assert whole == found, Chem.MolToSmiles(mol)
        assert list(whole.counts) == list(found.counts)


def test_most_is_sorted_out() -> None:
    lexicon = load_lexicon()
    lexicon.screen.prepare()
    aspirin = Structure(parse_smiles("CC(=O)Oc1ccccc1C(=O)O"), lexicon)
    assert len(lexicon.screen.left(aspirin)) < len(lexicon.concepts) / 3


LEXICON = """
- {id: oxide, smarts: "C[O]", names: [oxide]}
- {id: ring_oxide, smarts: "C1CC1", parents: [oxide], names: [ring oxide]}
- {id: never, builtin: [net_charge, 9, 9], parents: [ring_oxide], names: [never]}
- {id: both, parents: [oxide, ring_oxide], names: [both]}
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    path = tmp_path / "own.yaml"
    path.write_text(LEXICON)
    return load_lexicon(path)


@pytest.mark.parametrize(
    ("smiles", "left"),
    [
        ("CO", {"oxide"}),
        ("C1CC1", set()),
        ("OC1CC1", {"oxide", "ring_oxide", "never", "both"}),
        ("O.CC", set()),
    ],
)
def test_a_concept_needs_what_its_parents_need(
    lexicon: Lexicon, smiles: str, left: set[str]
) -> None:
    lexicon.screen.prepare()
    found = lexicon.screen.left(Structure(parse_smiles(smiles), lexicon))
    assert {key for key in found if key in ("oxide", "ring_oxide", "never", "both")} == left


def test_an_atom_with_too_many_neighbours_has_every_path() -> None:
    crowded = read("[Gd]" + "(O)" * 100 + "O")
    assert paths_of(crowded, [atom.GetAtomicNum() for atom in crowded.GetAtoms()]) == EVERY_PATH


def test_it_is_read_once_that_pays() -> None:
    lexicon = load_lexicon()
    screen, methane = Screen(lexicon.concepts), Structure(parse_smiles("C"), lexicon)
    left = [len(screen.left(methane)) for _ in range(101)]
    assert left[:100] == [len(lexicon.concepts)] * 100
    assert left[100] < len(lexicon.concepts) / 3


@pytest.mark.parametrize(
    ("smiles", "smarts"),
    [
        ("O~C~N", "O~C~N"),
        ("N->[Fe+2]<-N", "[#7]~[#26]~[#7]"),
        ("[H]->[Fe]", "[#1]~[Fe]"),
        ("c1ccccc1->[Cr]", "c~[Cr]"),
    ],
)
def test_every_kind_of_bond_counts(smiles: str, smarts: str) -> None:
    mol, query = read(smiles), strict_query(smarts)
    Chem.FastFindRings(mol)
    assert mol.HasSubstructMatch(query)
    paths = paths_of(mol, [atom.GetAtomicNum() for atom in mol.GetAtoms()])
    assert not requirement(query, paths=True).paths & ~paths


def test_a_lexicon_may_be_empty() -> None:
    nothing = Lexicon({}, "2", "none")
    nothing.screen.prepare()
    assert nothing.screen.left(Structure(parse_smiles("CO"), nothing)) == []
