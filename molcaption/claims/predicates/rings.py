"""Ring classes: how many rings, how large, how joined, and fusion nomenclature ("furopyran")."""

import re
from collections.abc import Callable
from functools import lru_cache, partial

from rdkit import Chem

from molcaption.claims.predicates import von_baeyer
from molcaption.claims.queries import skeleton_query
from molcaption.claims.structure import RingSystem, Structure

_MULTIPLIERS = {"di": 2, "tri": 3, "tetra": 4}
# Components of fusion names by stem; a skeleton, in any bond order. The longest stem wins.
_AZOLES = {
    "fur": "o1cccc1", "thien": "s1cccc1", "thiophen": "s1cccc1", "selenophen": "[se]1cccc1",
    "pyrrol": "n1cccc1", "pyrrolidin": "n1cccc1", "imidazol": "n1cncc1", "imidaz": "n1cncc1",
    "imidazolidin": "n1cncc1", "pyrazol": "n1nccc1", "pyrazolidin": "n1nccc1",
    "oxazol": "o1cncc1 o1nccc1", "isoxazol": "o1nccc1", "isooxazol": "o1nccc1",
    "thiazol": "s1cncc1 s1nccc1", "isothiazol": "s1nccc1", "thiazolidin": "s1cncc1",
    "oxazolidin": "o1cncc1", "selenazol": "[se]1cncc1 [se]1nccc1", "triazol": "n1nncc1 n1ncnc1",
    "tetrazol": "n1nnnc1", "oxadiazol": "o1ncnc1 o1cnnc1 o1nccn1 o1nncc1",
    "thiadiazol": "s1ncnc1 s1cnnc1 s1nccn1 s1nncc1", "dioxol": "o1cocc1 o1occc1",
    "dioxolan": "o1cocc1 o1occc1", "dithiol": "s1cscc1 s1sccc1", "oxathiol": "o1cscc1 o1sccc1",
    "furan": "o1cccc1",
}  # fmt: skip
_AZINES = {
    "pyrid": "n1ccccc1", "pyridin": "n1ccccc1", "piperidin": "n1ccccc1", "pyrimid": "n1cnccc1",
    "pyrimidin": "n1cnccc1", "pyrazin": "n1ccncc1", "piperazin": "n1ccncc1",
    "pyridazin": "n1ncccc1", "triazin": "n1cncnc1 n1ncncc1 n1nnccc1",
    "tetrazin": "n1nnncc1 n1nncnc1 n1ncnnc1", "oxazin": "o1ncccc1 o1cnccc1 o1ccncc1",
    "morpholin": "o1ccncc1", "thiazin": "s1ncccc1 s1cnccc1 s1ccncc1",
    "oxadiazin": "o1nnccc1 o1ncncc1 o1nccnc1 o1cnncc1 o1cncnc1",
    "thiadiazin": "s1nnccc1 s1ncncc1 s1nccnc1 s1cnncc1 s1cncnc1 s1ncccn1", "pyran": "o1ccccc1",
    "pyron": "o1ccccc1", "thiopyran": "s1ccccc1", "dioxin": "o1ccocc1 o1coccc1 o1occcc1",
    "dioxan": "o1ccocc1 o1coccc1", "dithiin": "s1ccscc1 s1scccc1",
    "oxathiin": "o1ccscc1 o1csccc1 o1scccc1",
}  # fmt: skip
_SIZED = {
    "azepin": "n1cccccc1", "azepan": "n1cccccc1", "oxepin": "o1cccccc1", "thiepin": "s1cccccc1",
    "diazepin": "n1ncccccc1 n1nccccc1 n1cncccc1 n1ccnccc1",
    "triazepin": "n1nncccc1 n1ncnccc1 n1nccncc1 n1cncncc1",
    "oxazepin": "o1nccccc1 o1cncccc1 o1ccnccc1", "thiazepin": "s1nccccc1 s1cncccc1 s1ccnccc1",
    "dioxepin": "o1occccc1 o1cocccc1 o1ccoccc1", "azocin": "n1ccccccc1",
    "diazocin": "n1ncccccc1 n1cnccccc1 n1ccncccc1 n1cccnccc1",
    "oxazocin": "o1ncccccc1 o1cnccccc1 o1ccncccc1 o1cccnccc1", "oxocin": "o1ccccccc1",
    "dioxocin": "o1occcccc1 o1coccccc1 o1ccocccc1 o1cccoccc1",
    "azet": "n1ccc1", "oxet": "o1ccc1", "azirin": "n1cc1", "aziridin": "n1cc1", "oxiren": "o1cc1",
    "cycloprop": "C1CC1", "cyclobut": "C1CCC1", "cyclopent": "C1CCCC1", "cyclohex": "C1CCCCC1",
    "cyclohept": "C1CCCCCC1", "cyclooct": "C1CCCCCCC1",
}  # fmt: skip
_FUSED = {
    "benz": "c1ccccc1", "naphth": "c1ccc2ccccc2c1", "naphthalen": "c1ccc2ccccc2c1",
    "inden": "c1ccc2CCCc2c1", "indol": "c1ccc2nccc2c1", "indolin": "c1ccc2nccc2c1",
    "isoindol": "c1ccc2cncc2c1", "indazol": "c1ccc2nncc2c1", "benzimidazol": "c1ccc2ncnc2c1",
    "benzofur": "c1ccc2occc2c1", "benzothien": "c1ccc2sccc2c1", "quin": "c1ccc2ncccc2c1",
    "quinol": "c1ccc2ncccc2c1", "quinolin": "c1ccc2ncccc2c1", "quinolon": "c1ccc2ncccc2c1",
    "isoquin": "c1ccc2cnccc2c1", "isoquinolin": "c1ccc2cnccc2c1", "isoquinol": "c1ccc2cnccc2c1",
    "quinazolin": "c1ccc2ncncc2c1", "quinoxalin": "c1ccc2nccnc2c1", "cinnolin": "c1ccc2nnccc2c1",
    "phthalazin": "c1ccc2cnncc2c1",
    "naphthyridin": "n1cccc2ncccc12 n1cccc2cnccc12 n1cccc2ccncc12 "
    "n1cccc2cccnc12 c1nccc2cnccc12 c1nccc2ccncc12",
    "chromen": "c1ccc2occcc2c1", "chroman": "c1ccc2occcc2c1", "chromon": "c1ccc2occcc2c1",
    "coumarin": "c1ccc2occcc2c1", "isochromen": "c1ccc2coccc2c1", "isocoumarin": "c1ccc2coccc2c1",
    "isochroman": "c1ccc2coccc2c1", "purin": "n1cncc2ncnc12", "pteridin": "n1cncc2nccnc12",
    "pterid": "n1cncc2nccnc12", "indolizin": "c1cccn2cccc12", "indolizidin": "c1cccn2cccc12",
    "pyrrolizin": "c1ccn2cccc12", "pyrrolizidin": "c1ccn2cccc12", "quinolizin": "c1cccn2ccccc12",
    "quinolizidin": "c1cccn2ccccc12", "azulen": "c1cccc2cccc2c1",
    "fluoren": "c1ccc2c3ccccc3Cc2c1", "anthr": "c1ccc2cc3ccccc3cc2c1",
    "anthracen": "c1ccc2cc3ccccc3cc2c1", "phenanthr": "c1ccc2c(c1)ccc1ccccc12",
    "phenanthren": "c1ccc2c(c1)ccc1ccccc12", "phenanthridin": "c1ccc2c(c1)cnc1ccccc12",
    "phenanthrolin": "n1cccc2c1c1ncccc1cc2 n1cccc2c1c1cccnc1cc2 c1ccnc2c1c1cccnc1cc2",
    "acridin": "c1ccc2nc3ccccc3cc2c1", "acrid": "c1ccc2nc3ccccc3cc2c1",
    "carbazol": "c1ccc2c(c1)nc1ccccc12", "carbolin": "c1ccc2c(c1)nc1cnccc12",
    "xanthen": "c1ccc2oc3ccccc3cc2c1", "xanthon": "c1ccc2oc3ccccc3cc2c1",
    "phenazin": "c1ccc2nc3ccccc3nc2c1", "phenothiazin": "c1ccc2sc3ccccc3nc2c1",
    "phenoxazin": "c1ccc2oc3ccccc3nc2c1", "pyren": "c1cc2ccc3cccc4ccc(c1)c2c34",
    "chrysen": "c1ccc2c(c1)ccc1c3ccccc3ccc12", "tetracen": "c1ccc2cc3cc4ccccc4cc3cc2c1",
    "perylen": "c1cc2cccc3c4cccc5cccc(c(c1)c23)c45", "acenaphthylen": "c1cc2cccc3CCc(c1)c23",
}  # fmt: skip
_COMPONENTS = _AZOLES | _AZINES | _SIZED | _FUSED
_BRACKETS = re.compile(r"\[[^\]]*\]|-(?:alpha|gamma|α|γ|\d(?:,\d)*)-|['’′]")
_STEMS = sorted(_COMPONENTS, key=len, reverse=True)
_MAX_MATCHES = 500
_LARGE = 8


