"""Grounded sentences: two to four true statements about a structure, in the diction of ChEBI.

A small language model has to learn chemical English before a few thousand captions can teach it
to describe. These texts are free and never wrong: every statement is a count, a lexicon concept
whose structural test is exact, or a figure of RDKit. Wording varies with ``rng`` only.
"""

import random
from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem import FindMolChiralCenters, rdMolDescriptors

from molcaption.claims.lexicon import load_lexicon
from molcaption.claims.predicates.core import count_sugar_rings, longest_carbon_chain
from molcaption.claims.structure import Structure
from molcaption.data.wording import a_or_an, count_noun, join, number

# Concepts too common to open a description with, and those that say too little as a class.
_WEAK = frozenset(
    [
        "alcohol",
        "ether",
        "carboxylic_acid",
        "benzenes",
        "olefin",
        "organosulfur",
        "organophosphorus",
        "salt",
        "ketone",
        "lactam",
        "cyclic_ether",
        "carboxamide",
        "toluene",
        "glycoside",
        "peptide",
        "dianion",
        "trianion",
    ]
)
_RING_WORDS = {1: "mono", 2: "bi", 3: "tri", 4: "tetra", 5: "penta", 6: "hexa"}
Say = Callable[[Structure, random.Random], str]


def describe(mol: Chem.Mol, rng: random.Random) -> str:
    """Two to four English sentences (25 to 60 words) about ``mol``, true by construction.

    Works on every molecule RDKit can hold: metals, dummies, single atoms and no atoms at all.
    """
    structure = Structure(mol, load_lexicon())
    classes = _classes(structure)
    rng.shuffle(classes)
    strong = [c for c in classes if c[0] not in _WEAK]
    opening, rest = _opening(structure, strong or classes, rng)
    sentences = [opening]
    extra = [c for c in classes if c[1] != rest]
    if extra and rng.random() < 0.85:
        said = [a_or_an(name) for _, name in extra[: rng.randint(1, 4)]]
        sentences.append(f"It is {join(said)}.")
    wanted = rng.choice((3, 3, 4))
    order = list(DETAILS)
    rng.shuffle(order)
    for detail in order:
        if len(sentences) >= max(wanted, 2):
            break
        if sentence := detail(structure, rng):
            sentences.append(sentence)
    return " ".join(sentences)


def _classes(structure: Structure) -> list[tuple[str, str]]:
    """Concept id and name of every class noun that the structure certainly belongs to."""
    out = []
    for concept in structure.lexicon.concepts.values():
        if concept.names and structure.supports(concept.id):
            out.append((concept.id, concept.say))
    return out


def _opening(
    structure: Structure, classes: list[tuple[str, str]], rng: random.Random
) -> tuple[str, str]:
    """First sentence and the class it used up."""
    if not classes:
        heavy = structure.mol.GetNumHeavyAtoms()
        if not structure.element_counts:
            return "The molecule is an empty structure without any atoms.", ""
        return f"The molecule is a chemical entity of {count_noun(heavy, 'heavy atom')}.", ""
    name = classes[0][1]
    clause = rng.choice((_bearing, _bearing, _sized, _nothing))(structure, rng)
    return f"The molecule is {a_or_an(name)}{clause}.", name


def _nothing(structure: Structure, rng: random.Random) -> str:
    return ""


def _sized(structure: Structure, rng: random.Random) -> str:
    heavy = structure.mol.GetNumHeavyAtoms()
    if rng.random() < 0.5 or heavy == 0:
        return f" with molecular formula {formula(structure)}"
    return rng.choice((" made of {}", " having {}", " containing {}")).format(
        count_noun(heavy, "heavy atom")
    )


def _bearing(structure: Structure, rng: random.Random) -> str:
    groups = _groups(structure, rng, rng.randint(1, 3))
    if not groups:
        return ""
    verb = rng.choice((" bearing", " carrying", " containing", " that contains", " which carries"))
    return f"{verb} {join(groups)}"


def _groups(structure: Structure, rng: random.Random, n: int) -> list[str]:
    """Up to ``n`` counted substituents: "two hydroxy groups"."""
    found = []
    for concept in structure.lexicon.concepts.values():
        if not concept.groups or not concept.countable or concept.strength != "exact":
            continue
        if count := structure.count(concept.id):
            name = rng.choice(concept.groups)
            noun = name if name.endswith((" ring", " bond")) else _group_noun(name, rng)
            found.append(count_noun(count, noun))
    rng.shuffle(found)
    return found[:n]


def _group_noun(name: str, rng: random.Random) -> str:
    return f"{name} {rng.choice(('group', 'group', 'group', 'substituent'))}"


def _detail_groups(structure: Structure, rng: random.Random) -> str:
    groups = _groups(structure, rng, rng.randint(2, 4))
    verb = rng.choice(("It contains", "It carries", "It has", "The structure contains"))
    return f"{verb} {join(groups)}." if groups else ""


def _detail_rings(structure: Structure, rng: random.Random) -> str:
    n_rings = len(structure.rings)
    if not n_rings:
        return rng.choice(("It is acyclic.", "It contains no rings.", "The structure is acyclic."))
    aromatic = int(rdMolDescriptors.CalcNumAromaticRings(structure.mol))
    if not aromatic:
        return f"It contains {count_noun(n_rings, 'ring')}, none of them aromatic."
    if aromatic == n_rings:
        return f"It contains {count_noun(n_rings, 'aromatic ring')}."
    verb = "is" if aromatic == 1 else "are"
    return (
        f"It contains {count_noun(n_rings, 'ring')}, {number(aromatic)} of which {verb} aromatic."
    )


