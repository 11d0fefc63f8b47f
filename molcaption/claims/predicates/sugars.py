"""Structural tests on sugars, see `molcaption.claims.predicates`.

What a drawing leaves open fits every kind, series and anomer, but proves none.
"""

from collections.abc import Callable

from rdkit import Chem

from molcaption.claims.predicates.sugar_units import HETERO, Sugar, sugars
from molcaption.claims.structure import Structure

_MIRROR = str.maketrans("RL", "LR")
# Side of the heteroatom at C2, C3 … of the D series (IUPAC 2-Carb-4), R right and L left.
_SIDES = {
    "glycer": "R", "erythr": "RR", "thre": "LR",
    "rib": "RRR", "arabin": "LRR", "xyl": "RLR", "lyx": "LLR",
    "all": "RRRR", "altr": "LRRR", "gluc": "RLRR", "mann": "LLRR",
    "gul": "RRLR", "id": "LRLR", "galact": "RLLR", "tal": "LLLR",
}  # fmt: skip
# Names of their own: sides, and what must be at the end of the chain (O, C methyl, A acid).
_TRIVIAL = {
    "rhamn": ("LLRR", "C"), "fuc": ("RLLR", "C"), "quinov": ("RLRR", "C"), "rutin": ("LLRR", "C"),
    "digitox": ("-RRR", "C"), "ascaryl": ("L-RR", "C"), "olivos": ("-LRR", "C"),
    "tyvel": ("L-RR", "C"), "abequ": ("R-LR", "C"), "parat": ("R-RR", "C"), "colit": ("R-LR", "C"),
    "fruct": ("LRR", "O"), "psic": ("RRR", "O"), "sorb": ("RLR", "O"), "tagat": ("LLR", "O"),
    "ribul": ("RR", "O"), "xylul": ("LR", "O"), "neuramin": ("-RLLR", ""),
    "glycero-d-mann": ("LLRR", ""),
}  # fmt: skip
_KETOSES = frozenset("fruct psic sorb tagat ribul xylul neuramin".split())
_SYMBOLS = {
    "glc": "gluc", "gal": "galact", "man": "mann", "xyl": "xyl", "ara": "arabin", "rib": "rib",
    "fuc": "fuc", "rha": "rhamn", "qui": "quinov", "all": "all", "tal": "tal", "ido": "id",
    "fru": "fruct", "neu": "neuramin", "psi": "psic", "lyx": "lyx", "gul": "gul",
}  # fmt: skip


def _spec(kind: str) -> tuple[str, str, bool]:
    """Sides of the D form, end of the chain, and whether it is a ketose."""
    kind = _SYMBOLS.get(kind, kind)
    if kind in _TRIVIAL:
        return *_TRIVIAL[kind], kind in _KETOSES
    sides = _SIDES.get(kind, "")
    return sides, "O" if len(sides) == 4 else "", False


def _same(drawn: str, wanted: str, sure: bool) -> bool:
    """Side by side; what is not drawn, or has no oxygen, fits unless it must be sure."""
    if len(drawn) < len(wanted):
        return False
    pairs = zip(drawn, wanted, strict=False)
    return all(d == w or (d in "?" and not sure) or (d in "-=" and not sure) for d, w in pairs)


def _is_kind(sugar: Sugar, kind: str, series: str, acid: bool, deoxy: bool, sure: bool) -> bool:
    sides, end, ketose = _spec(kind)
    if deoxy and not sugar.ring and not sure:
        return True  # the chain is cut at a carbon without oxygen
    if not sides or (sugar.at > 0) != ketose:
        return False
    end = "A" if acid else end
    if len(sides) < 4 and len(sugar.chain) != len(sides) + 2 + ketose:
        return False
    if end in ("C", "A") and sugar.end != end and not (end == "C" and sugar.end in "XS"):
        return False
    if end == "O" and (sugar.end == "A" or (sugar.end == "C" and not deoxy)):
        return False
    forms = [sides] if series in ("D", "") else []
    forms += [sides.translate(_MIRROR)] if series in ("L", "") else []
    return any(_same(sugar.sides, form, sure) for form in forms)


