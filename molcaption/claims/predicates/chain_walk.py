"""Carbon chains of a molecule, walked from a head on.

A chain is walked through carbon atoms; rings of carbon (but cyclopropanes) and aromatic rings end
it, rings closed by a heteroatom (epoxides, lactones) do not.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rdkit import Chem

from molcaption.claims.predicates.stereo import GEOMETRY
from molcaption.claims.structure import MAX_MATCHES, Structure

_MULTIPLE = Chem.MolFromSmarts("[#6]=,#[*]")
ACYL = frozenset("acid anion ester thio amide halide".split())


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain from its head (place 1) to the farthest carbon.

    ``part``: the first atom of all that hang together. ``head``: acid, anion, ester, thio, amide,
    halide, aldehyde, ketone, alcohol, oxy or alkyl. ``size``: carbons with their branches;
    ``skeleton``: with the rings they are bonded to. ``bonds``: place of the first atom to E, Z, =
    or #. ``bears``: for each place what it bears: O (hydroxy), o (ether or ester), K (oxo),
    P (peroxy), e (epoxy), N, n (nitro), S, X (halogen), M (methyl), B (branch), R (ring).
    """

    path: tuple[int, ...]
    part: int
    head: str
    size: int
    skeleton: int
    double: int
    triple: int
    bonds: dict[int, str]
    bears: tuple[str, ...]

    @property
    def straight(self) -> bool:
        """No branch of carbon and no ring."""
        return self.skeleton == len(self.path)


def chains(structure: Structure) -> list[Chain]:
    """Every chain of the molecule from every head, kept for the molecule."""
    return structure.keep("chains", lambda: _walk(structure).chains())


def lengths(structure: Structure) -> dict[str, frozenset[int]]:
    """Lengths from a carbonyl carbon on (``bound``: no acid's), and between ``any`` two ends."""
    return structure.keep("chain_lengths", lambda: _walk(structure).lengths())


def _walk(structure: Structure) -> "_Walk":
    return structure.keep("chain_walk", lambda: _Walk(structure))