def ring_class(structure: Structure, kind: str, number: int) -> int:
    """Ring systems of ``number`` rings, ``hetero`` (with a heteroatom), ``carbo`` or any kind."""
    kind, sizes = str(kind).lower(), structure.keep("ring_counts", lambda: _sizes(structure))
    hits = sum(n == number and kind in ("", k) for n, k in sizes)
    if hits or kind != "hetero":
        return hits
    # A steroid with a lactone ring is called heterotetracyclic.
    return int(any(k == "hetero" for _, k in sizes) and any(n == number for n, _ in sizes))


def ring_class_from(structure: Structure, kind: str, lowest: int) -> int:
    """Ring systems of at least ``lowest`` rings and of the kind."""
    sizes = structure.keep("ring_counts", lambda: _sizes(structure))
    return sum(n >= lowest and str(kind).lower() in ("", k) for n, k in sizes)


def _sizes(structure: Structure) -> list[tuple[int, str]]:
    """Rings (by the cyclomatic number) and kind of each fused system and spiro-joined system."""
    fused = [_size(structure.mol, system) for system in structure.ring_systems]
    if len(structure.spiro_systems) == len(fused):
        return fused
    return fused + [_size(structure.mol, s) for s in structure.spiro_systems if s.n_rings > 1]


def _size(mol: Chem.Mol, system: RingSystem) -> tuple[int, str]:
    bonds = sum(
        b.GetBeginAtomIdx() in system.atoms and b.GetEndAtomIdx() in system.atoms and b.IsInRing()
        for b in mol.GetBonds()
    )
    return bonds - len(system.atoms) + 1, "hetero" if system.hetero else "carbo"


