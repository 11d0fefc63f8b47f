import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu

from molcaption.metrics.signatures import Corpus, measure_all, resamplable, signed
from molcaption.metrics.statistics import (
    PAIRED,
    Comparison,
    Resampling,
    RowSums,
    compare,
    intervals,
    mean_of,
    ratio_of,
)
from molcaption.metrics.tokenizers import TOKENIZERS, split_words
from molcaption.metrics.wordnet import NO_WORDNET

WORDS = "the molecule is an acid ester with two hydroxy groups at one ring and a chain".split()
N = 40


def resampling(n: int = 200, seed: int = 0, rows: int = N) -> Resampling:
    return Resampling(n, seed, [f"row{i}" for i in range(rows)])


def texts(seed: int, noise: float) -> tuple[list[str], list[str]]:
    """Captions and references that differ in about ``noise`` of their words."""
    drawn = random.Random(seed)
    references = [drawn.choices(WORDS, k=drawn.randint(4, 15)) for _ in range(N)]
    captions = [
        [drawn.choice(WORDS) if drawn.random() < noise else word for word in reference]
        for reference in references
    ]
    return [" ".join(c) for c in captions], [" ".join(r) for r in references]


def corpus(seed: int, noise: float) -> Corpus:
    return Corpus(*texts(seed, noise), TOKENIZERS["word"], NO_WORDNET)


def measured(seed: int, noise: float) -> dict[str, RowSums]:
    names = ["bleu2", "bleu4", "meteor", "rougeL", "exact", "length_ratio"]
    return resamplable(measure_all(names, corpus(seed, noise)))


def test_resampled_bleu_is_nltk_on_the_resampled_rows() -> None:
    captions, references = texts(1, 0.2)
    bleu4 = measured(1, 0.2)["bleu4"]
    drawn = resampling(5)
    scores = bleu4.combine(drawn.sums(bleu4.rows))
    for score, times in zip(scores, drawn.sums(np.eye(N)).astype(int), strict=True):
        assert times.sum() == N
        rows = np.repeat(np.arange(N), times)
        expected = corpus_bleu(
            [[reference] for reference in split_words([references[i] for i in rows])],
            split_words([captions[i] for i in rows]),
        )
        assert score == expected


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_contains_its_value(seed: int) -> None:
    metrics = measured(seed, 0.2)
    for name, (low, high) in intervals(metrics, resampling(seed=seed)).items():
        assert low <= metrics[name].value <= high, name


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    (low, high) = intervals({"x": mean_of(values)}, resampling(20, rows=len(values)))["x"]
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    n = 400
    values = np.random.default_rng(0).normal(0.5, 0.1, n)
    low, high = intervals({"x": mean_of(values)}, resampling(4000, rows=n))["x"]
    half = 1.96 * values.std() / np.sqrt(n)
    assert low == pytest.approx(values.mean() - half, abs=half / 10)
    assert high == pytest.approx(values.mean() + half, abs=half / 10)


def test_the_order_of_rows_changes_nothing() -> None:
    order = np.random.default_rng(3).permutation(N)
    plain, metrics = resampling(), measured(2, 0.3)
    moved = Resampling(plain.n, plain.seed, [plain.ids[i] for i in order])
    shuffled = {name: RowSums(m.rows[order], m.combine) for name, m in metrics.items()}
    for name, ends in intervals(metrics, plain).items():
        assert intervals(shuffled, moved)[name] == pytest.approx(ends, abs=1e-12)
        assert shuffled[name].value == pytest.approx(metrics[name].value, abs=1e-12)


def test_the_seed_and_nothing_else_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = measured(2, 0.3)
    first = intervals(metrics, resampling())
    assert intervals(metrics, resampling()) == first
    assert intervals(metrics, resampling(seed=1)) != first
    monkeypatch.setattr("molcaption.metrics.statistics._CHUNK", N)
    assert intervals(metrics, resampling())["exact"] == pytest.approx(first["exact"])


def test_sums_of_a_part() -> None:
    ratio = ratio_of([1, 2, 3], [2, 2, 0])
    assert ratio.value == 1.5
    assert ratio.of(np.array([True, False, False])) == 0.5
    assert ratio.of(np.array([False, False, True])) == 0.0


@pytest.fixture(params=list(PAIRED))
def compared(request: pytest.FixtureRequest) -> Callable[..., dict[str, Comparison]]:
    def run(*systems: dict[str, RowSums], n: int = 500) -> dict[str, Comparison]:
        return {found.name: found for found in compare(*systems, resampling(n), request.param)}

    return run


def test_identical_systems_do_not_differ(compared: Callable[..., dict[str, Comparison]]) -> None:
    system = measured(4, 0.3)
    for found in compared(system, system).values():
        assert (found.difference, found.p) == (0.0, 1.0)


def test_a_better_system_is_found(compared: Callable[..., dict[str, Comparison]]) -> None:
    good, bad = corpus(5, 0.05), corpus(5, 0.6)
    assert good.references == bad.references
    found = compared(*(resamplable(measure_all(["bleu4"], c)) for c in (good, bad)))["bleu4"]
    assert found.value > found.against
    assert found.difference == found.value - found.against
    assert found.p == pytest.approx(1 / 501)


def test_sides_change_signs_only(compared: Callable[..., dict[str, Comparison]]) -> None:
    one, other = measured(6, 0.2), measured(6, 0.25)
    for name, found in compared(one, other).items():
        back = compared(other, one)[name]
        assert back.difference == -found.difference
        assert back.p == pytest.approx(found.p, abs=0.05)
        assert found.low <= found.difference <= found.high
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_chance_alone_is_rarely_significant(compared: Callable[..., dict[str, Comparison]]) -> None:
    drawn = np.random.default_rng(0)
    pairs = (({"x": mean_of(drawn.random(N))}, {"x": mean_of(drawn.random(N))}) for _ in range(100))
    significant = sum(compared(*pair, n=200)["x"].p < 0.05 for pair in pairs)
    assert significant <= 12  # 5 are expected; 12 or more come once in 200 such tests


def test_every_swap_of_two_rows() -> None:
    """Four ways to swap two rows: differences 1, 0, 0 and -1, so p is a half."""
    ours, theirs = {"x": mean_of([1, 1])}, {"x": mean_of([0, 0])}
    (found,) = compare(ours, theirs, Resampling(4000, 0, ["a", "b"]), "randomisation")
    assert found.difference == 1.0
    assert found.p == pytest.approx(0.5, abs=0.03)
    assert (found.low, found.high) == (1.0, 1.0)


def test_scores_say_how_they_were_resampled() -> None:
    pairs = corpus(1, 0.2)
    bleu, distinct = signed(measure_all(["bleu4", "distinct1"], pairs), pairs, resampling())
    assert "|ci:95|bs:200|seed:0|" in bleu.signature
    assert bleu.low is not None
    assert bleu.high is not None
    assert (distinct.low, distinct.high) == (None, None)  # no sum over rows
    assert "bs:" not in distinct.signature
    assert signed(measure_all(["bleu4"], pairs), pairs)[0].low is None
