"""Zones that know nothing, as many and as wide as those of a model and on the same sides (detection.md 12.6)."""

import numpy as np

from intelligence.evaluation.bars import DAY_MIN, Floats, Ints
from intelligence.evaluation.zone_forecasts import CELL, CELLS, EPOCH_MIN, Levels, World

LEVERAGES = (125, 100, 75, 50, 25, 20, 15, 10, 5, 3, 2)
MAINTENANCE = 0.005
ROUND_PART = 0.005  # of the price: round numbers lie at least so far apart
NAMES = (
    "N1 random, same distances",
    "N2 round numbers",
    "N3 extremes and centre of yesterday",
    "N4 leverage offsets alone",
    "N5 zones of another day",
)
_LEVERAGED = (  # ln distances of liquidation prices from the entry: longs, shorts
    -np.log(np.array([(1 - 1 / one) / (1 - MAINTENANCE) for one in LEVERAGES])),
    np.log(np.array([(1 + 1 / one) / (1 + MAINTENANCE) for one in LEVERAGES])),
)
DENSITY_NAMES = (NAMES[0], NAMES[3], NAMES[4])


def density_nulls(density: Floats, world: World, seed: int) -> dict[str, Floats]:
    """As much expected as by the model, elsewhere: by epoch, side and cell. At the same distances in deviations at a random other
    time, or at that of a day later or earlier; and all of it at the leverage offsets of the last price.
    """
    epochs = np.arange(len(density))
    shift = DAY_MIN // EPOCH_MIN
    other = np.where(epochs + shift < len(density), epochs + shift, np.maximum(epochs - shift, 0))
    random = np.random.default_rng(seed).permutation(epochs)
    offsets = np.zeros_like(density)
    for row, places in enumerate(_offset_cells()):
        offsets[:, row, places] = 1.0
    offsets *= density.sum(axis=2, keepdims=True) / np.maximum(offsets.sum(axis=2, keepdims=True), 1.0)
    found = (_moved(density, world, random), offsets, _moved(density, world, other))
    return dict(zip(DENSITY_NAMES, found, strict=True))


def _offset_cells() -> tuple[Ints, Ints]:
    """Cells within the width of a level around each offset, below and above the price."""
    reach = np.arange(CELLS)
    found = [
        np.unique(np.concatenate([reach[np.abs((reach + 0.5) * CELL - one) <= CELL] for one in side]))
        for side in _LEVERAGED
    ]
    return found[0], found[1]


def _moved(density: Floats, world: World, to: Ints) -> Floats:
    """The densities of other epochs, at the same distances in deviations."""
    middle = (np.arange(CELLS) + 0.5) * CELL
    found = np.zeros_like(density)
    for epoch, other in enumerate(to):
        factor = world.sigma[other] / world.sigma[epoch]
        for side in range(2):
            found[epoch, side] = factor * np.interp(middle * factor, middle, density[other, side], right=0.0)
    return found


def nulls(levels: Levels, world: World, seed: int) -> dict[str, Levels]:
    draw = np.random.default_rng(seed)
    random = _away(levels, _shuffled(levels, world, draw) * world.sigma[levels.epoch])
    found = (random, _round(random, world), _yesterday(levels, world), _offsets(levels), _other_day(levels, world))
    return dict(zip(NAMES, found, strict=True))


def _away(levels: Levels, away: Floats) -> Levels:
    keep = np.isfinite(away) & (away > 0)
    return Levels(
        levels.epoch[keep],
        levels.sign[keep],
        away[keep],
        levels.width[keep],
        levels.usd[keep],
        np.full(int(keep.sum()), np.nan),
    )


def _shuffled(levels: Levels, world: World, draw: np.random.Generator) -> Floats:
    """Distances in deviations, dealt anew among all zones of a side."""
    sigmas = levels.away / world.sigma[levels.epoch]
    for sign in (-1, 1):
        side = levels.sign == sign
        sigmas[side] = draw.permutation(sigmas[side])
    return sigmas


def _round(random: Levels, world: World) -> Levels:
    """The round number nearest to each random level."""
    price = world.price[random.epoch]
    centre = price * np.exp(random.sign * (random.away + random.width / 2))
    raw = ROUND_PART * price
    power = 10.0 ** np.floor(np.log10(raw))
    step = np.select([raw <= power, raw <= 2 * power, raw <= 5 * power], [power, 2 * power, 5 * power], 10 * power)
    level = np.round(centre / step) * step
    return _away(random, random.sign * np.log(level / price) - random.width / 2)


def _yesterday(levels: Levels, world: World) -> Levels:
    """Highest and lowest price of the last 24 hours, and where it was most of the time; not more than there are zones."""
    bars, step = world.bars, world.bars.bars_in(DAY_MIN)
    away = np.full(len(levels), np.nan)
    for epoch in np.unique(levels.epoch):
        place = int(world.places[epoch])
        past = slice(max(0, place - step + 1), place + 1)
        counts, edges = np.histogram(np.log(bars.close[past]), bins=100)
        centre = float(np.exp(edges[int(counts.argmax())]))
        marks = np.log(np.array([bars.low[past].min(), bars.high[past].max(), centre]) / world.price[epoch])
        for sign in (-1, 1):
            rows = np.flatnonzero((levels.epoch == epoch) & (levels.sign == sign))
            there = np.sort(sign * marks[sign * marks > 0])[: len(rows)]
            away[rows[: len(there)]] = there
    return _away(levels, away)


def _offsets(levels: Levels) -> Levels:
    """The nearest liquidation prices of positions opened at the last price, whoever may have opened any."""
    longs, shorts = _LEVERAGED
    away = np.full(len(levels), np.nan)
    for epoch in np.unique(levels.epoch):
        for sign, offsets in ((-1, longs), (1, shorts)):
            rows = np.flatnonzero((levels.epoch == epoch) & (levels.sign == sign))
            count = min(len(rows), len(offsets))
            away[rows[:count]] = offsets[:count] - levels.width[rows[:count]] / 2
    return _away(levels, away)


def _other_day(levels: Levels, world: World) -> Levels:
    """The model's own zones of a day later or earlier, in deviations."""
    shift = DAY_MIN // EPOCH_MIN
    epochs = len(world.places)
    target = np.where(levels.epoch + shift < epochs, levels.epoch + shift, levels.epoch - shift)
    inside = target >= 0
    if epochs <= shift:
        inside[:] = False
    moved = Levels(np.where(inside, target, 0), levels.sign, levels.away, levels.width, levels.usd, levels.said)
    away = np.where(inside, levels.away / world.sigma[levels.epoch] * world.sigma[moved.epoch], np.nan)
    return _away(moved, away)
