"""What became of zones: touched or not, liquidated or not, and how much of what was liquidated lay in them (detection.md 12.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from intelligence.evaluation.bars import HOUR_MIN, Flags, Floats, Ints, trailing_volatility
from intelligence.evaluation.intervals import LEAST_BLOCKS, Interval, block_counts, interval_of
from intelligence.evaluation.zone_forecasts import CELL, CELLS, EPOCH_MIN, WARNED_MIN, Levels, Warned, World
from intelligence.minute import MINUTE_MS

REACTION_MIN = 10
CAPTURE_DRAWS = 400

_erf = np.vectorize(erf, otypes=[np.float64])


def reflection(sigmas: Floats) -> Floats:
    """Chance of a touch at so many deviations of the horizon, without drift (detection.md 10.4)."""
    return np.asarray(1 - _erf(np.maximum(sigmas, 0) / sqrt(2)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """Of each zone: whether price reached it within its epoch, and what was liquidated in it soon after, USD."""

    levels: Levels
    is_touched: Flags
    reacted_usd: Floats
    baseline: Floats
    block: Ints

    @property
    def reaction(self) -> tuple[Floats, Floats, Ints]:
        """USD and width of the touched ones, with their blocks."""
        at = self.is_touched
        return self.reacted_usd[at], self.levels.width[at], self.block[at]


def touched(levels: Levels, world: World, reaction_min: int = REACTION_MIN) -> Touched:
    bars = world.bars
    step = bars.bars_in(EPOCH_MIN)
    window = np.lib.stride_tricks.sliding_window_view
    lows = np.minimum.accumulate(window(bars.low, step)[world.places + 1], axis=1)
    highs = np.maximum.accumulate(window(bars.high, step)[world.places + 1], axis=1)
    near = world.price[levels.epoch] * np.exp(levels.sign * levels.away)
    far = world.price[levels.epoch] * np.exp(levels.sign * (levels.away + levels.width))
    below = levels.sign < 0
    reached = np.where(below[:, None], lows[levels.epoch] <= near[:, None], highs[levels.epoch] >= near[:, None])
    is_touched = reached[:, -1] if len(levels) else np.zeros(0, dtype=bool)
    first = world.places[levels.epoch] + 1 + reached.argmax(axis=1)
    reacted = np.zeros(len(levels))
    tape = world.liquidated
    for row in np.flatnonzero(is_touched):
        from_ms = int(bars.from_ms[first[row]])
        begin, end = np.searchsorted(tape.at_ms, (from_ms, from_ms + bars.step_ms + reaction_min * MINUTE_MS))
        price = tape.price[begin:end]
        low, high = min(near[row], far[row]), max(near[row], far[row])
        inside = np.isnan(price) | ((price >= low) & (price <= high))
        reacted[row] = tape.usd[begin:end][inside & (tape.is_long[begin:end] == below[row])].sum()
    return Touched(
        levels=levels,
        is_touched=np.asarray(is_touched),
        reacted_usd=reacted,
        baseline=reflection(levels.away / world.sigma[levels.epoch]),
        block=world.block[levels.epoch],
    )


def reaction_ratio(ours: tuple[Floats, Floats, Ints], null: tuple[Floats, Floats, Ints]) -> Interval:
    """LDR: liquidated a unit of width at touched zones, over the same at touched null zones; blocks drawn together."""
    nan = float("nan")
    if not len(ours[0]) or not len(null[0]) or not null[0].sum():
        return Interval(nan, nan, nan)
    names = np.union1d(ours[2], null[2])
    rates = []
    drawn = np.random.default_rng(12).multinomial(len(names), np.full(len(names), 1 / len(names)), size=2_000)
    weights = np.vstack((np.ones(len(names)), drawn))
    for usd, width, block in (ours, null):
        place = np.searchsorted(names, block)
        above = weights @ np.bincount(place, weights=usd, minlength=len(names))
        below = weights @ np.bincount(place, weights=width, minlength=len(names))
        rates.append(np.asarray(above / np.where(below == 0, np.nan, below), dtype=np.float64))
    ratio = np.asarray(rates[0] / np.where(rates[1] == 0, np.nan, rates[1]), dtype=np.float64)
    return (
        interval_of(float(ratio[0]), ratio[1:]) if len(names) >= LEAST_BLOCKS else Interval(float(ratio[0]), nan, nan)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of price in which a model expects something, one a row: `density`, the chance that price reaches it without drift,
    what was liquidated there (USD). `measure`, `usd`: of all cells, by block.
    """

    density: Floats
    measure: Floats
    usd: Floats
    block: Ints
    all_measure: Floats
    all_usd: Floats
    all_block: Ints