class _Walk:
    """The carbon atoms of a molecule as a graph of its own."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.mol = structure.mol
        numbers, closed = structure.numbers, self._closed(structure)
        carbon = {i for i, n in enumerate(numbers) if n == 6}
        self.inner = carbon - closed
        self.links = {i: [n for n in structure.near[i] if n in self.inner] for i in self.inner}
        self.all_links = {i: [n for n in structure.near[i] if n in carbon] for i in carbon}
        self.orders: dict[tuple[int, int], str] = {}
        for i, j in self.mol.GetSubstructMatches(_MULTIPLE, maxMatches=MAX_MATCHES):
            bond = self.mol.GetBondBetweenAtoms(i, j)
            triple = bond.GetBondType() == Chem.BondType.TRIPLE
            kind = "#" if triple else GEOMETRY.get(bond.GetStereo(), "=")
            self.orders[i, j] = self.orders[j, i] = kind

    def _closed(self, structure: Structure) -> set[int]:
        """Atoms of rings that end a chain."""
        numbers, mol = structure.numbers, structure.mol
        found: set[int] = set()
        self.ringed: set[int] = set()
        for ring in structure.rings:
            if len(ring) > 3:
                self.ringed |= ring
            whole = all(numbers[i] == 6 for i in ring)
            if (whole and len(ring) > 3) or mol.GetAtomWithIdx(next(iter(ring))).GetIsAromatic():
                found |= ring
        return found

    def depths(self, start: int, links: dict[int, list[int]]) -> tuple[list[int], dict[int, int]]:
        """Atoms in the order of their distance, and the atom before each."""
        before = {start: -1}
        queue = [start]
        for atom in queue:
            for other in links[atom]:
                if other not in before:
                    before[other] = atom
                    queue.append(other)
        return queue, before

    def chains(self) -> list[Chain]:
        found: list[Chain] = []
        seen: set[int] = set()
        for atom in sorted(self.inner):
            if atom in seen:
                continue
            part, _ = self.depths(atom, self.links)
            seen.update(part)
            found += self._part(part)
        return found

    def _part(self, part: list[int]) -> list[Chain]:
        heads = {atom: head for atom in part if (head := self.heads[atom])}
        skeleton = len(self.depths(part[0], self.all_links)[0])
        pairs = [(i, j) for i in part for j in self.links[i] if i < j]
        triple = sum(self.orders.get(pair) == "#" for pair in pairs)
        double = sum(pair in self.orders for pair in pairs) - triple
        if not heads:
            far = self.depths(part[0], self.links)[0][-1]
            heads = {far: "alkyl"}
        whole = (len(part), skeleton, double, triple)
        return [self._chain(part[0], i, head, whole) for i, head in heads.items()]

    def _chain(self, part: int, start: int, head: str, whole: tuple[int, int, int, int]) -> Chain:
        order, before = self.depths(start, self.links)
        path = [order[-1]]
        while path[-1] != start:
            path.append(before[path[-1]])
        path.reverse()
        pairs = enumerate(pairwise(path), 1)
        bonds = {n: self.orders[pair] for n, pair in pairs if pair in self.orders}
        inside = set(path)
        bears = tuple(self.borne(atom, inside) for atom in path)
        return Chain(tuple(path), part, head, *whole, bonds, bears)

    @cached_property
    def heads(self) -> dict[int, str]:
        """What chain each carbon starts, "" if none."""
        return {atom: self._head(atom) for atom in self.inner}

    @cached_property
    def ends(self) -> frozenset[int]:
        """Carbons at which a chain may end."""
        return frozenset(atom for atom in self.inner if self._is_end(atom))

    def _head(self, atom: int) -> str:
        """What chain the carbon starts: by its oxygen and the other atom bonded to it."""
        numbers, near, links = self.structure.numbers, self.structure.near, self.links
        others = [n for n in near[atom] if n not in links[atom]]
        oxo = [n for n in others if numbers[n] == 8 and (atom, n) in self.orders]
        if oxo:
            return self._carbonyl_kind(atom, [n for n in others if n != oxo[0]])
        if len(links[atom]) > 1:
            return ""
        for n in others:
            if numbers[n] == 8:
                return "alcohol" if len(near[n]) == 1 else "oxy"
        return "alkyl" if any(numbers[n] != 6 for n in others) else ""

    def _carbonyl_kind(self, atom: int, rest: list[int]) -> str:
        """``rest``: what a carbonyl carbon is bonded to outside the chain."""
        if not rest:
            if len(self.links[atom]) == 1:
                return "aldehyde"
            beside = self.ringed & set(self.links[atom])
            return "ketone" if beside and atom not in self.ringed else ""
        hetero = [n for n in rest if self.structure.numbers[n] != 6]
        return "" if len(hetero) > 1 else self._carbonyl((hetero or rest)[0])

    def _carbonyl(self, other: int) -> str:
        number = self.structure.numbers[other]
        if number == 8:
            if len(self.structure.near[other]) > 1:
                return "ester"
            return "anion" if self.mol.GetAtomWithIdx(other).GetFormalCharge() < 0 else "acid"
        if number == 6:
            return "ketone"
        return {7: "amide", 16: "thio"}.get(number, "halide")

    def borne(self, atom: int, path: set[int]) -> str:
        """Letters of what a carbon bears outside its path, see :class:`Chain`."""
        return "".join(sorted(self._letter(atom, n) for n in self.structure.near[atom]
                              if n not in path))  # fmt: skip

    def _letter(self, atom: int, other: int) -> str:
        numbers, near = self.structure.numbers, self.structure.near
        number = numbers[other]
        if number == 6:
            if other not in self.inner:
                return "R"
            return "M" if len(near[other]) == 1 else "B"
        if number == 8:
            return self._oxygen(atom, other)
        if number == 7:
            return "n" if sum(numbers[n] == 8 for n in near[other]) == 2 else "N"
        return {16: "S", 9: "X", 17: "X", 35: "X", 53: "X"}.get(number, "?")

    def _oxygen(self, atom: int, oxygen: int) -> str:
        numbers, near = self.structure.numbers, self.structure.near
        if (atom, oxygen) in self.orders:
            return "K"
        if len(near[oxygen]) == 1:
            return "O"
        beyond = next(n for n in near[oxygen] if n != atom)
        if numbers[beyond] == 8:
            return "P"
        return "e" if atom in near[beyond] else "o"

    def lengths(self) -> dict[str, frozenset[int]]:
        found: dict[str, set[int]] = {"acyl": set(), "bound": set(), "any": set()}
        for start in self.inner:
            head = self.heads[start]
            if head in ACYL or head in ("ketone", "aldehyde"):
                reach = self._reach(start)
                found["acyl"] |= reach
                if head not in ("acid", "anion"):
                    found["bound"] |= reach
            end, branched = start in self.ends, len(self.links[start]) > 2
            if end or branched:
                reach = self._reach(start)
                found["any"] |= reach if end else set()
                found["any"] |= {n - 1 for n in reach} if branched else set()
        return {kind: frozenset(sizes) for kind, sizes in found.items()}

    def _is_end(self, atom: int) -> bool:
        """A last carbon, or one bonded to a ring that the chain does not enter."""
        if len(self.links[atom]) <= 1:
            return True
        if atom in self.ringed:
            return False
        if any(n in self.ringed for n in self.structure.near[atom]):
            return True
        return any(len(self.links[n]) == 1 and self.heads[n] in ("acid", "anion")
                   for n in self.links[atom])  # fmt: skip

    def _reach(self, start: int) -> set[int]:
        order, before = self.depths(start, self.links)
        depth = {start: 1}
        for atom in order[1:]:
            depth[atom] = depth[before[atom]] + 1
        return {depth[atom] for atom in order if atom in self.ends}
