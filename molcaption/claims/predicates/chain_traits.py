"""Structural tests on what fatty chains are like: their length, branches, bonds and groups.

See `molcaption.claims.predicates`.
"""

import re
from collections.abc import Callable

from molcaption.claims.predicates.chain_walk import ACYL, Chain, chains
from molcaption.claims.structure import Structure

# LIPID MAPS' limits (up to 5, 6-12, 13-21, over 22, over 27 carbons), with one or two to spare:
# ChEBI's curators count differently.
_LENGTHS = {"short": (2, 6), "medium": (6, 13), "long": (12, 24), "very": (21, 999),
            "ultra": (27, 999)}  # fmt: skip
LETTERS = {
    "hydroxy": "Oo", "hydroperoxy": "P", "oxo": "K", "keto": "K", "epoxy": "e", "amino": "N",
    "nitro": "n", "methyl": "M", "bromo": "X", "chloro": "X", "fluoro": "X", "iodo": "X",
    "halogenated": "X", "methoxy": "o", "phenyl": "R", "sulfanyl": "S", "carboxy": "B",
}  # fmt: skip
_DOUBLE = {"mono": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6}


def chain_trait(structure: Structure, trait: str, noun: str = "") -> int:
    """A fatty chain of the kind ``noun`` (acid, CoA, alcohol …) with the trait of the text."""
    if structure.is_open:
        return 1  # the chain is left open
    test = _trait(" ".join(trait.lower().split()))
    return sum(test(chain) for chain in _fatty(structure, noun.lower()))


def fatty(structure: Structure, heads: str, low: int, high: int) -> int:
    """Chains with one of the heads and ``low`` to ``high`` carbons."""
    if structure.is_open:
        return 1  # the chain is left open
    return sum(c.head in heads.split() and low <= len(c.path) <= high for c in chains(structure))


def fatty_anion(structure: Structure, low: int) -> int:
    """A negative record with a fatty acid chain of at least ``low`` carbons."""
    return fatty(structure, "acid anion", low, 999) if structure.charge < 0 else 0


def _fatty(structure: Structure, noun: str) -> list[Chain]:
    found = chains(structure)
    if "alcohol" in noun or noun.endswith("ol"):
        return [c for c in found if any("O" in b for b in _body(c)) or c.head == "alcohol"]
    heads = ACYL | {"aldehyde"}
    if "coa" in noun:
        heads = frozenset(["thio"])
    elif "aldehyd" in noun:
        heads = frozenset(["aldehyde"])
    return [c for c in found if c.head in heads]


def _body(chain: Chain) -> tuple[str, ...]:
    """What the chain bears apart from its functional head."""
    return chain.bears[1:] if chain.head in ACYL or chain.head == "aldehyde" else chain.bears


_PLACED = re.compile(
    r"^\(?(?P<place>omega(?:-(?P<back>\d))?|\d+|alpha|beta)\)?(?:[rs]\)?)?-(?:[rs]-)?(?P<what>[a-z]+)$"
)
_GREEK = {"alpha": 2, "beta": 3}


def _trait(text: str) -> Callable[[Chain], bool]:
    """The test that the words stand for; what nobody described is true of all."""
    span = _LENGTHS.get(re.split(r"[\s-]", text)[0])
    if span is not None:
        return lambda c: _long_enough(c, *span)
    if known := _SIMPLE.get(text):
        return known
    if match := _PLACED.match(text):
        return _placed(match)
    return _unsaturated(text) or _bearing(text)


def _long_enough(chain: Chain, low: int, high: int) -> bool:
    """The chain's carbons, counted in any way; a chain that an ether cuts short may go on."""
    if chain.head in ("alcohol", "aldehyde"):
        high = max(high, 999 if low > 12 else 0)  # "long" goes for all of these
    sizes = (len(chain.path), chain.size, chain.skeleton)
    goes_on = bool(set("oS") & set(chain.bears[-1])) and len(chain.path) <= high
    return goes_on or any(low <= n <= high for n in sizes)


def _bearing(text: str) -> Callable[[Chain], bool]:
    letters = set(LETTERS.get(text, ""))
    return lambda c: not letters or bool((letters | {"R"}) & set("".join(_body(c))))


def _unsaturated(text: str) -> Callable[[Chain], bool] | None:
    """ "trienoic", "2,3-saturated", "omega-3", "trans-2": how many double bonds, or where."""
    if match := re.match(r"(di|tri|tetra|penta|hexa)enoic", text):
        times = _DOUBLE[match[1]]
        return lambda c: c.double >= times  # those of a branch may not be counted
    if match := re.match(r"(\d+)(?:,\d+)?-saturated$", text):
        place = int(match[1])
        return lambda c: place not in c.bonds
    if match := re.match(r"(?:omega|n)-(\d+)$", text):
        back = int(match[1])
        return lambda c: len(c.path) - back in c.bonds
    if match := re.match(r"(cis|trans)-(\d+)$", text):
        fits, at = {"cis": "Z=", "trans": "E="}[match[1]], int(match[2])
        return lambda c: bool(c.bonds.get(at, "")) and c.bonds[at] in fits
    return None


def _placed(match: re.Match[str]) -> Callable[[Chain], bool]:
    """ "3-hydroxy", "(omega-1)-hydroxy", "omega-oxo": the place counts from the head or the end."""
    letters, place = set(LETTERS.get(match["what"], "")), match["place"]

    def test(chain: Chain) -> bool:
        if not letters:
            return True
        if place.startswith("omega"):
            at = len(chain.path) - int(match["back"] or 0)
        else:
            at = _GREEK.get(place) or int(place)
        if at > len(chain.bears):
            return "R" in chain.bears[-1]
        return at > 1 and bool(letters & set(chain.bears[at - 1]))

    return test


def _methyls(chain: Chain) -> int:
    return "".join(chain.bears).count("M")


_SIMPLE: dict[str, Callable[[Chain], bool]] = {
    "saturated": lambda c: not c.double + c.triple,
    "unsaturated": lambda c: bool(c.double + c.triple) or c.skeleton > c.size,
    "monounsaturated": lambda c: c.double + c.triple == 1 or c.skeleton > c.size,
    "polyunsaturated": lambda c: c.double + c.triple > 1,
    "olefinic": lambda c: c.double > 0,
    "acetylenic": lambda c: c.triple > 0,
    "straight-chain": lambda c: c.straight,
    "straight chain": lambda c: c.straight,
    "branched-chain": lambda c: not c.straight,
    "branched": lambda c: not c.straight,
    "methyl-branched": lambda c: _methyls(c) > 0,
    "multi-methyl-branched": lambda c: _methyls(c) > 1,
}


def enoyl_place(structure: Structure, trait: str, place: str | int, geometry: str) -> int:
    """Acyl-CoA with a double bond as in "trans-2" or as the place and geometry say."""
    return chain_trait(structure, trait or f"{geometry}-{place}", "coa")


PREDICATES: dict[str, Callable[..., int]] = {
    "chain_trait": chain_trait,
    "enoyl_place": enoyl_place,
    "fatty": fatty,
    "fatty_anion": fatty_anion,
}
