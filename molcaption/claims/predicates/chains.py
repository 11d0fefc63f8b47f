"""Structural tests on carbon chains, see `molcaption.claims.predicates`."""

import re
from collections.abc import Callable

from molcaption.claims.predicates import lipids
from molcaption.claims.predicates.chain_names import ChainName, bonds_of, read_name
from molcaption.claims.predicates.chain_walk import ACYL, Chain, chains, lengths
from molcaption.claims.predicates.stereo import stereo_labels
from molcaption.claims.structure import Structure

_LOOSE = 6  # shorter chains may go on beyond what a name calls their end
_LENGTHS = {"short": (2, 5), "medium": (6, 12), "long": (13, 22), "very": (22, 999),
            "ultra": (28, 999)}  # fmt: skip
_LETTERS = {
    "hydroxy": "Oo", "hydroperoxy": "P", "oxo": "K", "keto": "K", "epoxy": "e", "amino": "N",
    "nitro": "n", "methyl": "M", "bromo": "X", "chloro": "X", "fluoro": "X", "iodo": "X",
    "halogenated": "X", "methoxy": "o", "phenyl": "R", "sulfanyl": "S", "carboxy": "B",
}  # fmt: skip
_DOUBLE = {"mono": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6}


def named_chain(
    structure: Structure,
    geometry: str,
    stem: str,
    places: str = "",
    times: str | int = "",
    bond: str = "",
    end: str = "",
) -> int:
    """A chain from a carbonyl carbon of the length that the name says.

    The double bonds of an acyl group (``end`` oyl) must be as many, and where and how it says.
    """
    name = _read(geometry, stem, places, times, bond)
    if name is None or 0 in structure.element_counts:
        return 1
    if name.carbons not in lengths(structure)["acyl"]:
        return int(name.carbons <= _LOOSE and _goes_on(structure, name.carbons))
    heads = {"ester", "thio"} if end.endswith("ester") else ACYL
    said = [c for c in chains(structure) if c.head in heads and len(c.path) == name.carbons]
    if end.endswith("ester"):
        return int(bool(said) or name.carbons <= _LOOSE)
    if not said or end != "yl":
        return 1
    return int(any(_fits(c, name, False) for c in said))


def _goes_on(structure: Structure, carbons: int) -> bool:
    """Whether an acyl chain has something at the place, or the next, where a name may end it."""
    return any(
        c.head in ACYL
        and len(c.path) > carbons
        and bool("".join(c.bears[carbons - 1 : carbons + 1]))
        for c in chains(structure)
    )


def surely_named_chain(structure: Structure, *said: str) -> int:
    """A chain of the length, with the double bonds that the name says and no others."""
    name = _read(*said[:5])
    return sum(
        name is not None and c.head in ACYL and len(c.path) == name.carbons and _fits(c, name, True)
        for c in chains(structure)
    )


def _read(
    geometry: str, stem: str, places: str = "", times: str | int = "", bond: str = ""
) -> ChainName | None:
    return read_name(stem.lower(), geometry, places, times, bond[:2])


def _fits(chain: Chain, name: ChainName, sure: bool) -> bool:
    found = {place: bond for place, bond in chain.bonds.items() if bond != "#"}
    if name.double is not None and len(found) != name.double:
        return False
    return all(_same(found.get(place, ""), said, sure) for place, said in name.bonds.items())


def _same(drawn: str, said: str, sure: bool) -> bool:
    if drawn == said or (drawn and not said):
        return True
    return drawn == "=" and not sure


def alkyl_chain(structure: Structure, stem: str) -> int:
    """A chain of the length between any two ends."""
    name = read_name(stem.lower(), "", "", "", "an")
    return int(name is None or name.carbons in lengths(structure)["any"])


def chain_sum(
    structure: Structure, kind: str, carbons: int | str, few: int | str, double: int | str
) -> int:
    """Chains with so many carbons and double bonds ("36:1"): all together, all but one, or one.

    ``kind``: O or P for ether lipids, whose first double bond may not be counted.
    """
    if 0 in structure.element_counts:
        return 1
    wanted = {(int(carbons or few), int(double))}
    if kind in ("O", "P"):
        wanted.add((int(carbons or few), int(double) + 1))
    parts = _parts(structure)
    whole = (sum(n for n, _ in parts), sum(m for _, m in parts))
    found = {whole, *parts, *((whole[0] - n, whole[1] - m) for n, m in parts)}
    return int(bool(wanted & found))


