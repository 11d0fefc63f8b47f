"""Write pairs_train.tsv and pairs_dev.tsv beside this script: what recipes/tiny.yaml trains on.

python examples/make_pairs.py

Every molecule is one of a few skeletons with two substituents, and its description follows from
them, so it is true and a tiny captioner can learn it in a minute.
"""

import random
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path

from molcaption.chem.molecule import canonical_smiles, parse_smiles
from molcaption.data.wording import a_or_an, count_noun, join

SKELETONS = [
    ("member of benzenes", "c1({})ccc({})cc1"),
    ("member of benzenes", "c1({})cccc({})c1"),
    ("member of pyridines", "c1({})ccc({})nc1"),
    ("member of thiophenes", "c1({})sc({})cc1"),
    ("member of naphthalenes", "c1({})ccc2cc({})ccc2c1"),
    ("member of cyclohexanes", "C1({})CCC({})CC1"),
    ("acyclic compound", "C({})CC({})"),
    ("acyclic compound", "C({})CCCCC({})"),
]
SUBSTITUENTS = {
    "hydroxy group": ("O", "organic hydroxy compound"),
    "methoxy group": ("OC", "ether"),
    "amino group": ("N", "primary amino compound"),
    "carboxy group": ("C(=O)O", "carboxylic acid"),
    "methoxycarbonyl group": ("C(=O)OC", "methyl ester"),
    "carbamoyl group": ("C(N)=O", "primary carboxamide"),
    "acetamido group": ("NC(C)=O", "secondary carboxamide"),
    "acetyl group": ("C(C)=O", "methyl ketone"),
    "formyl group": ("C=O", "aldehyde"),
    "cyano group": ("C#N", "nitrile"),
    "nitro group": ("[N+](=O)[O-]", "C-nitro compound"),
    "methylsulfanyl group": ("SC", "methyl sulfide"),
    "trifluoromethyl group": ("C(F)(F)F", "organofluorine compound"),
    "fluoro group": ("F", "organofluorine compound"),
    "chloro group": ("Cl", "organochlorine compound"),
    "bromo group": ("Br", "organobromine compound"),
}
TRAIN, DEV = 480, 80
"""Molecules of each file; none is in both."""


def pairs() -> dict[str, str]:
    """Descriptions by canonical SMILES, all that there are."""
    return {
        canonical_smiles(parse_smiles(skeleton.format(*(SUBSTITUENTS[g][0] for g in groups)))): (
            description(kind, groups)
        )
        for kind, skeleton in SKELETONS
        for groups in combinations_with_replacement(SUBSTITUENTS, 2)
    }


def description(kind: str, groups: tuple[str, str]) -> str:
    """Two sentences in ChEBI's manner: the skeleton and what it carries, and its classes."""
    different = list(dict.fromkeys(groups))
    carried = join([count_noun(groups.count(group), group) for group in different])
    classes = dict.fromkeys(SUBSTITUENTS[group][1] for group in different)
    listed = join([a_or_an(name) for name in classes])
    return f"The molecule is {a_or_an(kind)} that carries {carried}. It is {listed}."


def table(rows: list[tuple[str, str]], first: int) -> Iterator[str]:
    """Lines of a TSV; ids count from ``first``."""
    yield "id\tsmiles\tdescription"
    for number, (smiles, text) in enumerate(rows, start=first):
        yield f"{number}\t{smiles}\t{text}"


def main() -> None:
    """Write both files."""
    rows = sorted(pairs().items())
    random.Random(0).shuffle(rows)
    parts = {
        "pairs_train.tsv": table(rows[:TRAIN], 1),
        "pairs_dev.tsv": table(rows[TRAIN : TRAIN + DEV], TRAIN + 1),
    }
    for name, lines in parts.items():
        Path(__file__).with_name(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
