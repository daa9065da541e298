"""What an asset has shown over 28 days, in bounded memory: the baselines of its own thresholds (detection.md 4).

The week is cut into quarter hours: fifteen minutes a week, so that the quarters at 00:00, 08:00 and 16:00 UTC, where funding is
paid, are buckets of their own. A quarter enters the baselines when the one after it has closed, so that no threshold
contains the window that it judges. Everything happens on event time.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

import msgspec

from intelligence.market import Coverage, Liquidation, PositionSide
from intelligence.minute import MINUTE_MS, Minute
from intelligence.oi_series import OpenInterestSeries
from intelligence.thresholds.digest import Digest
from intelligence.thresholds.rules import HistoryRule
from intelligence.thresholds.season import QUARTER_MS, QUARTERS_A_DAY, Season, season_at
from intelligence.volatility import Volatility, VolatilityRule, VolatilityState

HOUR_MS = 3_600_000
UNKNOWN = -1.0  # turnover of a quarter hour that was not watched
WINDOW_MINUTES = 15
WINDOW_MS = WINDOW_MINUTES * MINUTE_MS
MIN_QUARTER_MINUTES = 10  # ours: with fewer a quarter is unknown, since missing minutes are not zero
MIN_SIGMAS = 7 * 24  # ours: hours of volatility before "usual" means something
SIGMAS = 30 * 24  # detection.md 4.6: the median of 30 days
WHOLE_DAY_MINUTES = 1_296  # ours: nine tenths
FRESH_MS = 150_000  # of open interest at both ends of its window; as in its detector


class Day(msgspec.Struct):
    """One day's part of the baselines. USD values are divided by season and volatility of their time, OI changes (per
    cent in 15 minutes, the largest of each quarter) by volatility. `volume`: the largest 15 minutes of each quarter.
    `cascades`: liquidations of one side in a minute, where there were any. `close`: its last price.
    """

    number: int
    minutes: int = 0
    close: float | None = None
    turnover_usd: list[float] = msgspec.field(default_factory=lambda: [UNKNOWN] * QUARTERS_A_DAY)
    singles: Digest = msgspec.field(default_factory=Digest)
    cascades: Digest = msgspec.field(default_factory=Digest)
    oi_changes: Digest = msgspec.field(default_factory=Digest)
    volume: Digest = msgspec.field(default_factory=Digest)


class Progress(msgspec.Struct):
    """What goes on from day to day: the volatility now, its hourly history, and quantiles in force with their time."""

    volatility: VolatilityState | None = None
    sigmas: list[float] = []
    in_force: dict[str, tuple[float, int]] = {}


@dataclass(slots=True)
class _Quarter:
    """What one quarter hour brought; it enters its day when the next one has closed."""

    number: int
    minutes: int = 0
    turnover_usd: float = 0.0
    singles: list[float] = field(default_factory=list)
    cascades: list[float] = field(default_factory=list)
    oi_change: float | None = None
    volume: float | None = None
    close: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityNow:
    """`multiplier`: detection.md 4.6, 1 while `sigma` or `usual` (its median over 30 days) is unknown."""

    multiplier: float
    sigma: float | None = None
    usual: float | None = None


class History:
    """Feed it the closed minutes of one asset in order; minutes it knows already are ignored."""

    def __init__(self, rule: HistoryRule, *, days: Iterable[Day] = (), progress: Progress | None = None) -> None:
        self._rule = rule
        self.days: dict[int, Day] = {day.number: day for day in sorted(days, key=lambda day: day.number)}
        self.progress = progress or Progress()
        self._volatility = Volatility(VolatilityRule(), self.progress.volatility)
        self._recent: deque[Minute] = deque(maxlen=WINDOW_MINUTES)
        self._open_interest = OpenInterestSeries(kept_ms=WINDOW_MS + 2 * FRESH_MS)
        self._open: _Quarter | None = None
        self._closed: _Quarter | None = None
        self._season: tuple[int, Season | None] | None = None
        self._overall: tuple[int, float] = (-1, 0.0)
        self._hours: dict[int, float] = {}
        self.reference_factor: float | None = None  # turnover of all venues in that of the reference; None until known
        self._usual_sigma = median(self.progress.sigmas) if self.progress.sigmas else 0.0
        self._next_ms = 0

    @property
    def observed_days(self) -> float:
        return sum(day.minutes for day in self.days.values()) / (24 * 60)

    def take(self, minute: Minute) -> int | None:
        """Count a closed minute. Returns the number of the day whose baselines have changed, if one has."""
        if minute.from_ms < self._next_ms:
            return None
        self._next_ms = minute.to_ms
        number = minute.from_ms // QUARTER_MS
        changed = None
        if self._open is None or number > self._open.number:
            changed = self._close_quarter(number)
        assert self._open is not None
        self._count(self._open, minute)
        price = minute.reference_price or minute.close
        if price is not None:
            self._volatility.observe(minute.from_ms, price)
            self._open.close = price
        return changed

    def join(self, days: Iterable[Day]) -> None:
        """Take days of before that were found late; of a day that has begun here meanwhile, what is here stays."""
        for day in days:
            self.days.setdefault(day.number, day)
        self._season, self._overall = None, (-1, 0.0)
        self._forget()

    def backfill_hours(self, hours: Mapping[int, float]) -> None:
        """Take a reference contract's turnover by the hour (USD by start in ms); it replaces what was told before.

        It stands for quarters that nobody watched, raised to the level of all venues by `reference_factor`.
        """
        if not hours and not self._hours:
            return
        self._hours = {start_ms // HOUR_MS: usd for start_ms, usd in hours.items()}
        factors = [
            sum(watched) / usd
            for hour, usd in self._hours.items()
            if usd > 0 and len(watched := self._watched(range(4 * hour, 4 * hour + 4))) == 4
        ]
        self.reference_factor = median(factors) if factors else None
        self._season, self._overall = None, (-1, 0.0)

    def season(self, at_ms: int) -> Season | None:
        """How busy this quarter hour of the week usually is; None without history."""
        number = at_ms // QUARTER_MS
        if self._season is None or self._season[0] != number:
            overall = self._overall_usd(number)
            found = (
                season_at(number, self._turnover, days=self._rule.days, overall_usd=overall) if overall > 0 else None
            )
            self._season = (number, found)
        return self._season[1]

    def volatility(self, at_ms: int) -> VolatilityNow:
        """M_vol from before the 15 minutes that end at `at_ms` (detection.md 4.4, 4.6)."""
        sigma = self._volatility.sigma_before(at_ms - WINDOW_MINUTES * MINUTE_MS)
        if sigma is None or len(self.progress.sigmas) < MIN_SIGMAS:
            return VolatilityNow(multiplier=1.0)
        usual, rule = self._usual_sigma, self._rule
        multiplier = min(max((sigma / usual) ** rule.volatility_power, rule.volatility_low), rule.volatility_high)
        return VolatilityNow(multiplier=multiplier, sigma=sigma, usual=usual)

    def mean_15m_usd(self, at_ms: int, days: int) -> tuple[float, int] | None:
        """Mean turnover of the quarter hours of the last `days` days, and how many there were; None without any."""
        number = at_ms // QUARTER_MS
        known = self._turnovers(number - days * QUARTERS_A_DAY, number)
        return (sum(known) / len(known), len(known)) if known else None

    def whole_days(self) -> dict[int, tuple[float, float]]:
        """Turnover in USD and last price of every day that was watched nearly whole, by its start in ms."""
        found = {}
        for day in self.days.values():
            known = [usd for usd in day.turnover_usd if usd >= 0]
            if day.close is not None and day.minutes >= WHOLE_DAY_MINUTES:
                found[day.number * 86_400_000] = (sum(known) * QUARTERS_A_DAY / len(known), day.close)
        return found

    # -- inside -----------------------------------------------------------------------------------------------------

    def _turnover(self, quarter: int) -> float | None:
        """As watched, else a fourth of the reference's hour at the level of all venues."""
        day = self.days.get(quarter // QUARTERS_A_DAY)
        usd = UNKNOWN if day is None else day.turnover_usd[quarter % QUARTERS_A_DAY]
        if usd >= 0:
            return usd
        hour = self._hours.get(quarter // 4)
        return None if hour is None else hour / 4 * (self.reference_factor or 1.0)

    def _turnovers(self, first: int, end: int) -> list[float]:
        """Those that are known of the quarters from `first` to before `end`, oldest first: by days, for it looks at weeks."""
        factor, known = self.reference_factor or 1.0, []
        for number in range(first // QUARTERS_A_DAY, -(-end // QUARTERS_A_DAY)):
            day, start = self.days.get(number), number * QUARTERS_A_DAY
            if day is None and not self._hours:
                continue
            low, high = max(first - start, 0), min(end - start, QUARTERS_A_DAY)
            turnovers = [UNKNOWN] * (high - low) if day is None else day.turnover_usd[low:high]
            if self._hours and UNKNOWN in turnovers:
                hours = ((start + quarter) // 4 for quarter in range(low, high))
                turnovers = [
                    usd if usd >= 0 else self._hours[hour] / 4 * factor if hour in self._hours else UNKNOWN
                    for usd, hour in zip(turnovers, hours, strict=True)
                ]
            known += [usd for usd in turnovers if usd >= 0]
        return known

    def _watched(self, quarters: Iterable[int]) -> list[float]:
        days = ((self.days.get(quarter // QUARTERS_A_DAY), quarter % QUARTERS_A_DAY) for quarter in quarters)
        return [day.turnover_usd[index] for day, index in days if day is not None and day.turnover_usd[index] >= 0]

    def _overall_usd(self, quarter: int) -> float:
        """The median of all quarter hours before that one's hour, 0 without any; reckoned once an hour."""
        if self._overall[0] != quarter // 4:
            known = self._turnovers(quarter - self._rule.days * QUARTERS_A_DAY, quarter)
            self._overall = (quarter // 4, median(known) if known else 0.0)
        return self._overall[1]

    def _count(self, quarter: _Quarter, minute: Minute) -> None:
        season = self.season(minute.from_ms)
        volatility = self.volatility(minute.from_ms).multiplier
        scale = (season.index if season else 1.0) * volatility
        sides = ([one for one in minute.liquidations if one.position_side is side] for side in PositionSide)
        quarter.singles += [usd / scale for usd in order_sizes_usd(minute.liquidations)]
        quarter.cascades += [sum(sorted(one.notional_usd for one in side)) / scale for side in sides if side]
        change = self._oi_change_pct(minute)
        if change is not None:
            quarter.oi_change = max(quarter.oi_change or 0.0, change / volatility)
        if not minute.complete:
            return
        quarter.minutes += 1
        quarter.turnover_usd += minute.total_usd
        self._recent.append(minute)
        if len(self._recent) == WINDOW_MINUTES and minute.to_ms - self._recent[0].from_ms == WINDOW_MS:
            volume = sum(one.total_usd for one in self._recent)
            quarter.volume = max(quarter.volume or 0.0, volume / scale)

    def _oi_change_pct(self, minute: Minute) -> float | None:
        """The size of the change over 15 minutes as its detector sees it: venues that count alike together, each of the
        others alone, the largest; None where no venue is there at both ends.
        """
        for record in minute.open_interest:
            self._open_interest.add(record)
        venues = self._open_interest.changes(minute.to_ms, WINDOW_MS, fresh_ms=FRESH_MS)
        alike = [venue for venue in venues if not venue.sides_unknown]
        changes = [abs(venue.change) for venue in venues if venue.sides_unknown]
        if alike:
            before = sum(venue.before for venue in alike)
            changes.append(abs(sum(venue.after for venue in alike) / before - 1))
        return 100 * max(changes) if changes else None

    def _close_quarter(self, number: int) -> int | None:
        """Begin quarter `number`; the one before the one that ends becomes part of its day."""
        changed = None
        if self._closed is not None:
            changed = self._enter(self._closed)
        self._closed, self._open = self._open, _Quarter(number)
        return changed

    def _enter(self, quarter: _Quarter) -> int:
        day = self._day(quarter.number)
        day.minutes += quarter.minutes
        day.close = quarter.close or day.close
        if quarter.minutes >= MIN_QUARTER_MINUTES:
            usd = quarter.turnover_usd * WINDOW_MINUTES / quarter.minutes
            day.turnover_usd[quarter.number % QUARTERS_A_DAY] = usd
        day.singles.add(quarter.singles)
        day.cascades.add(quarter.cascades)
        if quarter.oi_change is not None:
            day.oi_changes.add((quarter.oi_change,))
        if quarter.volume is not None:
            day.volume.add((quarter.volume,))
        if quarter.number % 4 == 3:
            self._note_sigma((quarter.number + 1) * QUARTER_MS)
        self.progress.volatility = self._volatility.state
        self._forget()
        return day.number

    def _note_sigma(self, at_ms: int) -> None:
        sigma = self._volatility.sigma_before(at_ms)
        if sigma is not None:
            self.progress.sigmas = [*self.progress.sigmas, sigma][-SIGMAS:]
            self._usual_sigma = median(self.progress.sigmas)

    def _day(self, quarter: int) -> Day:
        number = quarter // QUARTERS_A_DAY
        if number not in self.days:
            self.days[number] = Day(number)
        return self.days[number]

    def _forget(self) -> None:
        newest = max(self.days, default=0)
        for number in [number for number in self.days if number <= newest - self._rule.days]:
            del self.days[number]


def order_sizes_usd(liquidations: Iterable[Liquidation]) -> list[float]:
    """What single liquidations are judged by: fills of one order within a second together on complete feeds."""
    orders: dict[tuple[str, str, str, float, int], float] = {}
    sizes = []
    for one in liquidations:
        if one.coverage is Coverage.COMPLETE:
            order = (one.venue, one.instrument, one.position_side, one.price, one.exchange_ms // 1_000)
            orders[order] = orders.get(order, 0.0) + one.notional_usd
        else:
            sizes.append(one.notional_usd)
    return sorted((*sizes, *orders.values()))
