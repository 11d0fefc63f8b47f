"""How sure a score is, and whether two systems differ: resampling over rows.

A metric that is a function of sums over rows never has to look at a text again: the sums of a
resample are a product of matrices, and its score is exact, not estimated from scores of rows.
Intervals are percentiles of the bootstrap (Efron and Tibshirani 1993); two systems are compared on
the same rows by the paired bootstrap (Koehn 2004) or by approximate randomisation, which swaps
their captions at random (Riezler and Maxwell 2005, figures 1 and 2).

Dims: N rows, K sums of a metric, R resamples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Differences = dict[str, Floats]  # [R] of each metric

LEVEL = 95
"""Per cent of the resamples that lie within an interval."""
_ENDS = (50 - LEVEL / 2, 50 + LEVEL / 2)
_CHUNK = 2**20  # weights held at once: 8 MiB
_TIE = 1e-12  # differences closer than this differ by rounding only


@dataclass(frozen=True)
class RowSums:
    """A metric as sums over rows and a function of these sums.

    Attributes:
        rows: [N, K], what each row adds.
        combine: sums [R, K] to scores [R].
    """

    rows: Floats
    combine: Callable[[Floats], Floats]

    @property
    def value(self) -> float:
        """The score of all rows."""
        return self.of(slice(None))

    def of(self, chosen: slice | npt.NDArray[np.bool_]) -> float:
        """The score of the ``chosen`` rows, a slice or a mask [N]."""
        return float(self.combine(self.rows[chosen].sum(axis=0)[None])[0])


def ratio_of(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> RowSums:
    """Sum over sum, such as claims supported per claim checked; both are [N]."""
    columns = [np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)]
    return RowSums(np.stack(columns).T, ratio)


def mean_of(values: npt.ArrayLike) -> RowSums:
    """The mean of one value [N] per row."""
    return ratio_of(values, np.ones(len(np.asarray(values))))


def ratio(sums: Floats) -> Floats:
    """First sum over second, [R, 2] to [R]; 0 where there is nothing to divide by."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] != 0)


