"""Names of carbon chains: systematic stems (IUPAC 2013, P-14.2) and trivial fatty acids.

A name gives the number of carbons and of double bonds, and their places and geometry if it has
them. Trivial names follow IUPAC-IUB Lip-1, Appendix A.
"""

import re
from dataclasses import dataclass, field

_UNITS = {
    "": 0, "hen": 1, "un": 1, "do": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6, "hepta": 7,
    "octa": 8, "nona": 9,
}  # fmt: skip
_TENS = {
    "dec": 10, "cos": 20, "icos": 20, "eicos": 20, "triacont": 30, "tetracont": 40,
    "pentacont": 50, "hexacont": 60, "heptacont": 70, "octacont": 80, "nonacont": 90,
}  # fmt: skip
_SHORT = "meth eth prop but pent hex hept oct non"
STEMS = {stem: n for n, stem in enumerate(_SHORT.split(), 1)} | {
    unit + ten: n + m for ten, m in _TENS.items() for unit, n in _UNITS.items()
}
_TIMES = {"": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6, "hepta": 7, "octa": 8}
TIMES = _TIMES | {"mono": 1, "tetr": 4, "pent": 5, "hex": 6, "hept": 7, "oct": 8, "bis": 2,
                  "tris": 3}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainName:
    """Carbons, multiple bonds (None: not said), and the bonds said to be somewhere.

    ``bonds``: place of the first atom to "E", "Z" or "" (not said).
    """

    carbons: int
    double: int | None = None
    triple: int = 0
    bonds: dict[int, str] = field(default_factory=dict)


# Trivial stem to carbons and double bonds; places where only one isomer goes by the name.
_TRIVIAL = """
acet 2; propion 3; acryl 3 2E?; butyr 4; croton 4 2E; valer 5; capro 6; enanth 7; capryl 8;
pelargon 9; capr 10; caprin 10; undecyl 11; laur 12; myrist 14; myristole 14 9Z; palmit 16;
palmitole 16 9Z; palmitelaid 16 9E; sapien 16 6Z; margar 17; stear 18; ole 18 9Z; elaid 18 9E;
petroselin 18 6Z; petrosel 18 6Z; vaccen 18 11; cis-vaccen 18 11Z; trans-vaccen 18 11E;
linole 18 9Z,12Z; linol 18 9Z,12Z; linolelaid 18 9E,12E; alpha-linolen 18 9Z,12Z,15Z;
gamma-linolen 18 6Z,9Z,12Z; linolen 18 9,12,15; stearidon 18 6Z,9Z,12Z,15Z; ricinole 18 9Z;
eleostear 18 9,11,13; arachid 20; gondo 20 11Z; gadole 20 9Z; arachidon 20 5Z,8Z,11Z,14Z;
mead 20 5Z,8Z,11Z; timnodon 20 5Z,8Z,11Z,14Z,17Z; behen 22; eruc 22 13Z; cetole 22 11Z;
adren 22 7Z,10Z,13Z,16Z; cervon 22 4Z,7Z,10Z,13Z,16Z,19Z; lignocer 24; nervon 24 15Z; cerot 26;
ximen 26 17Z; montan 28; meliss 30; laccer 32; gedd 34;
gadelaid 20 9E; brassid 22 13E; paullin 20 13Z; petroselaid 18 6E;
myristelaid 14 9E; phytan 16; pristan 15; cet 16
"""


def _trivial() -> dict[str, ChainName]:
    found = {}
    for entry in _TRIVIAL.split(";"):
        stem, carbons, *places = entry.split()
        bonds = bonds_of("".join(places).rstrip("?"))
        if stem in ("linolen", "eleostear"):
            found[stem] = ChainName(int(carbons), len(bonds))
        else:
            found[stem] = ChainName(int(carbons), len(bonds), 0, bonds)
    return found


_PLACE = re.compile(r"(?<![\w'])(\d+)([EZ]?)(?![\w'(])")


def bonds_of(text: str) -> dict[int, str]:
    """Places of "9Z,12Z" or "5,8,11", with their letters."""
    return {int(place): letter for place, letter in _PLACE.findall(text)}


TRIVIAL = _trivial()


def read_name(
    stem: str, geometry: str, places: str | int, times: str | int, bond: str
) -> ChainName | None:
    """A name cut into its parts: ``icos``, ``5Z,8Z``, ``5,8``, ``di``, ``en``; None if no stem.

    ``geometry`` may be "all-cis". Letters of the places count before those in front.
    """
    known = TRIVIAL.get(stem)
    if known is not None:
        return known
    carbons = STEMS.get(stem)
    if carbons is None:
        return None
    number = times if isinstance(times, int) else TIMES.get(times, 1)
    places = str(places)
    bonds = bonds_of(geometry) | {k: v for k, v in bonds_of(places).items() if v}
    for place in bonds_of(places):
        bonds.setdefault(place, "Z" if geometry.startswith("all-cis") else "")
    if bond.endswith("yn"):
        return ChainName(carbons, None, number if bond == "yn" else 1)
    if bond == "an" or len(bonds) > number:
        bonds = {k: v for k, v in bonds.items() if v and bond != "an"}
    return ChainName(carbons, 0 if bond == "an" else number, 0, bonds)
