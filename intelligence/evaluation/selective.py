"""Selective delivery: the calibrated probability that an alert is consequential decides push or digest (detection.md 11)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intelligence.evaluation.bars import Flags, Floats
from intelligence.evaluation.intervals import Share, share_of
from intelligence.evaluation.splits import GAP_DAYS, Lengths, held_out, walk_forward

GOAL = 0.85
LEAST_TO_FIT = 20
RIDGE = 1.0  # of standardised features: so much evidence a weight has to bring (ours)
STEPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An alert that may be pushed. `features` of its own moment; `strength`: `strength_of` the alert; `came`: whether it was
    consequential.
    """

    asset: str
    place: int
    at_ms: int
    day: int
    strength: float
    features: tuple[float, ...]
    came: bool
    strict: bool


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """ln(odds) = `weights` times features in deviations from their means, the first weight stands alone."""

    centre: Floats
    scale: Floats
    weights: Floats

    def probability(self, features: Floats) -> Floats:
        return np.asarray(_expit(_with_one((features - self.centre) / self.scale) @ self.weights), dtype=np.float64)


def fit_logistic(features: Floats, came: Flags) -> Logistic:
    """Newton's steps with a ridge on all but the constant."""
    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    rows = _with_one((features - centre) / scale)
    weights = np.zeros(rows.shape[1])
    penalty = RIDGE * np.eye(len(weights))
    penalty[0, 0] = 1e-3
    for _ in range(STEPS):
        said = _expit(rows @ weights)
        slope = rows.T @ (came - said) - penalty @ weights
        curve = (rows * (said * (1 - said))[:, None]).T @ rows + penalty
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return Logistic(centre, scale, weights)


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with what was said of it by a rule that had seen neither its asset nor its days.

    `limit`: from which probability on it would be pushed; None where no limit met the goal on the days to choose on.
    """

    candidate: Candidate
    said: float
    limit: float | None

    @property
    def is_pushed(self) -> bool:
        return self.limit is not None and self.said >= self.limit


def score_forward(candidates: Sequence[Candidate], first_day: int, after_day: int) -> tuple[Scored, ...]:
    """Every candidate of the days to score, by a rule fitted on other assets (its own past where there is but one)."""
    assets = sorted({one.asset for one in candidates})
    found: list[Scored] = []
    lengths = Lengths.for_days(after_day - first_day)
    for asset, others in held_out(assets):
        known = [one for one in candidates if one.asset in others]
        mine = [one for one in candidates if one.asset == asset]
        for part in walk_forward(first_day, after_day, lengths, GAP_DAYS):
            fit = _between(known, part.fit)
            scored = _between(mine, part.score)
            if len(fit) < LEAST_TO_FIT or len({one.came for one in fit}) < 2 or not scored:
                continue
            rule = fit_logistic(_features(fit), _came(fit))
            limit = _limit(rule, _between(known, part.choose))
            said = rule.probability(_features(scored))
            found += [Scored(one, float(chance), limit) for one, chance in zip(scored, said, strict=True)]
    return tuple(found)


def _limit(rule: Logistic, choose: Sequence[Candidate]) -> float | None:
    """The smallest probability from which on the lower bound of precision meets the goal."""
    if not choose:
        return None
    said, came = rule.probability(_features(choose)), _came(choose)
    limits = [limit for limit in np.unique(said) if share_of(came[said >= limit]).lower >= GOAL]
    return float(min(limits)) if limits else None


def most_likely(scored: Sequence[Scored], count: int) -> tuple[Scored, ...]:
    return tuple(sorted(scored, key=lambda one: -one.said)[:count])


def precision(scored: Sequence[Scored]) -> Share:
    return Share(sum(one.candidate.came for one in scored), len(scored))


def _between(candidates: Sequence[Candidate], days: tuple[int, int]) -> list[Candidate]:
    return [one for one in candidates if days[0] <= one.day < days[1]]


def _features(candidates: Sequence[Candidate]) -> Floats:
    return np.array([one.features for one in candidates], dtype=np.float64)


def _came(candidates: Sequence[Candidate]) -> Flags:
    return np.array([one.came for one in candidates], dtype=bool)


def _with_one(rows: Floats) -> Floats:
    return np.column_stack((np.ones(len(rows)), rows))


def _expit(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), dtype=np.float64)
