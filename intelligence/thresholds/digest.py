"""Quantiles of a stream in little memory: Dunning's t-digest (arXiv 1902.04023), some hundred points for a million values.

It ranks and never bins, so that scaling every value by k scales every quantile by k, and it is finest at the tails,
where thresholds lie: there every value is a point of its own. Plain lists, so that a checkpoint needs no translation.
"""

import heapq
from collections.abc import Iterable, Sequence

import msgspec

COMPRESSION = 20  # a point holds at most 4 n q (1 - q) / COMPRESSION of n values
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


def quantiles(digests: Sequence[Digest], shares: Sequence[float]) -> list[float] | None:
    """The quantiles of everything that the digests hold together; None when that is nothing.

    From the top down, so that high ones, which thresholds are, look at few points.
    """
    total = sum(digest.count for digest in digests)
    return [_from_top(digests, (1.0 - share) * total) for share in shares] if total else None


def _from_top(digests: Sequence[Digest], wanted: float) -> float:
    """The value that has that much weight above it: between the middles of neighbouring points, linearly."""
    above = middle_before = value_before = 0.0
    for value, weight in heapq.merge(*map(_descending, digests), reverse=True):
        middle = above + weight / 2
        if middle >= wanted:
            if above == 0.0:
                return value
            part = (wanted - middle_before) / (middle - middle_before)
            return (1.0 - part) * value_before + part * value  # exact at both, however far they lie apart
        above, middle_before, value_before = above + weight, middle, value
    return value_before


def _descending(digest: Digest) -> list[tuple[float, int]]:
    points = [*zip(digest.means, digest.weights, strict=True), *((value, 1) for value in digest.waiting)]
    points.sort(reverse=True)
    return points


def _merged(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """Join neighbours for as long as a point stays within its size."""
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
