"""Structural tests that SMARTS cannot say, named in the lexicon as ``builtin: [name, argument…]``.

Each takes a :class:`Structure` and the entry's arguments and returns how often the concept occurs
(0 for no). Adding one is a function and a line in its module's ``PREDICATES``.
"""

from collections.abc import Callable

from molcaption.claims.predicates import (
    acids,
    chains,
    core,
    counts,
    ions,
    peptides,
    stereo,
    steroids,
    sugars,
    terpenes,
)

_MODULES = (core, counts, acids, chains, ions, peptides, stereo, steroids, sugars, terpenes)
PREDICATES: dict[str, Callable[..., int]] = {
    name: predicate for module in _MODULES for name, predicate in module.PREDICATES.items()
}
