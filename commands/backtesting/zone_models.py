"""The product's models of zones behind the narrow interface of the evaluation."""

from collections import deque
from collections.abc import Mapping, Sequence

from intelligence.evaluation.zone_forecasts import EPOCH_MIN, Forecast, Seen
from intelligence.margin_tiers import MarginTiers
from intelligence.market import PositionSide
from intelligence.minute import Minute
from intelligence.zones.given import GivenZones
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ApproachRule, ZoneRules
from intelligence.zones.zone import Zone

KEPT_SIZES = 64  # of zones when they were born, to tell a large one


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
        self._rule = approach
        self._minutes = minutes
        self._model = ZoneModel(minutes[0].asset, ZoneRules(approach=approach))
        self._sizes: deque[float] = deque(maxlen=KEPT_SIZES)
        self._known: frozenset[str] = frozenset()
        if tiers:
            self._model.set_tiers(tiers)

    def take(self, place: int) -> Seen:
        warned = self._model.take(self._minutes[place])
        view = self._model.view()
        if view is None:
            return Seen(())
        self._sizes += [zone.expected_usd for zone in view.zones if zone.zone_id not in self._known]
        self._known = frozenset(zone.zone_id for zone in view.zones)
        large = self._large()
        zones = tuple(_forecast(zone, large) for zone in view.zones)
        return Seen(zones, tuple(_forecast(one.zone, large) for one in warned if one.model == "ours"))

    def _large(self) -> float:
        ordered = sorted(self._sizes) or [0.0]
        return max(self._rule.large_usd, ordered[int(self._rule.large_quantile * (len(ordered) - 1))])


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
        zones = tuple(_forecast(zone, large) for zone in self._model.zones)
        return Seen(zones, tuple(_forecast(one.zone, large) for one in warned))


def _forecast(zone: Zone, large: float) -> Forecast:
    chance = zone.within(EPOCH_MIN)
    return Forecast(
        is_long=zone.side is PositionSide.LONG,
        low=zone.low,
        high=zone.high,
        usd=zone.expected_usd,
        said=None if chance is None else chance.probability,
        is_large=zone.expected_usd >= large,
    )
