"""What a query needs: never more than a molecule that it matches has."""

import csv
from functools import reduce
from operator import or_
from pathlib import Path

import pytest
from rdkit import Chem

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import Structure, load_lexicon
from molcaption.claims.paths import paths_of
from molcaption.claims.queries import skeleton_query, strict_query
from molcaption.claims.requirements import requirement

REFERENCES = Path(__file__).parents[2] / "examples" / "references.tsv"


@pytest.mark.parametrize(
    ("smarts", "atoms", "rings"),
    [
        ("CC(=O)O", {6: 2, 8: 2}, 0),
        ("c1ccc2ccccc2c1", {6: 10}, 2),
        ("C.C1CC1", {6: 4}, 1),
        ("[OX2H1,OX1-]C", {6: 1, 8: 1}, 0),
        ("[O,S]C", {6: 1}, 0),
        ("[!#6]~[H]", {1: 1}, 0),
        ("[#1]C", {1: 1, 6: 1}, 0),
        ("[Cl,Cl-][Co]", {17: 1, 27: 1}, 0),
        # Of two alternatives what both need; the atom itself is among them.
        ("[$(C1CC1N),$(C1CCC1NO)]S", {6: 3, 7: 1, 16: 1}, 1),
        ("[O;$(OC),$(Oc1ccccc1)]", {6: 1, 8: 1}, 0),
        ("[$(CO),#7]", {}, 0),
        # Both hold around one atom, so they may share what they need.
        ("[C;$(CO);$(CON)]", {6: 1, 7: 1, 8: 1}, 0),
        ("[C;$(C[$(N1CC1),$(N1CCC1)])]", {6: 2, 7: 1}, 1),
        ("[C;!$(CO)]", {6: 1}, 0),
    ],
)
def test_what_a_query_needs(smarts: str, atoms: dict[int, int], rings: int) -> None:
    needs = requirement(strict_query(smarts))
    assert (needs.atoms, needs.rings) == (atoms, rings)


def test_a_skeleton_needs_its_elements() -> None:
    needs = requirement(skeleton_query("c1ccc2[nH]ccc2c1*"))
    assert (needs.atoms, needs.rings) == ({6: 8, 7: 1}, 2)


@pytest.mark.parametrize(
    ("smarts", "drawn"),
    [
        ("[OX2H1,OX1-]C(=[#8])[CH3]", ["CC(=O)O"]),
        ("[!#1]CN", ["CN"]),
        ("C*N", []),
        ("[O,S]C", []),
        # Of alternatives what both draw; of what must all hold, everything.
        ("[$(CCO),$(CCN)]", ["CC"]),
        ("[C;$(CO);$(CN)]S", ["CO", "CN", "CS"]),
        ("[C;!$(CO)]N", ["CN"]),
        ("CO.CN", ["CO", "CN"]),
    ],
)
def test_a_query_needs_what_it_draws(smarts: str, drawn: list[str]) -> None:
    mols = [Chem.MolFromSmiles(smiles) for smiles in drawn]
    paths = [paths_of(mol, [atom.GetAtomicNum() for atom in mol.GetAtoms()]) for mol in mols]
    assert requirement(strict_query(smarts), paths=True).paths == reduce(or_, paths, 0)


def test_nothing_that_matches_lacks_what_its_query_needs() -> None:
    lexicon = load_lexicon()
    tests = [t for c in lexicon.concepts.values() for t in (c.test, c.sure) if t and t.query]
    with REFERENCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    needed = {test: requirement(test.query, paths=True) for test in tests}
    hits = 0
    for row in rows[:60]:
        structure = Structure(parse_smiles(row["smiles"]), lexicon)
        present, rings = structure.element_counts, len(structure.rings)
        lacking = ~paths_of(structure.mol, structure.numbers)
        for test in tests:
            needs = needed[test]
            few = any(present.get(n, 0) < k for n, k in needs.atoms.items())
            if few or needs.rings > rings or needs.paths & lacking:
                assert not structure.mol.HasSubstructMatch(test.query), test
            else:
                hits += 1
    assert hits