def ring_size(structure: Structure, smallest: int) -> int:
    """Rings of at least ``smallest`` atoms, the way round a bridge included."""
    return sum(
        size >= smallest for size in structure.keep("ring_lengths", lambda: _lengths(structure))
    )


def _lengths(structure: Structure) -> list[int]:
    """Lengths of all rings, and of a large ring taken round the outside of one or two others."""
    rings = structure.rings
    found = [len(ring) for ring in rings]
    for large in rings:
        if len(large) < _LARGE:
            continue
        joined = [(ring, len(ring) - 2 * (len(ring & large) - 1)) for ring in rings
                  if ring is not large and len(ring & large) > 1]  # fmt: skip
        found += [len(large) + more for _, more in joined]
        found += [len(large) + a + b for i, (first, a) in enumerate(joined)
                  for second, b in joined[:i] if len(first & second) < 2]  # fmt: skip
    return found


def ring_with(structure: Structure, low: int, high: int, *symbols: str) -> int:
    """Rings of ``low`` to ``high`` atoms in which each element occurs (once more if repeated)."""
    table, found = Chem.GetPeriodicTable(), 0
    wanted = [table.GetAtomicNumber(symbol) for symbol in symbols]
    for ring in structure.rings:
        if low <= len(ring) <= high:
            inside = [structure.mol.GetAtomWithIdx(i).GetAtomicNum() for i in ring]
            found += all(inside.count(number) >= wanted.count(number) for number in wanted)
    return found


def ring_of(structure: Structure, size: int | str) -> int:
    """Rings of exactly ``size`` atoms."""
    number = _SPELT.get(str(size).lower(), size)
    lengths = structure.keep("ring_lengths", lambda: _lengths(structure))
    return lengths.count(int(number))