def chain_listed(structure: Structure, *said: str | int) -> int:
    """One chain of "(d18:1/24:0)": the base of a sphingolipid after d, t or m; 0:0 is none."""
    kind, carbons, double = said[:3] if said[1] != "" else said[3:]
    if 0 in structure.element_counts or not int(carbons):
        return 1
    wanted = (int(carbons), int(double))
    if kind in ("d", "t", "m"):
        bases = (c for c in chains(structure) if len(c.path) > 4 and "N" in c.bears[1])
        return sum((c.size, c.double) == wanted for c in bases)
    return _parts(structure).count(wanted)


def chain_bonds(structure: Structure, carbons: int, double: int, geometry: str) -> int:
    """Acyl chains given as "18:1(9Z)"."""
    name = ChainName(carbons, double, 0, bonds_of(geometry))
    return sum(c.head in ACYL and len(c.path) == carbons and _fits(c, name, False)
               for c in chains(structure))  # fmt: skip


def _parts(structure: Structure) -> list[tuple[int, int]]:
    """Carbons and double bonds of everything that may be called a fatty chain."""

    def find() -> list[tuple[int, int]]:
        by_part: dict[int, list[Chain]] = {}
        for chain in chains(structure):
            by_part.setdefault(chain.part, []).append(chain)
        heads = {part: {c.head for c in them} for part, them in by_part.items()}
        coa = any("thio" in h for h in heads.values())
        return [
            (them[0].size, them[0].double)
            for part, them in by_part.items()
            if (not coa and (heads[part] == {"ester"} or them[0].size > _LOOSE - 1))
            or "thio" in heads[part]
            or (len(by_part) == 1)
        ]

    return structure.keep("chain_parts", find)


def chain_trait(structure: Structure, trait: str, noun: str = "") -> int:
    """A fatty chain of the kind ``noun`` (acid, CoA, alcohol …) with the trait of the text."""
    if 0 in structure.element_counts:
        return 1  # the chain is left open
    test = _trait(" ".join(trait.lower().split()))
    return sum(test(chain) for chain in _fatty(structure, noun.lower()))


def fatty(structure: Structure, heads: str, low: int, high: int) -> int:
    """Chains with one of the heads and ``low`` to ``high`` carbons."""
    if 0 in structure.element_counts:
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
        return lambda c: any(span[0] <= n <= span[1] for n in (len(c.path), c.size, c.skeleton))
    if known := _SIMPLE.get(text):
        return known
    if match := _PLACED.match(text):
        return _placed(match)
    return _unsaturated(text) or _bearing(text)


def _bearing(text: str) -> Callable[[Chain], bool]:
    letters = set(_LETTERS.get(text, ""))
    return lambda c: not letters or bool((letters | {"R"}) & set("".join(_body(c))))


def _unsaturated(text: str) -> Callable[[Chain], bool] | None:
    """ "trienoic", "2,3-saturated", "omega-3", "trans-2": how many double bonds, or where."""
    if match := re.match(r"(di|tri|tetra|penta|hexa)enoic", text):
        times = _DOUBLE[match[1]]
        return lambda c: c.double == times
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
    letters, place = set(_LETTERS.get(match["what"], "")), match["place"]

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


def stereo_labels_any(structure: Structure, first: str, second: str) -> int:
    """`stereo_labels` of whichever of the two texts is there."""
    return stereo_labels(structure, first or second)


PREDICATES: dict[str, Callable[..., int]] = lipids.PREDICATES | {
    "alkyl_chain": alkyl_chain,
    "chain_bonds": chain_bonds,
    "chain_listed": chain_listed,
    "chain_sum": chain_sum,
    "chain_trait": chain_trait,
    "enoyl_place": enoyl_place,
    "fatty": fatty,
    "fatty_anion": fatty_anion,
    "named_chain": named_chain,
    "stereo_labels_any": stereo_labels_any,
    "surely_named_chain": surely_named_chain,
}
