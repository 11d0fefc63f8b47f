"""What the edits of `caption_edits.py` are judged by: counts of RDKit alone, lenient on purpose.

Nothing here knows the engine's lexicon. Where a count can be read in two ways, all readings are
given, so that an edit kept is false on every one of them.
"""

from collections import Counter
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

LACTAM = "[#7;R][#6;R]=[OX1]"  # may be drawn as the hydroxy tautomer
CARBOXY = "[CX3](=[OX1])[OX2H1,OX1-]"
GROUPS = {
    "hydroxy|OH|hydroxyl|hydroxylated": f"[OX2H1,OX1-] {LACTAM}",
    "methoxy": "[CH3][#8]",
    "methyl": "[CH3]",
    "ethyl": "[CH3][CH2]",
    "propyl": "[CH3][CH2][CH2]",
    "isopropyl|propan-2-yl": "[CH3][CX4][CH3]",
    "prenyl|isoprenyl|isoprenoid": "[CH3]C(~C)~C",
    "acetyl|acetoxy|acetate": "[CH3]C(=O)[!#6]",
    "phenyl": "c1ccccc1",
    "chloro|chlorine|chlorinated|chloride": "[Cl]",
    "fluoro|fluorine|fluorinated|fluoride": "[F]",
    "bromo|bromine|brominated|bromide": "[Br]",
    "iodo|iodine|iodinated|iodide": "[I]",
    "nitro": "[#7](~[OX1])~[OX1]",
    "amino|amine|nitrogen": "[#7]",
    "carboxy|carboxylic acid|carboxylate": "[#6](=O)[#8]",
    "oxo|keto|ketone|carbonyl": "[#6]=[OX1]",
    "cyano|nitrile": "C#N",
    "phosphate|phosphono|phospho|phosphorus": "[#15]",
    "sulfate|sulfo|sulfooxy|sulfur|thiol|sulfanyl|sulfonate": "[#16]",
    "epoxy|epoxide": "[O;r3] [O;R]",
    "acyl|acylglycerol": "[#6]=[OX1]",
    "ester": "[#6,#15,#16](=O)[#8]",
    "vinyl": "[CH2]=C",
    "ol": "[OX2H1,OX1-]",
    "sodium": "[Na]",
    "potassium": "[K]",
}
ELEMENTS = dict(
    pair.split("=")
    for pair in "fluor=F chlor=Cl brom=Br iod=I sodium=Na potassium=K lithium=Li calcium=Ca "
    "magnesium=Mg barium=Ba strontium=Sr zinc=Zn iron=Fe copper=Cu cobalt=Co nickel=Ni "
    "manganese=Mn aluminium=Al silver=Ag mercury=Hg lead=Pb platinum=Pt palladium=Pd gold=Au "
    "sulfur=S phosphorus=P selenium=Se tellurium=Te silicon=Si arsenic=As boron=B "
    "fluorine=F chlorine=Cl bromine=Br iodine=I phosphate=P sulfate=S phosphonate=P "
    "sulfonate=S thiophosphate=P tin=Sn antimony=Sb nitrogen=N".split()
)

_STEMS = """hex hept oct non dec undec dodec tridec tetradec pentadec hexadec heptadec octadec
nonadec icos henicos docos tricos tetracos pentacos hexacos heptacos octacos nonacos"""
STEMS = {stem: length for length, stem in enumerate(_STEMS.split(), start=6)}
_DOUBLE = {Chem.BondStereo.STEREOE: "E", Chem.BondStereo.STEREOZ: "Z"}


@lru_cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


