"""Structural tests on glycerol and sphingoid backbones.

See `molcaption.claims.predicates`.
"""

import re
from collections.abc import Callable

from molcaption.claims.predicates.chain_names import STEMS
from molcaption.claims.predicates.chain_walk import chains
from molcaption.claims.structure import Structure

_SINGLE = 1.0


def glycero(structure: Structure, code: str, times: int = 1) -> int:
    """Glycerol units whose three oxygens are as ``code`` says, read from either end.

    One letter or bracket each: H free, A acyl, R alkyl, E alkenyl, P phosphate, G glycosyl,
    S sulfate, ? anything else.
    """
    wanted = re.compile(code)
    found = sum(
        any(wanted.fullmatch(c) for c in (unit, unit[::-1])) for unit in glycerols(structure)
    )
    return found // times


def glycerols(structure: Structure) -> list[str]:
    """Code of each glycerol unit, kept for the molecule."""
    return structure.keep("glycerols", lambda: _glycerols(structure))


def _glycerols(structure: Structure) -> list[str]:
    if structure.element_counts.get(8, 0) < 3:
        return []
    numbers, near = structure.numbers, structure.near
    found = []
    for middle, number in enumerate(numbers):
        if number != 6:
            continue
        ends = [n for n in near[middle] if numbers[n] == 6]
        if len(ends) != 2 or any(sum(numbers[n] == 6 for n in near[end]) != 1 for end in ends):
            continue
        code = "".join(_substituent(structure, i) for i in (ends[0], middle, ends[1]))
        if len(code) == 3:
            found.append(code)
    return found


def _substituent(structure: Structure, carbon: int) -> str:
    """What the only oxygen of a carbon bears; nothing if the carbon has another make-up."""
    oxygens = [n for n in structure.near[carbon] if structure.numbers[n] != 6]
    if len(oxygens) != 1 or structure.numbers[oxygens[0]] != 8:
        return ""
    bond = structure.mol.GetBondBetweenAtoms(carbon, oxygens[0])
    return _beyond(structure, carbon, oxygens[0]) if bond.GetBondTypeAsDouble() == _SINGLE else ""


def _beyond(structure: Structure, carbon: int, oxygen: int) -> str:
    others = [n for n in structure.near[oxygen] if n != carbon and structure.numbers[n] != 1]
    if not others:
        return "H"
    number = structure.numbers[others[0]]
    if number == 6:
        return _carbon_kind(structure, others[0])
    return {15: "P", 16: "S", 0: "*"}.get(number, "?")


def _carbon_kind(structure: Structure, carbon: int) -> str:
    if carbon in structure.carbonyls:
        return "A"
    atom = structure.mol.GetAtomWithIdx(carbon)
    if atom.IsInRing():
        return "G" if sum(structure.numbers[n] == 8 for n in structure.near[carbon]) > 1 else "R"
    return "E" if any(b.GetBondTypeAsDouble() > _SINGLE for b in atom.GetBonds()) else "R"


def sphingo(structure: Structure, code: str, low: int = 0, high: int = 999) -> int:
    """Sphingoid bases of ``low`` to ``high`` carbons whose code is as said.

    Three letters: kind (s 4-ene, p 4-hydroxy, d saturated there, k 3-oxo), nitrogen (H free,
    A acyl, ? else) and what O-1 bears (as in `glycero`, - for none).
    """
    if structure.is_open:
        return 1  # the chains are left open
    wanted = re.compile(code)
    return sum(bool(wanted.fullmatch(unit)) and low <= n <= high
               for unit, n, _ in sphingoids(structure))  # fmt: skip


def sphingoids(structure: Structure) -> list[tuple[str, int, int]]:
    """Code, carbons of the chain and all carbons of each sphingoid base."""
    return structure.keep("sphingoids", lambda: _sphingoids(structure))


