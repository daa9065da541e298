"""How sure a figure is: Wilson bounds, and the bootstrap by whole days, because alerts come in clusters (detection.md 12.7)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from intelligence.evaluation.bars import Flags, Floats, Ints

DRAWS = 2_000
SEED = 12  # so that a report is the same every time
Z_ONE_SIDED = 1.645
LEAST_BLOCKS = 5  # with fewer whole days nobody knows how much days differ (ours)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else float("nan")

    @property
    def lower(self) -> float:
        """One-sided 95 % Wilson bound (detection.md 11): too high where alerts cluster."""
        if not self.of:
            return 0.0
        n, p, z = self.of, self.value, Z_ONE_SIDED
        return (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the middle 95 % of its bootstrap; `low` and `high` are nan with fewer than `LEAST_BLOCKS`."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        return self.low > value or self.high < value


def share_of(flags: Flags) -> Share:
    return Share(int(np.count_nonzero(flags)), len(flags))


def block_counts(blocks: Ints, draws: int = DRAWS, seed: int = SEED) -> Ints:
    """How often each of the rows is drawn, for each draw: all rows of a block together. Shape: draws x rows."""
    names, place = np.unique(blocks, return_inverse=True)
    picked = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return np.asarray(picked[:, place], dtype=np.int64)


def bootstrap_ratio(upper: Floats, lower: Floats, blocks: Ints, draws: int = DRAWS) -> Interval:
    """Sum of `upper` over sum of `lower`, rows drawn by whole blocks; a mean when `lower` is all ones."""
    total = float(lower.sum())
    value = float(upper.sum()) / total if total else float("nan")
    if len(np.unique(blocks)) < LEAST_BLOCKS:
        return Interval(value, float("nan"), float("nan"))
    names, place = np.unique(blocks, return_inverse=True)
    above = np.bincount(place, weights=upper, minlength=len(names))
    below = np.bincount(place, weights=lower, minlength=len(names))
    picked = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return interval_of(value, (picked @ above) / np.where(picked @ below == 0, np.nan, picked @ below))


def bootstrap_mean(values: Floats | Flags, blocks: Ints, draws: int = DRAWS) -> Interval:
    return bootstrap_ratio(np.asarray(values, dtype=np.float64), np.ones(len(values)), blocks, draws)


def bootstrap_difference(
    first: tuple[Floats | Flags, Ints], second: tuple[Floats | Flags, Ints], draws: int = DRAWS
) -> Interval:
    """Mean of the first less mean of the second, both drawn by the same days."""
    values = [np.asarray(one, dtype=np.float64) for one, _ in (first, second)]
    if not all(map(len, values)):
        return Interval(float("nan"), float("nan"), float("nan"))
    days = np.union1d(first[1], second[1])
    picked = np.random.default_rng(SEED).multinomial(len(days), np.full(len(days), 1 / len(days)), size=draws)
    means = []
    for one, (_, blocks) in zip(values, (first, second), strict=True):
        place = np.searchsorted(days, blocks)
        total = picked @ np.bincount(place, weights=one, minlength=len(days))
        count = picked @ np.bincount(place, minlength=len(days))
        means.append(total / np.where(count == 0, np.nan, count))
    value = float(values[0].mean() - values[1].mean())
    return (
        interval_of(value, means[0] - means[1])
        if len(days) >= LEAST_BLOCKS
        else Interval(value, float("nan"), float("nan"))
    )


def interval_of(value: float, drawn: Floats) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < DRAWS // 10:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value, float(low), float(high))


def bootstrap(statistic: Callable[[Floats], float], blocks: Ints, draws: int = DRAWS) -> Interval:
    """Of any statistic of row weights: 1 for each row, then how often each was drawn."""
    value = statistic(np.ones(len(blocks)))
    if len(np.unique(blocks)) < LEAST_BLOCKS:
        return Interval(value, float("nan"), float("nan"))
    counts = block_counts(blocks, draws)
    return interval_of(value, np.array([statistic(row.astype(np.float64)) for row in counts]))
