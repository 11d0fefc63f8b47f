"""The verb ``lexicon``: checks a lexicon against its own examples and measures its concepts.

A structural test is only as good as its examples, so every entry must hit its positive molecules,
miss its negative ones, and its positives must belong to every parent too. Base rates (how many
molecules of a sample show a concept) turn a supported claim into bits of information.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rdkit import Chem

from molcaption.chem.molecule import InvalidMolecule, Molecule, parse_smiles
from molcaption.claims.entry import Concept
from molcaption.claims.grammar import find_mentions
from molcaption.claims.lexicon import Lexicon, load_lexicon
from molcaption.claims.structure import Filled, Structure
from molcaption.claims.verify import VACUOUS, check_caption
from molcaption.data.readers import read_molecules
from molcaption.data.writers import atomic_write
from molcaption.errors import BadDataError

_log = logging.getLogger(__name__)
SAMPLE_LIMIT = 5_000
_FILLINGS, _FITTED = 25, 400


@dataclass(frozen=True, slots=True)
class LexiconReport:
    """``rates``: share of the sample's molecules that show a concept, most frequent first."""

    n_concepts: int
    n_examples: int
    version: str
    hash: str
    n_sample: int = 0
    rates: dict[str, float] = field(default_factory=dict)


def check(
    path: str | Path | None = None,
    sample: str | Path | None = None,
    limit: int = SAMPLE_LIMIT,
) -> LexiconReport:
    """Load a lexicon and hold every entry to its examples.

    Args:
        path: a user's lexicon, laid over the built-in one; None checks the built-in one alone.
        sample: any compound file to measure base rates on, its first ``limit`` molecules.

    Raises:
        NoInputError: a file is missing.
        BadDataError: an entry is malformed, or an example contradicts its entry; names all.
    """
    lexicon = load_lexicon(path).strict()
    concepts = lexicon.concepts.values()
    failures = [line for concept in concepts for line in _failures(concept, lexicon)]
    if failures:
        more = [f"and {len(failures) - 5} more"] if len(failures) > 5 else []
        shown = "; ".join(failures[:5] + more)
        raise BadDataError(f"lexicon {path or 'built-in'}: {len(failures)} failures: {shown}")
    n_examples = sum(len(c.positives) + len(c.negatives) for c in concepts)
    n_sample, rates = 0, dict[str, float]()
    if sample is not None:
        mols = (record.mol for record in _molecules(sample, limit))
        n_sample, rates = base_rates(mols, lexicon)
    size = len(lexicon.concepts)
    _log.info("%d concepts, %d examples hold, %s", size, n_examples, lexicon.hash)
    return LexiconReport(size, n_examples, lexicon.version, lexicon.hash, n_sample, rates)


def measure(
    sample: str | Path,
    output: str | Path,
    gold: str | Path | None = None,
    limit: int = SAMPLE_LIMIT,
) -> None:
    """Write base rates of ``sample`` (and agreement with ``gold`` captions) as a JSON file.

    This makes ``claims/base_rates.json``: run it again when entries change.
    """
    lexicon = load_lexicon().strict()
    mols = [record.mol for record in _molecules(sample, limit)]
    n, rates = base_rates(mols, lexicon)
    by_filling = parametric_rates(gold, sample, lexicon) if gold else {}
    found = {
        "sample": Path(sample).name,
        "n": n,
        "lexicon": lexicon.hash,
        "rates": dict(sorted((rates | by_filling).items())),
        "counted": counted_rates(mols, lexicon, rates),
        "agreement": dict(sorted(agreement(gold, lexicon).items())) if gold else {},
    }
    with atomic_write(output, "w") as file:
        json.dump(found, file, indent=0)
        file.write("\n")


def base_rates(mols: Iterable[Chem.Mol], lexicon: Lexicon) -> tuple[int, dict[str, float]]:
    """Number of molecules and share that proves each concept, most frequent first.

    For concepts that cannot be proved: the share that passes the necessary test.
    """
    n, counts = 0, Counter[str]()
    for mol in mols:
        n += 1
        structure = Structure(mol, lexicon)
        for key, concept in lexicon.concepts.items():
            if concept.parametric:
                continue
            shown = structure.supports(key) if concept.provable else structure.count(key)
            counts[key] += bool(shown)
    return n, {key: round(count / n, 5) for key, count in counts.most_common()}