def _sphingoids(structure: Structure) -> list[tuple[str, int, int]]:
    if not structure.element_counts.get(7):
        return []
    found = []
    for chain in chains(structure):
        if len(chain.path) < 8 or "N" not in chain.bears[1]:
            continue
        if any(ring & set(chain.path[:4]) for ring in structure.rings):
            continue  # an amino sugar
        third = chain.bears[2]
        if not set(third) & set("OoK") or chain.head not in ("alcohol", "oxy", "alkyl"):
            continue
        fourth = chain.bears[3]
        kind = "k" if "K" in third else "p" if set(fourth) & set("Oo") else "d"
        if 4 in chain.bonds:
            kind = "s"
        found.append((kind + _nitrogen(structure, chain.path[1]) + _first(structure, chain.path[0]),
                      len(chain.path), chain.size))  # fmt: skip
    return found


def _nitrogen(structure: Structure, carbon: int) -> str:
    nitrogen = next(n for n in structure.near[carbon] if structure.numbers[n] == 7)
    others = [n for n in structure.near[nitrogen] if n != carbon]
    if not others:
        return "H"
    return "A" if any(n in structure.carbonyls for n in others) else "?"


def _first(structure: Structure, carbon: int) -> str:
    oxygens = [n for n in structure.near[carbon] if structure.numbers[n] == 8]
    return _beyond(structure, carbon, oxygens[0]) if oxygens else "-"


def sphingo_name(
    structure: Structure, hydroxy: str, methyl: str, stem: str, kind: str, phyto: str = ""
) -> int:
    """Sphingoid bases named "4-hydroxy-15-methylhexadecasphinganine", "sphingosine" …

    The stem is that of the chain (octadeca if there is none).
    """
    length = STEMS.get(stem.lower().removesuffix("a"), 18)
    wanted = "p" if hydroxy or phyto else "d" if kind == "inganine" else "s"
    return sum(
        unit[0] == wanted and n == length and bool(methyl) == (size > n)
        for unit, n, size in sphingoids(structure)
    )


def skeleton_size(structure: Structure, low: int, high: int) -> int:
    """Chains whose whole carbon skeleton, rings included, has ``low`` to ``high`` carbons."""
    if structure.is_open:
        return 1  # chains are left open
    return len({c.part for c in chains(structure) if low <= c.skeleton <= high})


_NESTED = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_PIECE = re.compile(r"-(?=[123](?:,[123])*-(?!oyl|yl|en))")
_RADYL = (
    (re.compile(r"(?:oyl|acyl|acetyl|butyryl|ionyl)$"), "A"),
    (re.compile(r"osyl$|uronyl$"), "G"),
    (re.compile(r"(?:alk)?-?1Z?-?\)?-enyl$|1Z-[a-z]+enyl$"), "[ER]"),
    (re.compile(r"yl$"), "[ER]"),
)


def glycero_name(structure: Structure, radyls: str, tail: str) -> int:
    """Glycerol units named "1-hexadecanoyl-2-acyl-sn-glycero-3-phospho": what is where.

    ``tail``: what follows "sn-glycero" ("-3-phospho", "l", "l 3-phosphate").
    """
    if not tail:
        return 1
    while _NESTED.search(radyls):
        radyls = _NESTED.sub(r"\1", radyls)
    places = dict.fromkeys("123", "H" if "phosph" in tail else "[HGP]")
    for piece in _PIECE.split(radyls):
        match = re.match(
            r"(?P<at>[123](?:,[123])*)-(?:di-?|tri-?|bis-)?\(?(?:O-)?(?P<what>.*)", piece
        )
        if match is None:
            return 1
        letter = next((c for ending, c in _RADYL if ending.search(match["what"])), ".")
        places.update(dict.fromkeys(match["at"].split(","), letter))
    if found := re.search(r"([123])-(?:di)?phosph", tail):
        places[found[1]] = "P"
    return glycero(structure, "".join(places.values()))


PREDICATES: dict[str, Callable[..., int]] = {
    "glycero": glycero,
    "glycero_name": glycero_name,
    "skeleton_size": skeleton_size,
    "sphingo": sphingo,
    "sphingo_name": sphingo_name,
}