@dataclass(frozen=True)
class Resampling:
    """How rows are drawn.

    Attributes:
        n: resamples, R.
        seed: of the random numbers.
        ids: one per row. Rows are drawn by the order of their ids, so that the order of a file
            changes nothing.
    """

    n: int
    seed: int
    ids: Sequence[str]

    @property
    def settings(self) -> dict[str, str]:
        """What a signature says of it."""
        return {"ci": str(LEVEL), "bs": str(self.n), "seed": str(self.seed)}

    def sums(self, rows: Floats) -> Floats:
        """Sums of bootstrap resamples: rows [N, K] to [R, K]."""
        n_rows = len(rows)

        def draw(rng: np.random.Generator, size: int) -> Floats:
            drawn = rng.integers(n_rows, size=(size, n_rows))
            cells = drawn + n_rows * np.arange(size)[:, None]
            weights = np.bincount(cells.ravel(), minlength=size * n_rows)
            return weights.reshape(size, n_rows).astype(np.float64)

        return self._products(draw, rows)

    def swaps(self, differences: Floats) -> Floats:
        """Sums over random halves of the rows: differences [N, K] to [R, K]."""

        def draw(rng: np.random.Generator, size: int) -> Floats:
            return rng.integers(2, size=(size, len(differences))).astype(np.float64)

        return self._products(draw, differences)

    def _products(self, draw: Callable[[np.random.Generator, int], Floats], rows: Floats) -> Floats:
        """Random weights times rows, with no more than `_CHUNK` weights at a time."""
        rng = np.random.default_rng(self.seed)
        ordered = rows[sorted(range(len(self.ids)), key=self.ids.__getitem__)]
        step = max(1, _CHUNK // len(rows))
        sizes = [min(step, self.n - start) for start in range(0, self.n, step)]
        return np.concatenate([draw(rng, size) @ ordered for size in sizes])


def intervals(
    metrics: Mapping[str, RowSums], resampling: Resampling
) -> dict[str, tuple[float, float]]:
    """Lower and upper end of the 95 % percentile interval of each metric, on the same resamples."""
    resampled = _resampled(metrics, resampling.sums)
    return {name: _interval(scores) for name, scores in resampled.items()}


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same rows.

    Attributes:
        difference: of ``value`` and ``against``; ``low`` and ``high`` end its bootstrap interval.
        p: two-sided: how often chance alone makes a difference at least so large.
    """

    name: str
    value: float
    against: float
    difference: float
    low: float
    high: float
    p: float


def compare(
    ours: Mapping[str, RowSums], theirs: Mapping[str, RowSums], resampling: Resampling, test: str
) -> list[Comparison]:
    """Every metric of ``ours`` beside that of ``theirs``; p by ``test``, a name from `PAIRED`.

    ``theirs`` has the same metrics over the same rows.
    """
    drawn = _paired_differences(ours, theirs, resampling)
    chance = PAIRED[test](ours, theirs, resampling, drawn)
    found = []
    for name, metric in ours.items():
        value, against = metric.value, theirs[name].value
        p = _p_value(chance[name], value - against)
        ends = _interval(drawn[name])
        found.append(Comparison(name, value, against, value - against, *ends, p))
    return found


def centred_bootstrap(
    ours: Mapping[str, RowSums],
    theirs: Mapping[str, RowSums],
    resampling: Resampling,
    drawn: Differences,
) -> Differences:
    """The differences ``drawn`` on bootstrap resamples, moved to where their mean is 0."""
    return {name: differences - differences.mean() for name, differences in drawn.items()}


def random_swaps(
    ours: Mapping[str, RowSums],
    theirs: Mapping[str, RowSums],
    resampling: Resampling,
    drawn: Differences,
) -> Differences:
    """Differences [R] where each row's two captions change systems with probability 1/2."""
    gaps = {name: RowSums(theirs[name].rows - m.rows, m.combine) for name, m in ours.items()}
    swapped = {}
    for name, moved in _summed(gaps, resampling.swaps).items():
        one, other = ours[name], theirs[name]
        scores = one.combine(one.rows.sum(axis=0) + moved)
        swapped[name] = scores - other.combine(other.rows.sum(axis=0) - moved)
    return swapped


Chance = Callable[
    [Mapping[str, RowSums], Mapping[str, RowSums], Resampling, Differences], Differences
]
PAIRED: dict[str, Chance] = {"bootstrap": centred_bootstrap, "randomisation": random_swaps}
"""Paired tests by name: the differences [R] of each metric where chance alone makes them."""


def _p_value(chance: Floats, difference: float) -> float:
    """The observed difference counts as one of those that chance made, so that p is never 0."""
    extreme = int(np.sum(np.abs(chance) >= abs(difference) - _TIE))
    return (extreme + 1) / (len(chance) + 1)


def _paired_differences(
    ours: Mapping[str, RowSums], theirs: Mapping[str, RowSums], resampling: Resampling
) -> Differences:
    """Both systems on the same bootstrap resamples: differences [R] of each metric."""
    one, other = (_resampled(metrics, resampling.sums) for metrics in (ours, theirs))
    return {name: one[name] - other[name] for name in ours}


def _interval(scores: Floats) -> tuple[float, float]:
    low, high = np.percentile(scores, _ENDS)
    return float(low), float(high)


def _resampled(
    metrics: Mapping[str, RowSums], sum_rows: Callable[[Floats], Floats]
) -> dict[str, Floats]:
    """Scores [R] of each metric on the same resamples."""
    sums = _summed(metrics, sum_rows)
    return {name: metric.combine(sums[name]) for name, metric in metrics.items()}


def _summed(
    metrics: Mapping[str, RowSums], sum_rows: Callable[[Floats], Floats]
) -> dict[str, Floats]:
    """Sums [R, K] of each metric, all taken in one product."""
    if not metrics:
        return {}
    columns = np.concatenate([metric.rows for metric in metrics.values()], axis=1)
    ends = np.cumsum([metric.rows.shape[1] for metric in metrics.values()])
    parts = np.split(sum_rows(columns), ends[:-1], axis=1)
    return dict(zip(metrics, parts, strict=True))
