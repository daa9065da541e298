"""The product's models of zones behind the narrow interface of the evaluation."""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np

from commands.backtesting.worlds import Simulated
from intelligence.evaluation.bars import Floats
from intelligence.evaluation.zone_forecasts import CELL, CELLS, EPOCH_MIN, WARNED_MIN, Forecast, Seen
from intelligence.margin_tiers import MarginTiers
from intelligence.market import PositionSide
from intelligence.minute import Minute
from intelligence.zones.given import GivenZones
from intelligence.zones.grid import cell_of, low_of
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ApproachRule, CutRule, ZoneRules
from intelligence.zones.zone import Zone, cut


class OurZones:
    """Fed the minutes of a recording by their places. `smallest_usd`: of a large zone, besides being larger than usual; None:
    as the product has it.
    """

    def __init__(
        self,
        minutes: Sequence[Minute],
        tiers: Mapping[str, MarginTiers] | None = None,
        smallest_usd: float | None = None,
    ) -> None:
        approach = ApproachRule() if smallest_usd is None else ApproachRule(large_usd=smallest_usd)
        self._minutes = minutes
        self._model = ZoneModel(minutes[0].asset, ZoneRules(approach=approach))
        if tiers:
            self._model.set_tiers(tiers)

    def take(self, place: int) -> Seen:
        warned = self._model.take(self._minutes[place])
        view = self._model.view()
        if view is None:
            return Seen(())
        large = self._model.large_usd
        zones = tuple(_forecast(zone, large, EPOCH_MIN) for zone in view.zones)
        return Seen(zones, tuple(_forecast(one.zone, large, WARNED_MIN) for one in warned if one.model == "ours"))

    def density(self) -> tuple[Floats, Floats] | None:
        view = self._model.view()
        if view is None:
            return None
        here = cell_of(view.price)
        part = log(view.price) / CELL - here  # of its cell that lies below the price
        below = np.array(self._model.expected_usd(PositionSide.LONG, here - CELLS, here + 1))[::-1]
        above = np.array(self._model.expected_usd(PositionSide.SHORT, here, here + CELLS + 1))
        return part * below[:-1] + (1 - part) * below[1:], (1 - part) * above[:-1] + part * above[1:]


class GivenLevels:
    """The given baseline model (requirements.md 8), which tells no probabilities."""

    def __init__(self, minutes: Sequence[Minute]) -> None:
        self._minutes, self._rule = minutes, ZoneRules().given
        self._model = GivenZones(minutes[0].asset, self._rule)

    def take(self, place: int) -> Seen:
        minute = self._minutes[place]
        price = minute.reference_price or minute.close
        if price is None:
            return Seen(())
        low, high = minute.mark_low or price, minute.mark_high or price
        warned = self._model.take(minute, price, min(low, price), max(high, price))
        large = self._rule.warns_usd
        zones = tuple(_forecast(zone, large, EPOCH_MIN) for zone in self._model.zones)
        return Seen(zones, tuple(_forecast(one.zone, large, WARNED_MIN) for one in warned))

    def density(self) -> None:
        return None


class TrueZones:
    """What can be had at best: zones cut by the same rule from the positions that are really open, told once an epoch."""

    def __init__(self, simulated: Simulated) -> None:
        self._positions, self._price = simulated.positions, simulated.judged.bars.close
        self._place = 0

    def take(self, place: int) -> Seen:
        self._place = place
        held = self._positions.get(place, ())
        here = cell_of(float(self._price[place]))
        zones = []
        for is_long in (True, False):
            first = here - CELLS if is_long else here + 1
            usd = [0.0] * CELLS
            for one in held:
                cell = cell_of(one.trigger) - first
                if one.is_long is is_long and 0 <= cell < CELLS:
                    usd[cell] += one.usd
            zones += [
                Forecast(is_long, low_of(span.first), low_of(span.after), span.usd, None)
                for span in cut(usd, first, CutRule())
            ]
        return Seen(tuple(zones))

    def density(self) -> tuple[Floats, Floats]:
        price = float(self._price[self._place])
        below, above = np.zeros(CELLS), np.zeros(CELLS)
        for one in self._positions.get(self._place, ()):
            away = log(price / one.trigger) if one.is_long else log(one.trigger / price)
            if 0 < away < CELLS * CELL:
                (below if one.is_long else above)[int(away / CELL)] += one.usd
        return below, above


def _forecast(zone: Zone, large: float, minutes: int) -> Forecast:
    chance = zone.within(minutes)
    return Forecast(
        is_long=zone.side is PositionSide.LONG,
        low=zone.low,
        high=zone.high,
        usd=zone.expected_usd,
        said=None if chance is None else chance.probability,
        is_large=zone.expected_usd >= large,
    )
