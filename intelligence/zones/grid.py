"""Prices on a fixed logarithmic grid, and densities on it that follow the price. Scaling all prices shifts every cell alike."""

from array import array
from collections.abc import Iterator
from functools import lru_cache
from math import exp, floor, log

CELL = 0.001  # width of a cell in ln(price): 0.1 % (ours; detection.md 10.3 asks for zones of 0.2 % and more)
CELLS = 1024  # of a density: from 40 % below the price to 67 % above, so that 3x is within
HALF = CELLS // 2
SLACK = CELLS // 16  # how far the price may be from the centre of a window
READABLE = HALF - SLACK - 2  # cells to both sides of the price that are always in the window
KERNEL_SIGMAS = 2.5
WIDEST = 60  # cells of one side of a kernel


def cell_of(price: float) -> int:
    return floor(log(price) / CELL)


def low_of(cell: int) -> float:
    """The lower end of a cell, USD a coin."""
    return exp(cell * CELL)


def middle_of(cell: int) -> float:
    return exp((cell + 0.5) * CELL)


@lru_cache(maxsize=256)
def kernel(tenths: int) -> tuple[float, ...]:
    """Weights of a normal distribution with a deviation of so many tenths of a cell, over an odd number of cells; sum 1."""
    reach = min(WIDEST, max(0, round(KERNEL_SIGMAS * tenths / 10)))
    if reach == 0:
        return (1.0,)
    weights = [exp(-0.5 * (10 * offset / tenths) ** 2) for offset in range(-reach, reach + 1)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


class Density:
    """Coins by cell, around a centre that moves: what leaves the window is forgotten. `scale` times what is stored counts,
    so that all of it fades in one step.
    """

    __slots__ = ("_cells", "_first", "scale")

    def __init__(self, centre: int = 0) -> None:
        self._cells = array("d", bytes(8 * CELLS))
        self._first = centre - HALF
        self.scale = 1.0

    @property
    def first(self) -> int:
        """The lowest cell of the window."""
        return self._first

    def move_to(self, centre: int) -> None:
        """Let the window be around `centre`."""
        first = centre - HALF
        step = first - self._first
        if abs(step) < SLACK:
            return
        kept = self._cells
        self._cells = array("d", bytes(8 * CELLS))
        if 0 < step < CELLS:
            self._cells[: CELLS - step] = kept[step:]
        elif -CELLS < step < 0:
            self._cells[-step:] = kept[: CELLS + step]
        self._first = first

    def add(self, cell: int, coins: float, weights: tuple[float, ...]) -> None:
        """Spread coins around a cell; what falls beside the window is lost."""
        cells, amount = self._cells, coins / self.scale
        start = cell - len(weights) // 2 - self._first
        if start >= 0 and start + len(weights) <= CELLS:
            for place, weight in enumerate(weights, start):
                cells[place] += amount * weight
            return
        for place, weight in enumerate(weights, start):
            if 0 <= place < CELLS:
                cells[place] += amount * weight

    def fade(self, factor: float) -> None:
        self.scale *= factor
        if self.scale < 1e-9:
            self._cells = array("d", [value * self.scale for value in self._cells])
            self.scale = 1.0

    def at(self, cell: int) -> float:
        place = cell - self._first
        return self.scale * self._cells[place] if 0 <= place < CELLS else 0.0

    def sweep(self, low: int, high: int) -> float:
        """Empty the cells from `low` to before `high`; returns the coins that were there."""
        begin, end = max(0, low - self._first), min(CELLS, high - self._first)
        if begin >= end:
            return 0.0
        gone = self.scale * sum(self._cells[begin:end])
        if gone:
            self._cells[begin:end] = array("d", bytes(8 * (end - begin)))
        return gone

    def between(self, low: int, high: int) -> Iterator[float]:
        """Stored coins of the cells from `low` to before `high`, to be multiplied by `scale`; both within the window."""
        return iter(self._cells[low - self._first : high - self._first])

    def kept(self) -> tuple[int, bytes]:
        """As bytes that another process can read: first cell, and single precision."""
        return self._first, array("f", [self.scale * value for value in self._cells]).tobytes()

    @classmethod
    def restored(cls, kept: tuple[int, bytes]) -> "Density":
        """Raises ValueError when it is not of this grid."""
        first, stored = kept
        values = array("f")
        values.frombytes(stored)
        if len(values) != CELLS:
            raise ValueError(f"{len(values)} cells, expected {CELLS}")
        density = cls(first + HALF)
        density._cells = array("d", values)
        return density
