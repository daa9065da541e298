"""Whether probabilities are true: Brier score, skill against a baseline, and the CORP curve (detection.md 12.6)."""

from dataclasses import dataclass

import numpy as np

from intelligence.evaluation.bars import Flags, Floats, Ints
from intelligence.evaluation.intervals import Interval, bootstrap, bootstrap_mean


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """`skill`: 1 - Brier / Brier of the baseline, above 0 is better. `error`: mean distance of what was said from what
    came of it, by isotonic regression. `said`, `came`: the reliability curve.
    """

    count: int
    rate: float
    brier: Interval
    skill: Interval
    error: float
    said: Floats
    came: Floats


def brier(said: Floats, came: Flags, weights: Floats | None = None) -> float:
    return float(np.average((said - came) ** 2, weights=weights))


def calibration(said: Floats, baseline: Floats, came: Flags, blocks: Ints) -> Calibration | None:
    """None without any forecast."""
    if not len(said):
        return None
    own, others = (said - came) ** 2, (baseline - came) ** 2

    def skill(weights: Floats) -> float:
        below = float(weights @ others)
        return 1 - float(weights @ own) / below if below else float("nan")

    order = np.argsort(said, kind="stable")
    fitted = isotonic(came[order].astype(np.float64))
    return Calibration(
        count=len(said),
        rate=float(came.mean()),
        brier=bootstrap_mean(own, blocks),
        skill=bootstrap(skill, blocks),
        error=float(np.abs(fitted - said[order]).mean()),
        said=said[order],
        came=fitted,
    )


def isotonic(values: Floats) -> Floats:
    """The nearest sequence that never falls (pool adjacent violators)."""
    means: list[float] = []
    counts: list[int] = []
    for value in values:
        means.append(float(value))
        counts.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            count = counts[-2] + counts[-1]
            means[-2:] = [(means[-2] * counts[-2] + means[-1] * counts[-1]) / count]
            counts[-2:] = [count]
    return np.repeat(np.array(means), counts)
