"""The claims engine the other way round: what is certainly true of a molecule.

Used in prompts and in reranking. Most specific first: by surprise (minus log2 of the base rate).
"""

import math
from dataclasses import dataclass

from rdkit import Chem

from molcaption.claims.lexicon import Lexicon
from molcaption.claims.structure import Structure


@dataclass(frozen=True, slots=True)
class Fact:
    """``text`` as a caption would say it; ``bits`` is how much the fact narrows molecules down."""

    concept: str
    text: str
    count: int
    bits: float


def facts(mol: Chem.Mol, lexicon: Lexicon) -> list[Fact]:
    """Supported concepts of ``mol``, most specific first, without those another one implies."""
    structure = Structure(mol, lexicon)
    held = [concept for concept in lexicon.concepts.values() if structure.supports(concept.id)]
    implied = {parent for concept in held for parent in lexicon.ancestors(concept.id)}
    found = []
    for concept in held:
        if concept.id in implied:
            continue
        count = structure.count(concept.id)
        rate = max(lexicon.base_rates.get(concept.id, 1e-4), 1e-4)
        text = concept.say if concept.names else f"{concept.say} group"
        if concept.countable and count > 1:
            text = f"{text} × {count}"
        found.append(Fact(concept.id, text, count, -math.log2(rate)))
    if structure.charge:
        text = f"net charge {structure.charge:+d}"
        found.append(Fact("charge", text, structure.charge, 3.0))
    return sorted(found, key=lambda fact: (-fact.bits, fact.concept))