def _anomer(sugar: Sugar) -> str:
    """alpha, beta or ?: the glycosidic bond against the anomeric reference atom."""
    centres = [side for side in sugar.sides if side in "RL?"][:4]
    drawn = sugar.sides.rstrip("-")
    if not centres or centres[-1] == "?" or drawn.endswith("=") or sugar.anomer not in "RL":
        return "?"
    return "beta" if sugar.anomer == centres[-1] else "alpha"


def sugar_is(
    structure: Structure,
    kind: str,
    series: str = "",
    anomer: str = "",
    acid: str = "",
    ring: str = "",
    deoxy: str = "",
    sure: str = "",
) -> int:
    """Sugars of this kind, series, anomer and ring; what is not drawn fits, unless ``sure``."""
    return sum(
        _is_kind(s, kind.lower(), series.upper(), bool(acid), bool(deoxy), bool(sure))
        and (not anomer or _anomer(s) == anomer.lower() or (_anomer(s) == "?" and not sure))
        and (not ring or s.ring == ring[0].lower() or (not s.ring and not anomer and not sure))
        and (not anomer or bool(s.ring))
        for s in sugars(structure)
    )


def surely_sugar_is(structure: Structure, *said: str) -> int:
    """As `sugar_is`, with every centre drawn."""
    kind, series, anomer, acid, ring, deoxy = (*said, *[""] * (6 - len(said)))
    return sugar_is(structure, kind, series, anomer, acid, ring, deoxy, "sure")


def saccharide(structure: Structure, low: int, high: int) -> int:
    """``low`` to ``high`` sugar units in all, or in one part of sugars bonded to each other."""
    sizes = [len(part) for part in _parts(structure)]
    return int(low <= sum(sizes) <= high or any(low <= size <= high for size in sizes))


def saccharide_shape(structure: Structure, shape: str) -> int:
    """``branched``: a sugar has three sugar neighbours; ``linear``: none has."""
    most = max((len(near) for part in _parts(structure) for near in part), default=0)
    return int(most >= 3 if shape.lower() == "branched" else 0 < most <= 2)


def _parts(structure: Structure) -> list[list[set[int]]]:
    """Sugars joined through one atom: per part, the neighbours of each sugar."""
    units = [s for s in sugars(structure) if s.ring or len(s.chain) >= 4]
    owner = {atom: k for k, unit in enumerate(units) for atom in unit.chain}
    near: list[set[int]] = [set() for _ in units]
    for bridge, number in enumerate(structure.numbers):
        if number not in HETERO or bridge in owner:
            continue
        ends = {owner[n] for n in structure.near[bridge] if n in owner}
        if len(ends) == 2:
            first, second = ends
            near[first].add(second)
            near[second].add(first)
    parts: list[list[set[int]]] = []
    left = set(range(len(units)))
    while left:
        queue = [left.pop()]
        for unit in queue:
            queue += near[unit] & left
            left -= near[unit]
        parts.append([near[unit] for unit in queue])
    return parts


def linkage(structure: Structure, start: int | str, end: int | str) -> int:
    """Glycosidic bonds from anomeric carbon ``start`` of a sugar to carbon ``end`` of another."""
    return sum(_linked(structure, unit, start, end) for unit in sugars(structure))


def linked_sugar(
    structure: Structure,
    kind: str,
    series: str,
    anomer: str,
    acid: str,
    amine: str,
    start: int | str,
    end: int | str,
    sure: bool = True,
) -> int:
    """Sugars of this kind and anomer with such a bond ("beta-D-galactosyl-(1->4)")."""
    units = [
        unit
        for unit in sugars(structure)
        if _is_kind(unit, kind.lower(), series.upper(), bool(acid), True, False)
        and _anomer(unit) in (anomer.lower() or _anomer(unit), "?")
        and (not amine or unit.bears[:1] == "N")
    ]
    if not units and not sure:
        return 1  # that no such sugar is there is another claim
    return sum(_linked(structure, unit, start, end) for unit in units)


