"""Structural tests on ions, salts, elements and isotopes, see `molcaption.claims.predicates`."""

from collections.abc import Callable
from functools import lru_cache

from rdkit import Chem

from molcaption.claims.predicates import protons, salts
from molcaption.claims.queries import kept_query
from molcaption.claims.structure import Structure, is_metal

_TABLE = Chem.GetPeriodicTable()
_NAMES = """
hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium
aluminium silicon phosphorus sulfur chlorine argon potassium calcium scandium titanium vanadium
chromium manganese iron cobalt nickel copper zinc gallium germanium arsenic selenium bromine
krypton rubidium strontium yttrium zirconium niobium molybdenum technetium ruthenium rhodium
palladium silver cadmium indium tin antimony tellurium iodine xenon caesium barium lanthanum
cerium praseodymium neodymium promethium samarium europium gadolinium terbium dysprosium holmium
erbium thulium ytterbium lutetium hafnium tantalum tungsten rhenium osmium iridium platinum gold
mercury thallium lead bismuth polonium astatine radon francium radium actinium thorium
protactinium uranium neptunium plutonium americium curium
""".split()
_NUMBERS = {name: number for number, name in enumerate(_NAMES, 1)} | {
    "aluminum": 13,
    "sulphur": 16,
    "cesium": 55,
    "ferrous": 26,
    "ferric": 26,
    "cuprous": 29,
    "cupric": 29,
    "mercuric": 80,
    "stannous": 50,
    "fluor": 9,
    "chlor": 17,
    "brom": 35,
    "iod": 53,
    "phosph": 15,
    "deuterium": 1,
    "tritium": 1,
}
_HALOGENS = frozenset([9, 17, 35, 53])


@lru_cache(maxsize=256)
def atomic_number(element: str) -> int:
    """Of an element's name in any case and number ("chlorines") or its symbol; -1 if neither."""
    lowered = element.lower()
    number = _NUMBERS.get(lowered, _NUMBERS.get(lowered.removesuffix("s")))
    if number is None and element[:1].isupper() and len(element) <= 2:
        number = _TABLE.GetAtomicNumber(element)
    return -1 if number is None else int(number)


def has_element(structure: Structure, element: str, times: int | str = 1) -> int:
    """At least ``times`` atoms of the element; isotopes of hydrogen need not be told apart."""
    found = structure.element_counts.get(atomic_number(element), 0)
    return int(found >= (times if isinstance(times, int) and times > 0 else 1))


def replaced_by(structure: Structure, times: int | str, element: str) -> int:
    """``times`` atoms of the element, or two if its name is in the plural."""
    least = 2 if element.lower().endswith("nes") else 1
    return has_element(structure, element, max(least, times if isinstance(times, int) else 1))


def any_element(structure: Structure, *elements: str) -> int:
    """An atom of one of the elements."""
    return int(any(atomic_number(e) in structure.element_counts for e in elements))


def organo(structure: Structure, *elements: str) -> int:
    """Bonds between carbon and an atom of the elements."""
    wanted = {atomic_number(element) for element in elements}
    if not wanted & set(structure.element_counts):
        return 0
    pairs = ({b.GetBeginAtom().GetAtomicNum(), b.GetEndAtom().GetAtomicNum()}
             for b in structure.mol.GetBonds())  # fmt: skip
    return sum(6 in pair and bool(pair & wanted) for pair in pairs)


def absolute_charge(structure: Structure, charge: int) -> int:
    """The record's net charge is ``charge`` with either sign."""
    return int(abs(structure.charge) == charge)


def charge_written(structure: Structure, charge: int | str) -> int:
    """The record's net charge as text has it: "-1", "2-", or a number without a sign."""
    text = str(charge)
    if text.isdecimal():
        return absolute_charge(structure, int(text))
    value = int(text.strip("+-"))
    return int(structure.charge == (-value if "-" in text else value))


def charge_words(structure: Structure, times: str, sign: str) -> int:
    """A "single", "double" or "triple" charge, "positive" or "negative"."""
    value = {"single": 1, "double": 2, "triple": 3}[times.lower()]
    return int(structure.charge == (value if sign.lower() == "positive" else -value))


