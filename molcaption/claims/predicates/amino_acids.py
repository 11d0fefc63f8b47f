"""Amino acids: their names, their skeletons, and the configuration of the alpha carbon.

A name is read from its stem ("L-alanyl", "alaninate", "Ala"); skeletons are SMARTS with the
nitrogen first. ``intact`` units have every carbon of the residue unsubstituted (heteroatoms may be
acylated, alkylated or phosphorylated); ``kept`` ones have the skeleton in any bond order.
Sources: IUPAC-IUB nomenclature of amino acids and peptides (1983) for names, symbols and L/D.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem

from molcaption.claims.queries import strict_query
from molcaption.claims.structure import MAX_MATCHES, Structure

# Name, three-letter symbol, endings (i: -ine -yl -inate, c: -ic acid -yl -ate, or as written),
# and the skeleton. without "-" before it, a skeleton is R of NC(C=O)R.
_TABLE = """
glyc Gly i - NCC=O
alan Ala i [#6;$([CH3]),$([#6]=[#6,#8]),$([#6;!R][#6;R]),$([#6][#6]=,#[#6,#7,#8]),$([#6;!R][!#6])]
val Val i C(C)C
isoleuc Ile i C(C)CC
leuc Leu i CC(C)C
norleuc Nle i CCCC
norval Nva i CCC
tert-leuc Tle i C(C)(C)C
homoleuc - i CCC(C)C
homoser Hse i CCO
ser Ser i CO
threon Thr i C(C)O
selenocyste Sec i C[Se]
homocyste Hcy i CCS
cyste Cys i CS
homocyst - ine|inyl|inate CCSSCCC(N)C=O
cyst - ine CSSCC(N)C=O
lanthion - i CSCC(N)C=O
cystathion - i CSCCC(N)C=O
penicillam Pen i C(C)(C)S
selenomethion Mse i CC[Se]C
methion Met i CCSC
ethion - i CCSCC
homophenylalan Hph i CCc1ccccc1
phenylalan Phe i Cc1ccccc1
phenylglyc Phg i c1ccccc1
thyron - i Cc1ccc(Oc2ccc(O)cc2)cc1
thyrox - i Cc1cc(I)c(Oc2cc(I)c(O)c(I)c2)c(I)c1
meta-tyros - i Cc1cccc(O)c1
homotyros - i CCc1ccc(O)cc1
tyros Tyr i Cc1ccc(O)cc1
tryptoph Trp an|yl|anyl|anate|anamide|anol Cc1cnc2ccccc12
homohistid - i CCc1cncn1
histid His i Cc1cncn1
dop - a Cc1ccc(O)c(O)c1
kynuren - i CC(=O)c1ccccc1N
homolys - i CCCCCN
hydroxylys Hyl i CCC(O)CN
pyrrolys Pyl i CCCCNC(=O)C1C(C)CC=N1
lys Lys i CCCCN
ornith Orn i CCCN
diaminobutyr Dab c CCN
diaminopropion Dap c CN
diaminopropano - ic~acid|ate CN
homoargin Har i CCCCN~C(~N)~N
argin Arg i CCCN~C(~N)~[#7,#16]
homocitrull - i CCCCN~C(~O)~N
citrull Cit i CCCN~C(~O)~N
canavan - i CCON~C(~N)~N
asparag Asn ine|yl|inyl|inate|inamide CC(~O)~N
aspart Asp c CC(~O)~[#8,#7]
pyroglutam pGlu c - N1C(C=O)CCC1=O
homoglutam - ine|inyl CCCC(~O)~N
glutamin Gln e|yl|ate|amide|ium CCC(~O)~N
glutam Glu c CCC(~O)~[#8,#7]
aminoadip Aad c CCCC(~O)~[#8,#7]
diaminopimel - c CCCC(N)C(~O)~[#8,#7]
homoprol - i - N1C(C=O)CCCC1
oxoprol - i - N1C(C=O)CCC1=O
hydroxyprol Hyp i - N1C(C=O)CC(O)C1
prol Pro i - N1C(C=O)CCC1
pipecol Pip c - N1C(C=O)CCCC1
nipecot - c - N1CC(C=O)CCC1
isonipecot - c - N1CCC(C=O)CC1
sarcos Sar i - N(C)CC=O
beta-alan - i - NCCC=O
taur - i - NCCS(~O)~O
homotaur - i - NCCCS(~O)~O
hypotaur - i - NCCS~O
gamma-aminobutyr - c - NCCCC=O
beta-aminobutyr - c - NC(C)CC=O
beta-aminoisobutyr - c - NCC(C)C=O
3-aminoisobutyr - c - NCC(C)C=O
4-aminobutyr - c - NCCCC=O
3-aminobutyr - c - NC(C)CC=O
2-aminobutyr - c CC
2-aminoisobutyr - c - NC(C)(C)C=O
beta-leuc - i - NC(C(C)C)CC=O
beta-homoser - i - NC(CO)CC=O
beta-phenylalan - i - NC(c1ccccc1)CC=O
alpha-aminoisobutyr Aib c - NC(C)(C)C=O
alpha-aminobutyr Abu c CC
isoval Iva i - NC(C)(CC)C=O
aminolevulin - c - NCC(=O)CCC=O
creat - i - N(C)(CC=O)~C(~N)~N
carnit - i - N(C)(C)(C)CC(O)CC=O
dehydroalan Dha i - NC(=C)C=O
stat Sta ine - NC(CC(C)C)C(O)CC=O
cyste - ic~acid|ate CS(~O)(~O)~O
mimos - i Cn1ccc(=O)c(O)c1
"""
_ENDINGS = {
    "i": "ine|yl|inyl|inate|inamide|inium|inal|inol|ino",
    "c": "ic~acid|yl|ate|oyl|ylate",
}
# Acid carbons, also as imidic acids and in the thiazoles and oxazoles of cyclised peptides.
_ACYL = "$([#6]=[#8,#16]),$([#6]([OH])=[#7]),$([#6](=,:[#7])[#8,#16;R])"
_AMIDE_N = "$([#7;!D1])"


@dataclass(frozen=True, slots=True)
class Acid:
    """One amino acid: query of its skeleton, of the intact residue, and the places of N, CA, C, CB.

    ``places`` is None where nothing tells L from D.
    """

    kept: Chem.Mol
    intact: Chem.Mol
    places: tuple[int, int, int, int] | None


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Key, stem, three-letter symbol ("-" for none) and endings of every amino acid."""
    for line in _TABLE.strip().splitlines():
        stem, symbol, endings, *_ = line.split()
        endings = _ENDINGS.get(endings, endings).replace("~", " ")
        yield _key(stem, endings), stem, symbol, endings


def _key(stem: str, endings: str) -> str:
    return stem + endings.split("|", maxsplit=1)[0]


@lru_cache(maxsize=256)
def acid(key: str) -> Acid:
    """The amino acid of a key, compiled when it is first asked for."""
    skeleton = _skeletons()[key]
    plain = strict_query(skeleton)
    places = _places(plain)
    kept, intact = Chem.RWMol(plain), Chem.RWMol(plain)
    for atom in plain.GetAtoms():
        index, number = atom.GetIdx(), atom.GetAtomicNum()
        listed = atom.GetSmarts().strip("[]") if "," in atom.GetSmarts() else f"#{number}"
        open_end = number == 6 and atom.GetDegree() == 2 and _is_acyl(plain, index)
        end = f";{_ACYL}" if open_end else ""
        kept.ReplaceAtom(index, Chem.AtomFromSmarts(f"[{listed}{end}]"))
        element = {"#8,#7": f"#8,{_AMIDE_N}", "#7,#16": "#7"}.get(listed, listed)
        if number == 6 and not open_end:
            element += f";D{atom.GetDegree()}"
        intact.ReplaceAtom(index, Chem.AtomFromSmarts(f"[{element}]"))
    for bond in plain.GetBonds():
        kept.ReplaceBond(bond.GetIdx(), Chem.BondFromSmarts("~"))
    return Acid(kept.GetMol(), intact.GetMol(), places)


@lru_cache(maxsize=1)
def _skeletons() -> dict[str, str]:
    found = {}
    for line, row in zip(_TABLE.strip().splitlines(), rows(), strict=True):
        last = line.split()[-1]
        found[row[0]] = (
            last if line.split()[-2] == "-" and len(line.split()) == 5 else f"NC(C=O){last}"
        )
    return found


def _places(query: Chem.Mol) -> tuple[int, int, int, int] | None:
    """N, alpha carbon, acid carbon and first side-chain carbon of an alpha-amino acid."""
    for alpha in query.GetAtomWithIdx(0).GetNeighbors():
        near = [n.GetIdx() for n in alpha.GetNeighbors() if n.GetIdx() != 0]
        ends = [i for i in near if _is_acyl(query, i)]
        sides = [i for i in near if i not in ends]
        if ends and sides:
            return 0, alpha.GetIdx(), ends[0], sides[0]
    return None


def _is_acyl(query: Chem.Mol, index: int) -> bool:
    bonds = query.GetAtomWithIdx(index).GetBonds()
    return any(
        b.GetBondType() == Chem.BondType.DOUBLE and b.GetOtherAtomIdx(index) != 0
        and query.GetAtomWithIdx(b.GetOtherAtomIdx(index)).GetAtomicNum() == 8
        for b in bonds
    )  # fmt: skip


def units(structure: Structure, key: str, intact: bool) -> list[tuple[int, int, str]]:
    """Nitrogen, alpha carbon (or -1) and series (L, D, ? or none) of the amino acid's units."""

    def find() -> list[tuple[int, int, str]]:
        found = acid(key)
        query = found.intact if intact else found.kept
        hits: dict[tuple[int, int], tuple[int, int, str]] = {}
        for match in structure.mol.GetSubstructMatches(query, maxMatches=MAX_MATCHES):
            if found.places is None:
                hits.setdefault((match[0], -1), (match[0], -1, ""))
            else:
                n, ca, c, cb = (match[i] for i in found.places)
                hits.setdefault((n, ca), (n, ca, series_of(structure.mol, n, ca, c, cb)))
        return list(hits.values())

    return structure.keep(f"amino_acid {key} {intact}", find)


def series_of(mol: Chem.Mol, n: int, ca: int, c: int, cb: int) -> str:
    """L or D by the way N, acid, side chain and the rest stand around the alpha carbon."""
    centre = mol.GetAtomWithIdx(ca)
    tag = centre.GetChiralTag()
    if tag not in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
        return "?"
    around = [bond.GetOtherAtomIdx(ca) for bond in centre.GetBonds()]
    order = [n, c, cb, *(i for i in around if i not in (n, c, cb))]
    place = [order.index(i) for i in around]
    odd = sum(a > b for i, b in enumerate(place) for a in place[:i]) % 2 == 1
    return "L" if (tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW) == odd else "D"
