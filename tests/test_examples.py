"""The pairs of examples/ are those of the script beside them, and the claims engine agrees."""

import importlib.util
from pathlib import Path

from molcaption.chem.molecule import parse_smiles
from molcaption.claims import check_caption, load_lexicon
from molcaption.data.pairs import read_pairs

EXAMPLES = Path(__file__).parents[1] / "examples"
TRAIN, DEV = (read_pairs(EXAMPLES / name) for name in ("pairs_train.tsv", "pairs_dev.tsv"))


def test_pairs_follow_from_their_structures() -> None:
    spec = importlib.util.spec_from_file_location("make_pairs", EXAMPLES / "make_pairs.py")
    assert spec is not None and spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    known = maker.pairs()
    assert all(known[pair.smiles] == pair.description for pair in [*TRAIN, *DEV])
    assert (len(TRAIN), len(DEV)) == (maker.TRAIN, maker.DEV)
    assert {pair.smiles for pair in TRAIN}.isdisjoint(pair.smiles for pair in DEV)


def test_no_description_is_refuted() -> None:
    lexicon = load_lexicon()
    for pair in DEV:
        check = check_caption(parse_smiles(pair.smiles), pair.description, lexicon)
        assert check.groups_supported and not check.groups_contradicted, pair