def ion(structure: Structure) -> int:
    """Some component is charged."""
    return int(any(structure.fragment_charges))


def ion_with(structure: Structure, sign: int, concept: str) -> int:
    """A component with a net charge of that sign, and the concept occurs."""
    charged = any(charge * sign > 0 for charge in structure.fragment_charges)
    return structure.count(concept) if charged else 0


def component_charge(structure: Structure, low: int, high: int) -> int:
    """A component's net charge, or the record's, is in the range."""
    charges = [*structure.fragment_charges, structure.charge]
    return int(any(low <= charge <= high for charge in charges))


def ion_degree(structure: Structure, degree: int | str, sign: str) -> int:
    """An "anion" or "cation" of that degree, by net charge or by its atoms' charges."""
    wanted = int(degree) * (1 if sign.lower() == "cation" else -1)
    charges = [
        structure.mol.GetAtomWithIdx(i).GetFormalCharge() for i in range(len(structure.numbers))
    ]
    alike = sum(charge for charge in charges if charge * wanted > 0)
    return int(abs(alike) >= abs(wanted) or component_charge(structure, wanted, wanted))


def contains_charge(structure: Structure, charge: str) -> int:
    """A component whose charge has the sign of "2+", or one that a drawn acid or metal gives it."""
    positive = charge.endswith("+")
    if any(found > 0 if positive else found < 0 for found in structure.fragment_charges):
        return 1
    if any(structure.fragment_charges):
        return 0
    acid = structure.has_metal or structure.mol.HasSubstructMatch(kept_query("[OX2H1][C,S,P]=O"))
    return int(positive or acid)  # salts are also drawn as neutral acid and base


def element_charge(structure: Structure, element: str, charge: str) -> int:
    """Atoms of the element whose charge does not speak against the sign of "2+"."""
    number, sign = atomic_number(element), 1 if charge.endswith("+") else -1
    atoms = (
        structure.mol.GetAtomWithIdx(i) for i, n in enumerate(structure.numbers) if n == number
    )
    return sum(
        a.GetFormalCharge() * sign > 0 or (sign > 0 and not a.GetFormalCharge()) for a in atoms
    )


def inorganic(structure: Structure) -> int:
    """No carbon that is bonded to carbon or hydrogen (carbonates and cyanides have none)."""
    for atom in structure.mol.GetAtoms():
        if atom.GetAtomicNum() != 6:
            continue
        near = {n.GetAtomicNum() for n in atom.GetNeighbors()}
        if atom.GetTotalNumHs() or near & {0, 1, 6}:
            return 0
    return int(structure.mol.GetNumAtoms() > 0)


def inorganic_ion(structure: Structure, low: int, high: int) -> int:
    """An inorganic component with a charge in the range."""
    return int(inorganic(structure) and component_charge(structure, low, high))


def monoatomic(structure: Structure, low: int, high: int) -> int:
    """The record is one atom with a charge in the range."""
    return int(structure.mol.GetNumAtoms() == 1 and low <= structure.charge <= high)


def homonuclear(structure: Structure, low: int, high: int) -> int:
    """The record is one element, in ``low`` to ``high`` atoms."""
    return int(len(structure.element_counts) == 1 and low <= structure.mol.GetNumAtoms() <= high)


def made_of(structure: Structure, *elements: str) -> int:
    """All of the elements and no others."""
    found = {number for number in structure.element_counts if number != 1}
    if any(a.GetTotalNumHs() or a.GetAtomicNum() == 1 for a in structure.mol.GetAtoms()):
        found.add(1)
    return int(found == {atomic_number(element) for element in elements})


def salt_of(structure: Structure, kind: str, *elements: str) -> int:
    """A cation of one of the elements (``organic``: beside carbon, ``inorganic``: with none)."""
    if not any_element(structure, *elements):
        return 0
    if kind == "organic":
        return int(6 in structure.element_counts)
    return int(kind != "inorganic" or bool(inorganic(structure)))


