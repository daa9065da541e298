"""Quantiles of a stream in little memory: Dunning's t-digest (arXiv 1902.04023), a few hundred points for a million values.

It ranks and never bins, so that scaling every value by k scales every quantile by k, and it is finest at the tails,
where thresholds lie: there every value is a point of its own. Plain lists, so that a checkpoint needs no translation.
"""

from collections.abc import Iterable, Sequence

import msgspec

COMPRESSION = 50  # the middle holds about half as many points
BUFFER = 200  # values that wait to be merged together


class Digest(msgspec.Struct):
    """Points of (mean, weight), lightest value first, and values not merged yet."""

    means: list[float] = []
    weights: list[int] = []
    waiting: list[float] = []

    @property
    def count(self) -> int:
        return sum(self.weights) + len(self.waiting)

    def add(self, values: Iterable[float]) -> None:
        """Take values that belong together; their order does not matter."""
        self.waiting.extend(sorted(values))
        if len(self.waiting) >= BUFFER:
            self.compress()

    def compress(self) -> None:
        if self.waiting:
            points = [*zip(self.means, self.weights, strict=True), *((value, 1) for value in self.waiting)]
            self.means, self.weights = _merged(sorted(points))
            self.waiting = []


def quantiles(digests: Iterable[Digest], shares: Sequence[float]) -> list[float] | None:
    """The quantiles of everything that the digests hold together; None when that is nothing."""
    points: list[tuple[float, int]] = []
    for digest in digests:
        points += zip(digest.means, digest.weights, strict=True)
        points += ((value, 1) for value in digest.waiting)
    if not points:
        return None
    points.sort()
    return [_quantile(points, share) for share in shares]


def _quantile(points: Sequence[tuple[float, int]], share: float) -> float:
    """Between the middles of neighbouring points, linearly."""
    wanted = share * sum(weight for _, weight in points)
    before, earlier = 0.0, points[0]
    middle_before = 0.0
    for mean, weight in points:
        middle = before + weight / 2
        if middle >= wanted:
            if before == 0.0:
                return mean
            part = (wanted - middle_before) / (middle - middle_before)
            return earlier[0] + part * (mean - earlier[0])
        before, earlier, middle_before = before + weight, (mean, weight), middle
    return points[-1][0]


def _merged(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """Join neighbours for as long as a point stays within its size: 4 n q (1 - q) / COMPRESSION."""
    total = sum(weight for _, weight in points)
    means, weights = [points[0][0]], [points[0][1]]
    before = 0
    for mean, weight in points[1:]:
        joined = weights[-1] + weight
        share = (before + joined / 2) / total
        if joined <= 4 * total * share * (1 - share) / COMPRESSION:
            means[-1] += (mean - means[-1]) * weight / joined
            weights[-1] = joined
        else:
            before += weights[-1]
            means.append(mean)
            weights.append(weight)
    return means, weights