class Truth:
    """One molecule, asked."""

    def __init__(self, mol: Chem.Mol) -> None:
        self.mol = mol

    def count(self, smarts: str) -> int:
        """Matches of the patterns (blanks between them), added up."""
        return sum(
            len(self.mol.GetSubstructMatches(_pattern(one), maxMatches=10_000))
            for one in smarts.split()
        )

    @cached_property
    def symbols(self) -> set[str]:
        """Elements present."""
        return {atom.GetSymbol() for atom in self.mol.GetAtoms()}

    @cached_property
    def net(self) -> int:
        """Charge of the whole."""
        return int(Chem.GetFormalCharge(self.mol))

    @cached_property
    def charges(self) -> set[int]:
        """Charge of the whole and of each component."""
        parts = Chem.GetMolFrags(self.mol, asMols=True, sanitizeFrags=False)
        return {self.net, *(Chem.GetFormalCharge(part) for part in parts)}

    def ions(self, sign: int) -> int:
        """How many charges of one sign, atom by atom."""
        return sum(max(0, sign * atom.GetFormalCharge()) for atom in self.mol.GetAtoms())

    @cached_property
    def cip(self) -> dict[str, int]:
        """Most R, S, E and Z the molecule can be said to have, under RDKit's two CIP codes."""
        mol = Chem.Mol(self.mol)
        old = Counter(a.GetProp("_CIPCode") for a in mol.GetAtoms() if a.HasProp("_CIPCode"))
        old += Counter(_DOUBLE.get(bond.GetStereo(), "") for bond in mol.GetBonds())
        rdCIPLabeler.AssignCIPLabels(mol, maxRecursiveIterations=200_000)
        parts: list[Any] = [*mol.GetAtoms(), *mol.GetBonds()]
        new = Counter(
            part.GetProp("_CIPCode").upper() for part in parts if part.HasProp("_CIPCode")
        )
        free = self.unspecified
        return {letter: max(old[letter], new[letter]) + free[letter in "EZ"] for letter in ("RSEZ")}

    @cached_property
    def unspecified(self) -> tuple[int, int]:
        """Stereo centres and double bonds left open."""
        found = Chem.FindPotentialStereo(Chem.Mol(self.mol))
        open_ = [s for s in found if s.specified != Chem.StereoSpecified.Specified]
        bonds = sum(s.type == Chem.StereoType.Bond_Double for s in open_)
        return len(open_) - bonds, bonds

    @cached_property
    def carbinols(self) -> set[str]:
        """Degrees of the alcohols, enols and hemiacetals included."""
        found = set()
        for (index,) in self.mol.GetSubstructMatches(_pattern("[C;$(C[OX2H1,OX1-])]")):
            carbons = [
                n for n in self.mol.GetAtomWithIdx(index).GetNeighbors() if n.GetAtomicNum() == 6
            ]
            found.add(
                "primary" if len(carbons) < 2 else ("secondary", "tertiary")[len(carbons) > 2]
            )
        return found

    @cached_property
    def sugars(self) -> list[int]:
        """Anomeric atom of every ring that can be called a sugar (five or six atoms, one O)."""
        return [c for ring in self.mol.GetRingInfo().AtomRings() for c in self._sugar(set(ring))]

    def _sugar(self, ring: set[int]) -> list[int]:
        atoms = [self.mol.GetAtomWithIdx(i) for i in ring]
        oxygens = [a for a in atoms if a.GetAtomicNum() == 8]
        flat = any(a.GetIsAromatic() for a in atoms)
        if len(ring) not in (5, 6) or len(oxygens) != 1 or flat:
            return []
        hetero = [a for a in atoms if any(n.GetAtomicNum() in (7, 8, 16) and n.GetIdx() not in ring
                                          for n in a.GetNeighbors())]  # fmt: skip
        beside = {n.GetIdx() for n in oxygens[0].GetNeighbors()}
        anomeric = [a.GetIdx() for a in hetero if a.GetIdx() in beside]
        return anomeric[:1] if len(hetero) >= 2 else []

    @cached_property
    def saccharide(self) -> set[int]:
        """Numbers of sugar units: the rings, with or without one open chain."""
        chain = self.count("[CX4;!R]([OX2])[CX4;!R]([OX2])[CX4;!R]([OX2,#7])") > 0
        return {len(self.sugars), len(self.sugars) + chain}

    @property
    def one_anomer(self) -> bool:
        """One sugar ring, and its anomeric centre is drawn."""
        tags = [self.mol.GetAtomWithIdx(i).GetChiralTag() for i in self.sugars]
        return len(tags) == 1 and tags[0] != Chem.ChiralType.CHI_UNSPECIFIED

    @cached_property
    def cycles(self) -> set[int]:
        """Numbers of rings: of the whole, and of every system joined by bonds or by atoms."""
        info = self.mol.GetRingInfo()
        sizes = {info.NumRings()}
        for rings in (info.AtomRings(), info.BondRings()):
            systems: list[tuple[set[int], int]] = []
            for ring in map(set, rings):
                joined = [s for s in systems if s[0] & ring]
                systems = [s for s in systems if s not in joined]
                systems.append((ring.union(*(s[0] for s in joined)), 1 + sum(s[1] for s in joined)))
            sizes |= {size for _, size in systems}
        return sizes

    @cached_property
    def residues(self) -> set[int]:
        """Numbers of amino acid residues."""
        alpha = self.mol.GetSubstructMatches(_pattern("[C;$(C(=O)[O,N,S]);$(C[#6][#7])]"))
        amides = self.count("[CX3](=[OX1])[#7]")
        return {len(alpha), amides, amides + 1}

    @cached_property
    def chains(self) -> tuple[set[int], set[int]]:
        """Lengths between two ends of acyclic carbon chains; and sums of up to four chains."""
        carbons = {
            a.GetIdx() for a in self.mol.GetAtoms() if a.GetAtomicNum() == 6 and not a.IsInRing()
        }
        near = {i: [n.GetIdx() for n in self.mol.GetAtomWithIdx(i).GetNeighbors()] for i in carbons}
        inner = {i: [n for n in ns if n in carbons] for i, ns in near.items()}
        ends = {i for i in carbons if len(inner[i]) < 2 or len(inner[i]) < len(near[i])}
        reach = [_lengths(i, inner) for i in sorted(ends)]
        lengths = {far + 1 for one in reach for j, far in one.items() if j in ends}
        parts = {frozenset(one): len(one) for one in reach}
        sizes = [size for size in parts.values() if size > 1]
        sums = {sum(c) for k in range(1, 5) for c in combinations(sizes[:12], k)}
        return lengths, sums | lengths


def _lengths(start: int, near: dict[int, list[int]]) -> dict[int, int]:
    found, todo = {start: 0}, [start]
    for here in todo:
        for there in near[here]:
            if there not in found:
                found[there] = found[here] + 1
                todo.append(there)
    return found
