"""Which atoms of a molecule make a concept true."""

from collections.abc import Iterable

from rdkit import Chem

from molcaption.claims.lexicon import Lexicon

MAX_MATCHES = 500


def atoms_of(mol: Chem.Mol, concept_id: str, lexicon: Lexicon) -> set[int]:
    """Indices of the atoms that make ``concept_id`` true.

    A concept whose test is no SMARTS (it is its parents together, or counts something of theirs)
    has its parents' atoms; empty where they have none either, such as of a charge.
    """
    if (concept := lexicon.concepts.get(concept_id)) is None:
        return set()
    tests = (concept.sure, concept.test)
    queries = [test.query for test in tests if test is not None and test.query is not None]
    if not queries:
        return _union(atoms_of(mol, parent, lexicon) for parent in concept.parents)
    matches = (mol.GetSubstructMatches(query, maxMatches=MAX_MATCHES) for query in queries)
    return _union(next((found for found in matches if found), ()))


def _union(groups: Iterable[Iterable[int]]) -> set[int]:
    return set().union(*groups)
