"""Components of salts, solvates and hydrates, see `molcaption.claims.predicates`."""

from collections import Counter
from collections.abc import Callable

from molcaption.claims.queries import kept_query
from molcaption.claims.structure import Structure

# Beginnings of names of acids and their salts, and the heavy atoms of such a component.
_ACIDS = {
    "hydrochlor": "Cl",
    "hydrogen chlor": "Cl",
    "hydrobrom": "Br",
    "hydrogen brom": "Br",
    "hydroiod": "I",
    "hydrogen iod": "I",
    "methanesulfon": "CO3S",
    "mesyl": "CO3S",
    "benzenesulfon": "C6O3S",
    "besyl": "C6O3S",
    "p-toluenesulfon": "C7O3S",
    "tosyl": "C7O3S",
    "sulf": "O4S",
    "phosph": "O4P",
    "nitr": "NO3",
    "acet": "C2O2",
    "male": "C4O4",
    "fumar": "C4O4",
    "succin": "C4O4",
    "mali": "C4O5",
    "tartar": "C4O6",
    "tartr": "C4O6",
    "citr": "C6O7",
    "oxal": "C2O4",
    "lact": "C3O3",
    "chlor": "Cl",
    "brom": "Br",
    "iod": "I",
    "cyan": "CN",
    "perchlor": "ClO4",
}


def component(structure: Structure, elements: str, inside: str = "") -> int:
    """Components of these heavy atoms ("C4O6"; "" for any) that have the SMARTS ``inside``."""
    hits = 0
    matched: set[int] = set()
    if inside:
        for match in structure.mol.GetSubstructMatches(kept_query(inside)):
            matched.update(match)
    for fragment in structure.fragments:
        if (not elements or _heavy(structure, fragment) == elements) and (
            not inside or matched.intersection(fragment)
        ):
            hits += 1
    return hits


def _heavy(structure: Structure, fragment: tuple[int, ...]) -> str:
    symbols = Counter(structure.mol.GetAtomWithIdx(i).GetSymbol() for i in fragment)
    symbols.pop("H", None)
    return "".join(f"{s}{n if n > 1 else ''}" for s, n in sorted(symbols.items()))


def salt_with(structure: Structure, elements: str, inside: str = "") -> int:
    """Such a component beside another one."""
    if len(structure.fragments) < 2:
        return 0
    return component(structure, elements, inside)


def waters(structure: Structure, per: int, units: int = 1) -> int:
    """``per`` molecules of water to ``units`` of some other component."""
    kinds = Counter(_heavy(structure, fragment) for fragment in structure.fragments)
    n_water = kinds.pop("O", 0)
    if not n_water or not kinds:
        return 0
    return int(any(n_water * units == per * n for n in [*kinds.values(), 1]))


def counterion(structure: Structure, acid: str, times: int | str = 1) -> int:
    """At least ``times`` components of the acid that is named, or its anion."""
    lowered = acid.lower()
    least = times if isinstance(times, int) and times > 0 else 1
    for start, elements in _ACIDS.items():
        if lowered.startswith(start):
            return int(salt_with(structure, elements) >= least)
    return 1


PREDICATES: dict[str, Callable[..., int]] = {
    "component": component,
    "counterion": counterion,
    "salt_with": salt_with,
    "waters": waters,
}