def isotope(structure: Structure, mass: int | str, element: str) -> int:
    """Atoms of the element labelled with the mass number."""
    number = atomic_number(element)
    if element == "D":
        number = 1
    atoms = structure.mol.GetAtoms()
    return sum(a.GetIsotope() == int(mass) and a.GetAtomicNum() == number for a in atoms)


def labelled(structure: Structure) -> int:
    """Atoms with a mass number."""
    return structure.once("labelled", lambda s: sum(a.GetIsotope() > 0 for a in s.mol.GetAtoms()))


def halogens_on(
    structure: Structure, element: str, ring: str, low: int, high: int, beside: str = ""
) -> int:
    """Matches of the ring system ``ring`` with ``low`` to ``high`` such halogen atoms on it.

    ``element`` may be "X" (any halogen); ``beside``: SMARTS of an atom that the ring must have.
    """
    kinds = _HALOGENS if element == "X" else frozenset([atomic_number(element)])
    if not kinds & set(structure.element_counts):
        return 0
    mol = structure.mol
    needed = {m[0] for m in mol.GetSubstructMatches(kept_query(beside))} if beside else set()
    hits = 0
    for match in mol.GetSubstructMatches(kept_query(ring)):
        if beside and not needed.intersection(match):
            continue
        near = (n for i in match for n in mol.GetAtomWithIdx(i).GetNeighbors())
        hits += low <= sum(n.GetAtomicNum() in kinds for n in near) <= high
    return hits


def perhalo(structure: Structure, element: str) -> int:
    """Two or more carbon atoms in a row that carry the halogen and no hydrogen."""
    number = atomic_number(element)
    if structure.element_counts.get(number, 0) < 3:
        return 0
    return sum(
        _perhalo_carbon(b.GetBeginAtom(), number) and _perhalo_carbon(b.GetEndAtom(), number)
        for b in structure.mol.GetBonds()
    )


def _perhalo_carbon(atom: Chem.Atom, number: int) -> bool:
    if atom.GetAtomicNum() != 6 or atom.GetTotalNumHs():
        return False
    return any(n.GetAtomicNum() == number for n in atom.GetNeighbors())


def ligands(structure: Structure, *elements: str) -> int:
    """Central atoms of the elements (any metal if none) with bonds, or beside another component."""
    wanted = {atomic_number(e) for e in elements}
    centres = [
        a
        for a in structure.mol.GetAtoms()
        if (a.GetAtomicNum() in wanted if wanted else is_metal(a))
    ]
    return sum(bool(a.GetDegree()) or len(structure.fragments) > 1 for a in centres)


def amphoteric(structure: Structure) -> int:
    """An acidic or anionic site and a basic or cationic one, as a zwitterion or its ions have."""
    acid = kept_query(
        "[$([-;!$(*~[+])]),$([OX2H1][#6]=O),$([OX2H1][P,S]=O),$([OX2H1]c),$([OX2H1]C=C)]"
    )
    base = kept_query("[$([+;!$(*~[-])]),$([#7X3;!$([#7+]);!$(N[#6,#16]=O)]),$([#7X2])]")
    return int(structure.mol.HasSubstructMatch(acid) and structure.mol.HasSubstructMatch(base))


PREDICATES: dict[str, Callable[..., int]] = (
    protons.PREDICATES
    | salts.PREDICATES
    | {
        "absolute_charge": absolute_charge,
        "amphoteric": amphoteric,
        "any_element": any_element,
        "charge_words": charge_words,
        "charge_written": charge_written,
        "contains_charge": contains_charge,
        "element_charge": element_charge,
        "component_charge": component_charge,
        "halogens_on": halogens_on,
        "has_element": has_element,
        "homonuclear": homonuclear,
        "inorganic": inorganic,
        "inorganic_ion": inorganic_ion,
        "ion": ion,
        "ion_degree": ion_degree,
        "ion_with": ion_with,
        "isotope": isotope,
        "labelled": labelled,
        "ligands": ligands,
        "made_of": made_of,
        "monoatomic": monoatomic,
        "organo": organo,
        "perhalo": perhalo,
        "replaced_by": replaced_by,
        "salt_of": salt_of,
    }
)