def counted_rates(
    mols: Sequence[Chem.Mol], lexicon: Lexicon, rates: dict[str, float]
) -> dict[str, list[float]]:
    """Of concepts that most molecules have: the shares with at least 1, 2, … up to a rare count."""
    common = (k for k, rate in rates.items() if rate > VACUOUS and lexicon.concepts[k].countable)
    found: dict[str, list[float]] = {}
    for key in sorted(common):
        counts = [Structure(mol, lexicon).proven(key) for mol in mols]
        shares = [round(sum(c >= n for c in counts) / len(mols), 5) for n in range(1, 20)]
        found[key] = shares[: 1 + sum(share > VACUOUS for share in shares)]
    return found


def parametric_rates(gold: str | Path, sample: str | Path, lexicon: Lexicon) -> dict[str, float]:
    """Share of molecules that fit a concept whose test a caption fills in, over gold's fillings.

    Averaged over up to `_FILLINGS` different fillings and `_FITTED` molecules of ``sample``.
    """
    fillings: dict[str, set[Filled]] = {}
    for record in _molecules(gold, None):
        for mention in find_mentions(record.description or "", lexicon):
            if mention.concept and lexicon.concepts[mention.concept].parametric:
                known = fillings.setdefault(mention.concept, set())
                if len(known) < _FILLINGS:
                    known.add(mention.filled)
    structures = [Structure(record.mol, lexicon) for record in _molecules(sample, _FITTED)]
    rates = {}
    for concept, known in sorted(fillings.items()):
        hits = sum(s.count(concept, filled) > 0 for s in structures for filled in known)
        rates[concept] = round(hits / (len(structures) * len(known)), 5)
    return rates


def agreement(gold: str | Path, lexicon: Lexicon) -> dict[str, tuple[int, int]]:
    """For every concept: captions whose structure passes its test, and captions that name it.

    A caption counts once, and passes if none of its claims on the concept is refuted.
    """
    passed, named = Counter[str](), Counter[str]()
    for record in _molecules(gold, None):
        fits: dict[str, bool] = {}
        for claim in check_caption(record.mol, record.description, lexicon).claims:
            if claim["concept"] is not None and claim["found"] is not None:
                key = claim["concept"]
                fits[key] = fits.get(key, True) and claim["verdict"] != "contradicted"
        named.update(fits.keys())
        passed.update(key for key, fit in fits.items() if fit)
    return {key: (passed[key], named[key]) for key in lexicon.concepts}


def _molecules(path: str | Path, limit: int | None) -> Iterator[Molecule]:
    records = read_molecules([path], limit=limit)
    return (record for record in islice(records, limit) if isinstance(record, Molecule))


def _failures(concept: Concept, lexicon: Lexicon) -> Iterator[str]:
    """What the entry's own molecules say against it, one line each."""
    if not concept.positives or not concept.negatives:
        yield f"{concept.id}: needs a pos and a neg molecule"
    for wanted, examples in ((True, concept.positives), (False, concept.negatives)):
        for example in examples:
            smiles, _, caption = example.partition(" | ")
            try:
                mol = parse_smiles(smiles)
            except InvalidMolecule as error:
                yield f"{concept.id}: {smiles}: {error}"
                continue
            if concept.parametric and not caption:
                yield f"{concept.id}: {smiles}: expected 'SMILES | caption', the test has arguments"
            elif _holds(mol, caption, concept, lexicon) != wanted:
                yield f"{concept.id}: {example} should {'' if wanted else 'not '}match"


def _holds(mol: Chem.Mol, caption: str, concept: Concept, lexicon: Lexicon) -> bool:
    """Whether the concept is in the molecule, or a caption's claim of it is not contradicted."""
    if not caption:
        return bool(Structure(mol, lexicon).count(concept.id))
    claims = check_caption(mol, caption, lexicon).claims
    verdicts = [claim["verdict"] for claim in claims if claim["concept"] == concept.id]
    return bool(verdicts) and "contradicted" not in verdicts