def _detail_system(structure: Structure, rng: random.Random) -> str:
    sizes = sorted({(s.n_rings, s.hetero) for s in structure.ring_systems}, reverse=True)
    said = [
        f"{'hetero' if hetero else 'carbo'}{_RING_WORDS[n]}cyclic ring system"
        for n, hetero in sizes
        if n in _RING_WORDS
    ]
    return f"It is built on {join([a_or_an(s) for s in said[:2]])}." if said else ""


def _detail_charge(structure: Structure, rng: random.Random) -> str:
    charge = structure.charge
    if charge:
        return f"It {rng.choice(('carries', 'has'))} a net charge of {charge:+d}."
    if structure.count("zwitterion"):
        return "It is a zwitterion with no net charge."
    return rng.choice(("It is electrically neutral.", "")) if rng.random() < 0.3 else ""


def _detail_components(structure: Structure, rng: random.Random) -> str:
    n = len(structure.fragments)
    if n < 2:
        return ""
    metals = sorted({a.GetSymbol() for a in structure.mol.GetAtoms()} & set(_METAL_NAMES))
    if metals and rng.random() < 0.7:
        atoms = [a_or_an(f"{_METAL_NAMES[symbol]} atom") for symbol in metals]
        return f"It consists of {number(n)} components and contains {join(atoms)}."
    return f"It consists of {number(n)} components."


_METAL_NAMES = {
    "Li": "lithium", "Na": "sodium", "K": "potassium", "Mg": "magnesium", "Ca": "calcium",
    "Ba": "barium", "Zn": "zinc", "Fe": "iron", "Cu": "copper", "Co": "cobalt", "Ni": "nickel",
    "Mn": "manganese", "Hg": "mercury", "Pb": "lead", "Sn": "tin", "Al": "aluminium",
    "Pt": "platinum", "Pd": "palladium", "Ag": "silver", "Au": "gold", "Cr": "chromium",
    "Ti": "titanium",
}  # fmt: skip


def _detail_formula(structure: Structure, rng: random.Random) -> str:
    heavy = structure.mol.GetNumHeavyAtoms()
    if not heavy:
        return ""
    if rng.random() < 0.5:
        return f"It has molecular formula {formula(structure)}."
    return f"It contains {count_noun(heavy, 'heavy atom')}."


def _detail_elements(structure: Structure, rng: random.Random) -> str:
    names = {6: "carbon", 7: "nitrogen", 8: "oxygen", 16: "sulfur", 15: "phosphorus",
             9: "fluorine", 17: "chlorine", 35: "bromine", 53: "iodine"}  # fmt: skip
    counts = structure.element_counts
    said = [count_noun(counts[z], f"{name} atom") for z, name in names.items() if z in counts]
    return f"It contains {join(said[:4])}." if said else ""


def _detail_chain(structure: Structure, rng: random.Random) -> str:
    length = longest_carbon_chain(structure)
    if length < 4:
        return ""
    return rng.choice(
        (
            "Its longest carbon chain has {} atoms.",
            "The longest aliphatic chain is {} carbons long.",
        )
    ).format(number(length))


def _detail_stereo(structure: Structure, rng: random.Random) -> str:
    centres = FindMolChiralCenters(
        structure.mol, includeUnassigned=True, useLegacyImplementation=True
    )
    assigned = [label for _, label in centres if label in "RS"]
    bonds = [b.GetStereo() for b in structure.mol.GetBonds()]
    n_e = sum(b in (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS) for b in bonds)
    n_z = sum(b in (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS) for b in bonds)
    said = []
    if assigned:
        said.append(count_noun(len(assigned), "defined stereocentre"))
        if rng.random() < 0.4:
            n_r = assigned.count("R")
            said[-1] += f" ({n_r} R and {len(assigned) - n_r} S)"
    elif centres:
        said.append(count_noun(len(centres), "stereocentre") + " without assigned configuration")
    if n_e:
        said.append(count_noun(n_e, "double bond") + " of E configuration")
    if n_z:
        said.append(count_noun(n_z, "double bond") + " of Z configuration")
    return f"It has {join(said)}." if said else ""


def _detail_sugar(structure: Structure, rng: random.Random) -> str:
    n = count_sugar_rings(structure)
    return f"It contains {count_noun(n, 'sugar ring')}." if n else ""


def _detail_peptide(structure: Structure, rng: random.Random) -> str:
    n = structure.count("peptide_bond")
    return f"It contains {count_noun(n, 'peptide bond')}." if n else ""


def _detail_isotope(structure: Structure, rng: random.Random) -> str:
    n = sum(atom.GetIsotope() > 0 for atom in structure.mol.GetAtoms() if atom.GetAtomicNum())
    return f"It contains {count_noun(n, 'isotopically labelled atom')}." if n else ""


DETAILS: tuple[Say, ...] = (
    _detail_groups,
    _detail_groups,
    _detail_rings,
    _detail_system,
    _detail_charge,
    _detail_components,
    _detail_formula,
    _detail_elements,
    _detail_chain,
    _detail_stereo,
    _detail_sugar,
    _detail_peptide,
    _detail_isotope,
)


def formula(structure: Structure) -> str:
    """Hill formula with the charge, as RDKit writes it."""
    return str(rdMolDescriptors.CalcMolFormula(structure.mol))