def density_of(levels: Levels, world: World) -> Floats:
    """What zones expect, evenly over their width: by epoch, side (below, above) and cell."""
    density = np.zeros((len(world.places), 2, CELLS))
    edges = np.arange(CELLS + 1) * CELL
    for row in range(len(levels)):
        begin, end = levels.away[row], levels.away[row] + levels.width[row]
        overlap = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin), 0, None)
        density[levels.epoch[row], (levels.sign[row] + 1) // 2] += levels.usd[row] * overlap / levels.width[row]
    return density


def cells_of(density: Floats, world: World) -> Cells:
    """Both sides of every epoch, in cells of 0.1 % up to 12 % away."""
    middle = (np.arange(CELLS) + 0.5) * CELL
    measure = np.tile(reflection(middle[None, :] / world.sigma[:, None])[:, None, :], (1, 2, 1))
    usd = np.zeros_like(density)
    tape = world.liquidated
    epoch = (np.searchsorted(world.bars.from_ms[world.places] + world.bars.step_ms, tape.at_ms, side="right")) - 1
    inside = (epoch >= 0) & np.isfinite(tape.price)
    inside[inside] &= (
        tape.at_ms[inside]
        < world.bars.from_ms[world.places[epoch[inside]]] + (EPOCH_MIN + world.bars.step_min) * MINUTE_MS
    )
    sign = np.where(tape.is_long, -1, 1)
    away = np.where(inside, sign * np.log(tape.price / world.price[np.maximum(epoch, 0)]), -1.0)
    inside &= (away > 0) & (away < CELLS * CELL)
    np.add.at(usd, (epoch[inside], (sign[inside] + 1) // 2, (away[inside] / CELL).astype(int)), tape.usd[inside])
    block = np.broadcast_to(world.block[:, None, None], density.shape)
    there = density > 0
    return Cells(
        density[there],
        measure[there],
        usd[there],
        block[there],
        measure.sum(axis=(1, 2)),
        usd.sum(axis=(1, 2)),
        world.block,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """The error diagram: `covered` share of the null touch measure, `missed` share of what was liquidated; both fall together
    on the diagonal for whoever guesses. `h`: 1 - (covered + missed) where it is largest.
    """

    covered: Floats
    missed: Floats
    h: Interval


def capture(cells: Cells) -> Capture | None:
    """None when nothing was liquidated that has a price."""
    if not cells.all_usd.sum():
        return None
    order = np.argsort(-cells.density, kind="stable")
    names = np.unique(cells.all_block)
    place = np.searchsorted(names, cells.block[order])
    total = [
        np.bincount(np.searchsorted(names, cells.all_block), weights=one, minlength=len(names))
        for one in (cells.all_measure, cells.all_usd)
    ]

    def curve(weights: Floats) -> tuple[Floats, Floats]:
        covered = np.cumsum(cells.measure[order] * weights[place]) / max(float(weights @ total[0]), 1e-12)
        caught = np.cumsum(cells.usd[order] * weights[place]) / max(float(weights @ total[1]), 1e-12)
        return np.concatenate(([0.0], covered)), 1 - np.concatenate(([0.0], caught))

    covered, missed = curve(np.ones(len(names)))
    value = float((1 - covered - missed).max())
    drawn = []
    for weights in block_counts(names, CAPTURE_DRAWS).astype(np.float64):
        x, y = curve(weights)
        drawn.append(float((1 - x - y).max()))
    h = (
        interval_of(value, np.array(drawn))
        if len(names) >= LEAST_BLOCKS
        else Interval(value, float("nan"), float("nan"))
    )
    return Capture(np.append(covered, 1.0), np.append(missed, 0.0), h)


@dataclass(frozen=True, slots=True, eq=False)
class WarnedOf:
    """Of each warning: whether price reached the zone within `WARNED_MIN`, what was said of it (nan where nothing was), what
    reflection gives, and the block of its time.
    """

    came: Flags
    said: Floats
    baseline: Floats
    lead_min: Floats
    block: Ints


def warned_of(warned: Sequence[Warned], world: World) -> WarnedOf:
    bars = world.bars
    horizon = bars.bars_in(WARNED_MIN)
    sigma = trailing_volatility(bars) * np.sqrt(WARNED_MIN / HOUR_MIN)
    came, said, sigmas, lead, place = [], [], [], [], []
    for one in warned:
        after = slice(one.place + 1, one.place + 1 + horizon)
        if one.place + horizon >= len(bars):
            continue
        near = one.zone.high if one.zone.is_long else one.zone.low
        hits = bars.low[after] <= near if one.zone.is_long else bars.high[after] >= near
        came.append(bool(hits.any()))
        said.append(float("nan") if one.zone.said is None else one.zone.said)
        lead.append((0.5 + float(hits.argmax())) * bars.step_min if hits.any() else float("nan"))
        away = float(np.log(near / bars.close[one.place])) * (-1 if one.zone.is_long else 1)
        sigmas.append(max(0.0, away) / sigma[one.place])  # price that is there already will be there for certain
        place.append(one.place)
    return WarnedOf(
        came=np.array(came, dtype=bool),
        said=np.array(said, dtype=np.float64),
        baseline=reflection(np.array(sigmas, dtype=np.float64)),
        lead_min=np.array(lead, dtype=np.float64),
        block=bars.day_of(np.array(place, dtype=np.int64)),
    )
