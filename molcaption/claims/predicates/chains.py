"""Structural tests on chains by name and number, see `molcaption.claims.predicates`."""

from collections.abc import Callable

from molcaption.claims.predicates import acyls, chain_traits, lipids
from molcaption.claims.predicates.acyls import glycerol_acyls
from molcaption.claims.predicates.chain_names import (
    TIMES,
    TRIVIAL,
    ChainName,
    bonds_of,
    read_name,
)
from molcaption.claims.predicates.chain_traits import LETTERS
from molcaption.claims.predicates.chain_walk import ACYL, Chain, chains, lengths
from molcaption.claims.predicates.stereo import stereo_labels
from molcaption.claims.structure import Structure

_LOOSE = 6  # shorter chains may go on beyond what a name calls their end
_FATTY = 12


def named_chain(
    structure: Structure,
    geometry: str,
    stem: str,
    places: str = "",
    times: str | int = "",
    bond: str = "",
    end: str = "",
    prefix: str = "",
) -> int:
    """A chain from a carbonyl carbon of the length that the name says.

    ``end`` of the name: "yl" is an acyl group and "ate ester" an ester, bound to something and
    with the double bonds said; "whole" asks for those only; "parent" for a chain of any kind.
    A ``prefix`` before the stem may take hydrogen away ("tetradehydro-10-phenyldecanoyl").
    """
    name = _read(geometry, stem, places, times, bond)
    if name is None or structure.is_open:
        return 1
    if end == "parent":
        return int(_parental(structure, name.carbons))
    bound = end.endswith(("yl", "ester"))
    if name.carbons not in lengths(structure)["bound" if bound else "acyl"]:
        return int(name.carbons <= _LOOSE and _goes_on(structure, name.carbons))
    heads = ACYL - {"acid", "anion"} if bound else ACYL
    said = [c for c in chains(structure) if c.head in heads and len(c.path) == name.carbons]
    if end.endswith("ester"):
        return int(name.carbons <= _LOOSE or any(c.head in ("ester", "thio") for c in said))
    return int(not said or _unsaid(name, end, prefix) or any(_fits(c, name, False) for c in said))


def _unsaid(name: ChainName, end: str, prefix: str) -> bool:
    """Whether the name leaves the double bonds of the molecule open."""
    if prefix and name.double == 0:
        return True
    loose = end == "whole" and name.carbons < _FATTY  # its tautomers have names of their own
    return loose or not end.endswith(("yl", "whole"))


def named_chain_class(structure: Structure, *said: str) -> int:
    """`named_chain` for what the molecule itself is: an acid's double bonds are its own."""
    geometry, stem, places, times, bond, end = said
    whole = "whole" if end in ("ic", "ate") else end
    return named_chain(structure, geometry, stem, places, times, bond, whole)


def _parental(structure: Structure, carbons: int) -> bool:
    """A chain of the length, or one on which something was hung at that place."""
    ends = lengths(structure)
    if carbons in ends["any"] or carbons in ends["acyl"]:
        return True
    return any(
        carbons in (c.size, c.skeleton) or _parted(c, carbons) or carbons == c.skeleton - 1
        for c in chains(structure)
    )


def substituted_chain(
    structure: Structure, geometry: str, at: str | int, what: str, *name: str
) -> int:
    """An acyl chain named as in `named_chain` that bears ``what`` at the places ``at``."""
    said = _read(geometry, *name)
    if said is None or structure.is_open or said.carbons <= _LOOSE:
        return 1
    acyls = _acyls(structure, said)
    if not acyls and said.carbons in lengths(structure)["acyl"]:
        return 1
    return int(any(_borne(c, at, what) for c in acyls))


def surely_substituted_chain(
    structure: Structure, geometry: str, at: str | int, what: str, *name: str
) -> int:
    """As `substituted_chain`, with the double bonds that the name says."""
    said = _read(geometry, *name)
    if said is None:
        return 0
    return sum(_borne(c, at, what) and _fits(c, said, True) for c in _acyls(structure, said))


def _acyls(structure: Structure, name: ChainName) -> list[Chain]:
    heads = ACYL | {"ketone"}
    return [c for c in chains(structure) if c.head in heads and len(c.path) == name.carbons]


def _borne(chain: Chain, at: str | int, what: str) -> bool:
    letters = set(LETTERS[what])
    places = map(int, str(at).split(","))
    return all(n <= len(chain.bears) and letters & set(chain.bears[n - 1]) for n in places)


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
    if name is None or structure.is_open or name.carbons in lengths(structure)["any"]:
        return 1
    return int(any(_parted(chain, name.carbons) for chain in chains(structure)))


def _parted(chain: Chain, carbons: int) -> bool:
    """Whether something on the chain may be the end of so many carbons, from either side."""
    rest = len(chain.path) - carbons
    if rest <= 0:
        return chain.size == carbons  # "tetradecyl" may be branched
    borne = chain.bears[rest - 1 : rest + 1] + chain.bears[carbons - 1 : carbons + 1]
    return bool("".join(borne))


def chain_sum(
    structure: Structure, kind: str, carbons: int | str, few: int | str, double: int | str
) -> int:
    """Chains with so many carbons and double bonds ("36:1"): all together, all but one, or one.

    ``kind``: O or P for ether lipids, whose first double bond may not be counted.
    """
    if structure.is_open:
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
    if structure.is_open or not int(carbons):
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


def chain_carbons(structure: Structure, carbons: int) -> int:
    """Chains of so many carbons, branches and rings counted or not."""
    if structure.is_open:
        return 1
    return sum(carbons in (len(c.path), c.size, c.skeleton) for c in chains(structure))


def chain_triples(structure: Structure, low: int) -> int:
    """Chains with at least so many triple bonds."""
    return len({c.part for c in chains(structure) if c.triple >= low})


def trivial_glyceride(structure: Structure, times: str | int, stem: str) -> int:
    """Glycerol with so many of the acyl groups named ("tripalmitin") and no others."""
    name, number = TRIVIAL[stem], times if isinstance(times, int) else TIMES[times]
    found = [c for c in chains(structure) if c.head == "ester" and len(c.path) == name.carbons]
    return int(len(found) == number and glycerol_acyls(structure, number) > 0)


def stereo_labels_any(structure: Structure, first: str, second: str) -> int:
    """`stereo_labels` of whichever of the two texts is there."""
    return stereo_labels(structure, first or second)


PREDICATES: dict[str, Callable[..., int]] = (
    acyls.PREDICATES
    | chain_traits.PREDICATES
    | lipids.PREDICATES
    | {
        "alkyl_chain": alkyl_chain,
        "chain_bonds": chain_bonds,
        "chain_carbons": chain_carbons,
        "chain_listed": chain_listed,
        "chain_sum": chain_sum,
        "chain_triples": chain_triples,
        "named_chain": named_chain,
        "named_chain_class": named_chain_class,
        "substituted_chain": substituted_chain,
        "surely_substituted_chain": surely_substituted_chain,
        "stereo_labels_any": stereo_labels_any,
        "surely_named_chain": surely_named_chain,
        "trivial_glyceride": trivial_glyceride,
    }
)
