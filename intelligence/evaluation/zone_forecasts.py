"""Zones as they stood at fixed times, whoever predicted them, and the worlds in which they are judged (detection.md 12.6).

Every `EPOCH_MIN` the zones are written down for the next `EPOCH_MIN`; nothing that is changed later counts.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import Protocol

import numpy as np

from intelligence.evaluation.bars import Bars, Flags, Floats, Ints, trailing_volatility

EPOCH_MIN = 60
VOLATILITY_MIN = 240
LEAST_WIDTH = 0.002  # ln; a level is widened to it
EDIT_MIN = 5  # what is changed so shortly before a touch does not count
WARNED_MIN = 15  # a warning is right when price comes within that time (detection.md 11)
CELL = 0.001  # of a density: ln of price
CELLS = 120  # to each side: what lies further is not looked at
AGAIN_MIN = 60  # a touch of the same prices within that time is the same touch


@dataclass(frozen=True, slots=True)
class Forecast:
    """`said`: chance of a touch within the epoch, of a warning within `WARNED_MIN`; None where a model tells none. `is_large`:
    as its model counts it.
    """

    is_long: bool
    low: float
    high: float
    usd: float
    said: float | None
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning at the end of a bar: the zone that price nears."""

    place: int
    zone: Forecast


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model says at the end of a bar."""

    zones: tuple[Forecast, ...]
    warned: tuple[Forecast, ...] = ()


class Forecaster(Protocol):
    """Fed bar by bar, it must know nothing of the next. `density`: what it expects in every `CELL` of distance from the price
    of the last bar, below (longs) and above it, `CELLS` each; None when it knows zones alone.
    """

    def take(self, place: int) -> Seen: ...

    def density(self) -> tuple[Floats, Floats] | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Liquidated:
    """What really was liquidated, in the order of time. `price`: the mark price that caused it, nan where only sums are known."""

    at_ms: Ints
    is_long: Flags
    price: Floats
    usd: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Zones of many epochs, one a row: `sign` -1 below the price (longs), 1 above; `away` ln distance of the near edge, `width` ln."""

    epoch: Ints
    sign: Ints
    away: Floats
    width: Floats
    usd: Floats
    said: Floats

    def __len__(self) -> int:
        return len(self.epoch)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """One asset's market with all its epochs. `sigma`: deviation of ln(price) over an epoch, known at its beginning.

    `block`: what is drawn together by the bootstrap.
    """

    bars: Bars
    liquidated: Liquidated
    places: Ints
    price: Floats
    sigma: Floats
    block: Ints


@dataclass(slots=True)
class Watched:
    """What a forecaster said of a world. `touches`: large zones that price reached, as they stood five minutes before.
    `density`: by epoch, side and cell, where it tells one.
    """

    levels: Levels
    density: Floats | None = None
    warned: list[Warned] = field(default_factory=list)
    touches: list[Warned] = field(default_factory=list)


def world_of(bars: Bars, liquidated: Liquidated, first: int, blocks_a_day: int = 1) -> World:
    step = bars.bars_in(EPOCH_MIN)
    places = np.arange(first, len(bars) - step, step)
    sigma = trailing_volatility(bars, VOLATILITY_MIN)[places] * np.sqrt(EPOCH_MIN / VOLATILITY_MIN)
    day_ms = 86_400_000 // blocks_a_day
    return World(bars, liquidated, places, bars.close[places], sigma, np.asarray(bars.from_ms[places] // day_ms))


class Beside(Protocol):
    """Told of the large zones at the end of a bar that had stood five minutes before, too."""

    def take(self, place: int, zones: Sequence[Forecast]) -> None: ...


def watch(world: World, forecaster: Forecaster, besides: Sequence[Beside] = ()) -> Watched:
    """Feed the world to a forecaster, and write down what it says."""
    bars, first = world.bars, int(world.places[0])
    epochs = {int(place): number for number, place in enumerate(world.places)}
    rows: list[tuple[int, int, float, float, float, float]] = []
    densities: list[tuple[Floats, Floats]] = []
    recent: deque[tuple[Forecast, ...]] = deque(maxlen=bars.bars_in(EDIT_MIN) + 1)
    watched = Watched(_levels(()))
    for place in range(len(bars)):
        if len(recent) == recent.maxlen and place > first:
            watched.touches += _touches(bars, place, recent[0], len(recent) - 1, watched.touches)
        seen = forecaster.take(place)
        recent.append(tuple(zone for zone in seen.zones if zone.is_large))
        settled = [zone for zone in recent[-1] if any(is_same(zone, before) for before in recent[0])] if besides else []
        for beside in besides:
            beside.take(place, settled)
        if place in epochs:
            rows += [_row(epochs[place], zone, bars.close[place]) for zone in seen.zones]
            densities += [one for one in (forecaster.density(),) if one is not None]
        if place >= first:
            watched.warned += [Warned(place, zone) for zone in seen.warned]
    watched.levels = _levels([row for row in rows if row[2] > 0])
    watched.density = np.array(densities) if densities else None
    return watched


def _row(epoch: int, zone: Forecast, price: float) -> tuple[int, int, float, float, float, float]:
    sign = -1 if zone.is_long else 1
    low, high = zone.low, zone.high
    narrow = LEAST_WIDTH - log(high / low)
    if narrow > 0:
        low, high = low * float(np.exp(-narrow / 2)), high * float(np.exp(narrow / 2))
    away = sign * log((high if zone.is_long else low) / price)
    return epoch, sign, away, log(high / low), zone.usd, float("nan") if zone.said is None else zone.said


def _levels(rows: Sequence[tuple[int, int, float, float, float, float]]) -> Levels:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    whole = [np.array(column, dtype=np.int64) for column in columns[:2]]
    return Levels(whole[0], whole[1], *(np.array(column, dtype=np.float64) for column in columns[2:]))


def _touches(bars: Bars, place: int, zones: Sequence[Forecast], ago: int, known: Sequence[Warned]) -> list[Warned]:
    """Zones of some bars ago that this bar is the first to reach since then."""
    since = slice(place - ago + 1, place)
    low = min(bars.close[place - ago], bars.low[since].min(initial=np.inf))
    high = max(bars.close[place - ago], bars.high[since].max(initial=0.0))
    found: list[Warned] = []
    for zone in zones:
        reached = bars.low[place] <= zone.high < low if zone.is_long else bars.high[place] >= zone.low > high
        again = any(is_same(zone, one.zone) and place - one.place < AGAIN_MIN for one in [*known[-20:], *found])
        if reached and not again:
            found.append(Warned(place, zone))
    return found


def is_same(one: Forecast, other: Forecast) -> bool:
    margin = LEAST_WIDTH / 2
    apart = one.low > other.high * (1 + margin) or other.low > one.high * (1 + margin)
    return one.is_long is other.is_long and not apart


def leads(watched: Watched, step_min: int = 1) -> list[float]:
    """Of every touched large zone: minutes from its latest warning that came before to the middle of the bar of the touch, nan
    without any.
    """
    found = []
    for touch in watched.touches:
        earlier = [one.place for one in watched.warned if one.place < touch.place and is_same(one.zone, touch.zone)]
        lead = (touch.place - max(earlier) - 0.5) * step_min if earlier else float("nan")
        found.append(lead if lead <= AGAIN_MIN else float("nan"))
    return found
