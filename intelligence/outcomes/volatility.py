"""How much the price moved in the hour before a moment."""

from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt

HOUR = 60  # minutes
PRESENT = 0.9  # share of a stretch's minutes that must be there (ours)
LEAST_SIGMA = 1e-5  # a minute: a market that stands still has a price step all the same (ours)


def trailing(closes: Sequence[float], count: int = HOUR) -> list[float | None]:
    """The root of the sum of squared returns of so many minutes, from the first on that has as many before it; the close of
    the first of them is the one that its return is counted from. 0.0 stands for a minute that is not there; None where more
    than a tenth is missing.
    """
    squares = [log(close / before) ** 2 if before and close else None for before, close in pairwise(closes)]
    found: list[float | None] = []
    total, there = 0.0, 0
    for place, square in enumerate(squares):
        if square is not None:
            total, there = total + square, there + 1
        gone = squares[place - count] if place >= count else None
        if gone is not None:
            total, there = total - gone, there - 1
        if place >= count - 1:
            found.append(sqrt(max(total, LEAST_SIGMA**2 * count)) if there >= PRESENT * count else None)
    return found
