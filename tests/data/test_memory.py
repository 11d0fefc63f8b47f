"""The memory: nearest first, itself at 1, its index kept and no cache ever fatal."""

from pathlib import Path

import numpy as np
import pytest

from molcaption.claims import load_lexicon
from molcaption.data import memory_file
from molcaption.data.features import Features, features_of
from molcaption.data.memory import Memory, VectorTable, vector
from molcaption.data.memory_file import load_memory
from molcaption.errors import BadDataError

LEXICON = load_lexicon()
SMILES = [
    "CCO",
    "CCCO",
    "CC(=O)O",
    "Oc1ccccc1",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "[Na+].[Cl-]",
]


def _features(smiles: str) -> Features:
    return features_of([smiles], LEXICON)[0]


@pytest.fixture(scope="module")
def memory() -> Memory:
    return Memory(VectorTable.of([vector(f) for f in features_of(SMILES, LEXICON)]), SMILES)


@pytest.mark.parametrize("smiles", SMILES)
def test_a_molecule_is_nearest_to_itself(memory: Memory, smiles: str) -> None:
    nearest = memory.neighbours(_features(smiles), 3)
    assert nearest[0].caption == smiles
    assert nearest[0].similarity == pytest.approx(1, abs=1e-6)
    similarities = [near.similarity for near in nearest]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[1] < 0.999


def test_similarity_is_the_product_of_the_vectors(memory: Memory) -> None:
    query = vector(_features("CCCCO"))
    for near in memory.neighbours(_features("CCCCO"), len(SMILES)):
        other = vector(_features(near.caption))
        expected = sum(value * other.get(name, 0.0) for name, value in query.items())
        assert near.similarity == pytest.approx(expected, abs=1e-6)


def test_a_series_shares_the_weight_of_one() -> None:
    known = ["OCC=C", "OCC=C", "OCC=C", "c1ccncc1"]
    memory = Memory(VectorTable.of([vector(f) for f in features_of(known, LEXICON)]), known)
    *series, other = [near.weight for near in memory.neighbours(_features("OCC=C"), 4)]
    assert series == pytest.approx([series[0]] * 3)
    assert 3 * series[0] == pytest.approx(3 / 3.1, abs=0.02)
    assert 0 <= other < 0.1 * series[0]


def test_of_the_same_molecule_the_noise_is_what_its_caption_lacks(memory: Memory) -> None:
    (nearest,) = memory.neighbours(_features("CCO"), 1)
    assert nearest.weight == pytest.approx(1 / 1.1, abs=1e-6)


@pytest.mark.parametrize("smiles", SMILES)
def test_vectors_have_unit_length(smiles: str) -> None:
    assert sum(v * v for v in vector(_features(smiles)).values()) == pytest.approx(1)


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "known.tsv"
    rows = [f"{i}\t{s}\tabout {s}\t{'a' if i < 4 else 'b'}" for i, s in enumerate(SMILES)]
    file.write_text("\n".join(["id\tsmiles\tdescription\tstyle", *rows]) + "\n", "utf-8")
    return file


def test_the_index_is_built_once(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_memory(known, LEXICON).neighbours(_features("CCCCO"), 3)
    monkeypatch.setattr(memory_file, "features_of", None)  # a second build would fail
    assert load_memory(known, LEXICON).neighbours(_features("CCCCO"), 3) == first
    known.write_text(known.read_text("utf-8").replace("about", "on"), "utf-8")
    other = load_memory(known, LEXICON).neighbours(_features("CCCCO"), 3)
    assert [near.caption for near in other] == [
        near.caption.replace("about", "on") for near in first
    ]


def test_a_damaged_cache_is_built_anew(known: Path) -> None:
    first = load_memory(known, LEXICON).neighbours(_features("CCO"), 3)
    (kept,) = (known.parent / "cache" / "molcaption").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert load_memory(known, LEXICON).neighbours(_features("CCO"), 3) == first


def test_no_place_for_a_cache_is_no_error(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(known))  # a file, not a folder
    assert len(load_memory(known, LEXICON).neighbours(_features("CCO"), 99)) == len(SMILES)


def test_only_rows_of_a_style(known: Path) -> None:
    near = load_memory(known, LEXICON, ["b"]).neighbours(_features("CCO"), 99)
    assert {one.caption for one in near} == {f"about {s}" for s in SMILES[4:]}
    with pytest.raises(BadDataError, match="no row of style c"):
        load_memory(known, LEXICON, ["c"])


def test_an_empty_query_is_like_nothing() -> None:
    table = VectorTable.of([{"a": 0.6, "b": 0.8}, {"b": 1.0}])
    assert table.products({}).tolist() == [0, 0]
    assert np.allclose(table.products({"b": 1.0, "unknown": 5.0}), [0.8, 1.0])
