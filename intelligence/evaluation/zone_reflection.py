"""Who warns by the reflection formula alone, at the same terms as a model: the baseline of its warnings (detection.md 12.5, 12.6).

It knows the model's large zones but not their chances. There is one for every level from which the formula's chance is enough;
the one that comes to as many warnings as the model is compared with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import erf, log, sqrt

from intelligence.evaluation.bars import DAY_MIN, HOUR_MIN, Bars, trailing_volatility
from intelligence.evaluation.zone_forecasts import Forecast, Warned, is_same

HORIZON_MIN = 5
LEVELS = tuple(round(0.04 * step, 2) for step in range(1, 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Those of the model: at most so many warnings a day, and none from a chance of `too_late` on."""

    a_day: int
    too_late: float


@dataclass(slots=True)
class _Teller:
    warned: list[Warned] = field(default_factory=list)
    told: list[Warned] = field(default_factory=list)


class ReflectionWarner:
    def __init__(self, bars: Bars, terms: Terms) -> None:
        self._bars, self._terms = bars, terms
        self._day = bars.bars_in(DAY_MIN)
        self._sigma = trailing_volatility(bars) * sqrt(HORIZON_MIN / HOUR_MIN)
        self._tellers = {level: _Teller() for level in LEVELS}

    def take(self, place: int, zones: Sequence[Forecast]) -> None:
        """The end of a bar, and the large zones that have stood for a while."""
        chances = [(self._chance(place, zone), zone) for zone in zones]
        near = sorted(
            ((chance, zone) for chance, zone in chances if chance is not None), key=lambda one: one[0], reverse=True
        )
        for level, teller in self._tellers.items():
            if teller.told:
                teller.told = [one for one in teller.told if not self._is_over(one, place)]
            for chance, zone in near:
                if level <= chance < self._terms.too_late:
                    self._tell(teller, Warned(place, replace(zone, said=None)))

    def _tell(self, teller: _Teller, one: Warned) -> None:
        today = [earlier for earlier in teller.warned[-self._terms.a_day :] if one.place - earlier.place < self._day]
        if len(today) < self._terms.a_day and not any(is_same(one.zone, earlier.zone) for earlier in teller.told):
            teller.warned.append(one)
            teller.told.append(one)

    def _chance(self, place: int, zone: Forecast) -> float | None:
        """Of a touch; None when price is there already."""
        price = float(self._bars.close[place])
        away = log(price / zone.high) if zone.is_long else log(zone.low / price)
        return 1 - erf(away / (sqrt(2) * float(self._sigma[place]))) if away > 0 else None

    def _is_over(self, one: Warned, place: int) -> bool:
        """What price has gone through may be told again, and so may what was told a day ago."""
        zone = one.zone
        gone = self._bars.low[place] <= zone.low if zone.is_long else self._bars.high[place] >= zone.high
        return bool(gone) or place - one.place >= self._day

    def warned(self, first: int) -> dict[float, list[Warned]]:
        """By level, from the bar `first` on."""
        return {level: [one for one in teller.warned if one.place >= first] for level, teller in self._tellers.items()}