_SPELT = {
    word: n
    for n, word in enumerate("thirteen fourteen fifteen sixteen seventeen eighteen".split(), 13)
}


def spiro(structure: Structure) -> int:
    """Atoms that are all that two ring systems or rings share."""
    return len(structure.keep("spiro_atoms", lambda: _spiro_atoms(structure)))


def _spiro_atoms(structure: Structure) -> set[int]:
    rings = structure.rings
    return {
        next(iter(a & b)) for i, a in enumerate(rings) for b in rings[:i] if len(a & b) == 1
    }  # fmt: skip


def spiro_with(structure: Structure, symbol: str) -> int:
    """Spiro atoms one of whose rings has the element."""
    number = Chem.GetPeriodicTable().GetAtomicNumber(symbol)
    atoms = structure.keep("spiro_atoms", lambda: _spiro_atoms(structure))
    return sum(
        any(
            structure.mol.GetAtomWithIdx(i).GetAtomicNum() == number
            for ring in structure.rings
            if atom in ring
            for i in ring
        )
        for atom in atoms
    )


def bridged(structure: Structure) -> int:
    """Pairs of rings that share three or more atoms."""
    rings = structure.rings
    return sum(len(a & b) > 2 for i, a in enumerate(rings) for b in rings[:i])


def fused_name(structure: Structure, name: str) -> int:
    """The rings that a fusion name lists ("furo", "pyran") are there and fused to one system."""
    parts = fusion_parts(name)
    return int(bool(parts) and _fused(structure, parts, frozenset()))


@lru_cache(maxsize=2048)
def fusion_parts(name: str) -> tuple[str, ...]:
    """Stems of a fusion name, the base first; empty if it is none ("pyrimido[4,5-b]indol")."""
    parts = _split(_BRACKETS.sub("", name.lower()))
    return parts if len(parts) > 1 else ()


def _split(text: str) -> tuple[str, ...]:
    """The parts of ``text``, or none if it is not made of known stems."""
    for multiplier in ("", *_MULTIPLIERS):
        if not text.startswith(multiplier):
            continue
        times, rest = _MULTIPLIERS.get(multiplier, 1), text[len(multiplier) :]
        if rest in _COMPONENTS and (not rest.startswith("benz") or rest == "benz"):
            return (rest,) * times
        for stem in _STEMS:
            if not rest.startswith(stem):
                continue
            tail = rest[len(stem) :]
            for linker in ("o", "a", ""):
                if linker == "" and tail[:1] not in tuple("aio"):
                    continue
                if tail.startswith(linker) and (found := _split(tail[len(linker) :])):
                    return (*found, *(stem,) * times)
    return ()


@lru_cache(maxsize=512)
def _queries(stem: str) -> tuple[Chem.Mol, ...]:
    return tuple(skeleton_query(smiles) for smiles in _COMPONENTS[stem].split())


def _matches(structure: Structure, stem: str) -> list[frozenset[int]]:
    found = [
        frozenset(match)
        for query in _queries(stem)
        for match in structure.mol.GetSubstructMatches(query, maxMatches=_MAX_MATCHES)
    ]
    return list(dict.fromkeys(found))


def _fused(structure: Structure, parts: tuple[str, ...], before: frozenset[int]) -> bool:
    """Whether all parts fit, each sharing a bond with what is there and adding atoms to it."""
    if not parts:
        return True
    for stem in dict.fromkeys(parts):
        rest = list(parts)
        rest.remove(stem)
        hits = structure.keep(f"ring {stem}", partial(_matches, structure, stem))
        for atoms in hits:
            if before and (len(atoms & before) < 2 or atoms <= before):
                continue
            if _fused(structure, tuple(rest), before | atoms):
                return True
        if not before:
            return False  # the base is placed first
    return False


PREDICATES: dict[str, Callable[..., int]] = von_baeyer.PREDICATES | {
    "bridged": bridged,
    "fused_name": fused_name,
    "ring_class": ring_class,
    "ring_class_from": ring_class_from,
    "ring_of": ring_of,
    "ring_size": ring_size,
    "ring_with": ring_with,
    "spiro": spiro,
    "spiro_with": spiro_with,
}