def _linked(structure: Structure, unit: Sugar, start: int | str, end: int | str) -> bool:
    if not unit.ring or unit.at + 1 != int(start):
        return False
    places = structure.keep("sugar_places", lambda: _places(structure))
    for outer in structure.mol.GetAtomWithIdx(unit.chain[unit.at]).GetNeighbors():
        if outer.GetAtomicNum() in HETERO and outer.GetIdx() != unit.oxygen:
            beyond = [n.GetIdx() for n in outer.GetNeighbors() if n.GetIdx() not in unit.chain]
            if any(int(end) in places.get(i, ()) for i in beyond):
                return True
    return False


def _places(structure: Structure) -> dict[int, set[int]]:
    """Numbers that an atom may have in its sugar; open chains may count from either end."""
    places: dict[int, set[int]] = {}
    for unit in sugars(structure):
        for number, atom in enumerate(unit.chain, 1):
            places.setdefault(atom, set()).add(number)
            if not unit.ring:
                places[atom].add(len(unit.chain) + 1 - number)
    return places


def sugar_size(structure: Structure, carbons: int, form: str = "any") -> int:
    """Sugars of so many carbons: ``any``, ``aldo``, ``keto`` (C2 is the anomeric or oxo one)."""
    at = {"aldo": 0, "keto": 1}.get(form)
    return sum(len(s.chain) == carbons and at in (None, s.at) for s in sugars(structure))


def sugar_bears(structure: Structure, letters: str) -> int:
    """Sugars a carbon of which bears one of the letters: N, S, A (acid), - (deoxy)."""
    return sum(bool(set(letters) & {*s.bears, s.end}) for s in sugars(structure))


def glycosyl(structure: Structure, *elements: int) -> int:
    """Sugar rings with one of the elements (atomic numbers) at C1 and something bonded to it."""
    return sum(s.link in elements and bool(s.ring) and _substituted(structure.mol, s)
               for s in sugars(structure))  # fmt: skip


def _substituted(mol: Chem.Mol, sugar: Sugar) -> bool:
    own = {*sugar.chain, sugar.oxygen}
    around = mol.GetAtomWithIdx(sugar.chain[sugar.at]).GetNeighbors()
    outer = [n for n in around if n.GetAtomicNum() == sugar.link and n.GetIdx() not in own]
    return any(n.GetDegree() > 1 for n in outer)


def amino_sugar_is(structure: Structure, kind: str, series: str = "", anomer: str = "") -> int:
    """Sugars of this kind (or any), series and anomer with nitrogen at C2."""
    return sum(
        s.bears[:1] == "N"
        and (not kind or _is_kind(s, kind.lower(), series.upper(), s.end == "A", True, False))
        and _anomer(s) in (anomer.lower() or _anomer(s), "?")
        for s in sugars(structure)
    )


def deoxy_sugar_is(structure: Structure, kind: str) -> int:
    """Sugars of this kind that lack an oxygen, or have nitrogen in its place."""
    return sum(
        bool({"-", "N", "C"} & {*s.bears, s.end}) and _is_kind(s, kind, "", False, True, False)
        for s in sugars(structure)
    )


def sialic(structure: Structure, *anomers: str) -> int:
    """Neuraminic acids, alpha or beta if an anomer is named."""
    anomer = "".join(anomers)
    return sugar_is(structure, "neuramin", "", anomer)


def sugar_form(structure: Structure, form: str) -> int:
    """Sugars that are ``aldo`` or ``keto``."""
    return sum(s.at == ("aldo", "keto").index(form) for s in sugars(structure))


PREDICATES: dict[str, Callable[..., int]] = {
    "amino_sugar_is": amino_sugar_is,
    "deoxy_sugar_is": deoxy_sugar_is,
    "glycosyl": glycosyl,
    "linkage": linkage,
    "linked_sugar": linked_sugar,
    "saccharide": saccharide,
    "saccharide_shape": saccharide_shape,
    "sialic": sialic,
    "sugar_bears": sugar_bears,
    "sugar_form": sugar_form,
    "sugar_is": sugar_is,
    "sugar_size": sugar_size,
    "surely_sugar_is": surely_sugar_is,
}
