"""Rolling volume, taker imbalance (CVD) and volume profile of one asset over event time.

Sums in buckets of a second, the profile in buckets of a minute; what falls into the same second and row is kept in locals.
Lists of floats, measured as cheaper than arrays (docs/performance.md); the memory does not grow with the rate of trades.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WINDOW_S = 900  # requirements.md 7: fifteen minutes
PROFILE_SHARE = (
    0.0005  # width of a profile row as a share of the price, rounded to 1-2-5: about 0.05 of a daily sigma of 1 %
)
LATE_S = 3  # detection.md 3: an event this late is inserted at its time, an older one is counted as late
MAX_AHEAD_MS = 60_000  # ours: more than any clock that is only wrong
CLOCK_MS = 1_000  # ours: a venue's clock that goes ahead by less makes no other venue's trades late
VALUE_AREA = 0.7
MAX_ROWS = 400
PROFILE_MINUTES = 15
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSums:
    """Taker volume over the last `seconds`, USD. `delta_usd` is what takers bought less what they sold."""

    seconds: int
    buy_usd: float
    sell_usd: float
    trades: int
    largest_usd: float

    @property
    def total_usd(self) -> float:
        return self.buy_usd + self.sell_usd

    @property
    def delta_usd(self) -> float:
        return self.buy_usd - self.sell_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeProfile:
    """Volume by price since `from_ms`. `rows`: (lower edge, USD), lowest first, rows of `row_width` USD per coin.

    `poc`: middle of the row with the largest volume (a tie goes to the row nearest to the middle of the profile).
    The value area grows from there two rows at a time towards the larger pair (a tie goes up) until it holds 70 %.
    """

    from_ms: int
    rows: tuple[tuple[float, float], ...]
    row_width: float
    poc: float
    value_area_low: float
    value_area_high: float


# One second and one row of the profile: from and before which ms, from and below which price, place in the ring, row, and
# the rows of that minute.
_Cell = tuple[int, int, float, float, int, int, dict[int, float]]
_NOWHERE: _Cell = (0, 0, 0.0, 0.0, -1, 0, {})
_NO_LIMIT = 1 << 62


class TradeWindow:
    """The last fifteen minutes of one asset's trades over all venues. Feed it batches in about the order of time.

    `late` and `ahead` count trades that were left out: too old, or with a time that cannot be.
    """

    def __init__(self) -> None:
        self.late = 0
        self.ahead = 0
        self.last_price = 0.0
        self._cvd_day_usd = self._volume_day_usd = 0.0  # since 00:00 UTC of the newest trade's day
        self._day = 0
        self._first = 0  # second of the first trade
        self._second = 0  # newest second seen
        self._buy, self._sell, self._largest = _numbers(), _numbers(), _numbers()
        self._trades = [0] * WINDOW_S
        self._rows: list[dict[int, float]] = [{} for _ in range(PROFILE_MINUTES)]  # of a minute each, USD by row
        self._row_width = 0.0
        self._at: _Cell = _NOWHERE

    def add(
        self, times_ms: Sequence[int], prices: Sequence[float], quantities: Sequence[float], *, now_ms: int = _NO_LIMIT
    ) -> None:
        """Take one batch. `quantities` in coins, positive where the taker bought, negative where the taker sold.

        A time more than a minute after `now_ms` is broken: believed, it would make every other trade late.
        Trades are summed in locals for as long as they fall into the same second and row of the profile.
        """
        begin_ms, end_ms, low, high, _, _, _ = at = self._at
        buy = sell = largest = 0.0
        trades = 0
        for time_ms, price, quantity in zip(times_ms, prices, quantities, strict=True):
            if not (begin_ms <= time_ms < end_ms and low <= price < high):
                if trades:
                    self._put(at, buy, sell, trades, largest)
                    buy = sell = largest = 0.0
                    trades = 0
                begin_ms, end_ms, low, high, _, _, _ = at = self._go_to(time_ms, price, now_ms)
                if at is _NOWHERE:
                    continue
            usd = price * quantity
            trades += 1
            if usd >= 0.0:
                buy += usd
                if usd > largest:  # noqa: PLR1730 - a call costs three times as much
                    largest = usd
            else:
                sell -= usd
                if -usd > largest:  # noqa: PLR1730
                    largest = -usd
        if trades:
            self._put(at, buy, sell, trades, largest)
            self.last_price = price

    @property
    def complete_from_ms(self) -> int | None:
        """From when on the window holds every trade that was fed: its first one or its beginning; None without any."""
        return max(self._first, self._second - WINDOW_S + 1) * 1000 if self._second else None

    @property
    def newest_ms(self) -> int:
        """The beginning of the newest second with a trade, 0 without any."""
        return self._second * 1000

    def sums(self, seconds: int, until_ms: int = 0) -> VolumeSums:
        """Totals over the last `seconds` (up to 900), ending with the second of `until_ms` or the newest one, if later."""
        until = max(until_ms // 1000, self._second)
        return self.sums_between((until - seconds + 1) * 1000, (until + 1) * 1000)

    def sums_between(self, from_ms: int, to_ms: int) -> VolumeSums:
        """Totals from the second of `from_ms` to before that of `to_ms`, as far as the window still holds them."""
        oldest = self._second - WINDOW_S + 1
        spans = _ring_spans(max(from_ms // 1000, oldest), min(to_ms // 1000 - 1, self._second))
        return VolumeSums(
            seconds=(to_ms - from_ms) // 1000,
            buy_usd=math.fsum(math.fsum(self._buy[span]) for span in spans),
            sell_usd=math.fsum(math.fsum(self._sell[span]) for span in spans),
            trades=sum(sum(self._trades[span]) for span in spans),
            largest_usd=max(max(self._largest[span], default=0.0) for span in spans),
        )

    def cvd_usd(self, until_ms: int) -> float:
        """What takers bought less what they sold since 00:00 UTC of the day of `until_ms`."""
        return self._cvd_day_usd if until_ms // DAY_MS == self._day else 0.0

    def volume_day_usd(self, until_ms: int) -> float:
        """What was traded since 00:00 UTC of the day of `until_ms`."""
        return self._volume_day_usd if until_ms // DAY_MS == self._day else 0.0

    def day_from_ms(self, until_ms: int) -> int | None:
        """From when on the sums of the day of `until_ms` hold every trade: its beginning or the first trade ever fed."""
        return max(until_ms - until_ms % DAY_MS, self._first * 1000) if self._second else None

    def profile(self, until_ms: int = 0) -> VolumeProfile | None:
        """Volume by price over the minute of `until_ms`, or of the newest trade, and the fourteen before; None without any."""
        newest = self._second // 60
        first = max(until_ms // 60_000, newest, PROFILE_MINUTES) - PROFILE_MINUTES + 1
        total: dict[int, float] = {}
        for minute in range(first, newest + 1):
            for row, usd in self._rows[minute % PROFILE_MINUTES].items():
                total[row] = total.get(row, 0.0) + usd
        return volume_profile(total, self._row_width, from_ms=first * 60_000) if total else None

    # -- inside -----------------------------------------------------------------------------------------------------

    def _go_to(self, time_ms: int, price: float, now_ms: int) -> _Cell:
        """Move to a trade's second and row; nowhere, and counted, when its time is too old or cannot be."""
        second = time_ms // 1000
        if time_ms > now_ms + MAX_AHEAD_MS:
            self.ahead += 1
            return _NOWHERE
        if self._second == 0:
            self._begin(second, price)
        if second > self._second:
            self._advance(second)
        elif second < self._second - LATE_S:
            self.late += 1
            return _NOWHERE
        width = self._row_width
        row = int(price / width)
        begin_ms = second * 1000
        rows = self._rows[second // 60 % PROFILE_MINUTES]
        self._at = at = (begin_ms, begin_ms + 1000, row * width, (row + 1) * width, second % WINDOW_S, row, rows)
        return at

    def _begin(self, second: int, price: float) -> None:
        self._first, self._second, self._day = second, second, second // 86_400
        self._row_width = nice_width(price * PROFILE_SHARE)

    def _advance(self, second: int) -> None:
        for passed in range(max(self._second + 1, second - WINDOW_S + 1), second + 1):
            slot = passed % WINDOW_S
            self._buy[slot] = self._sell[slot] = self._largest[slot] = 0.0
            self._trades[slot] = 0
        minute = second // 60
        for passed in range(max(self._second // 60 + 1, minute - PROFILE_MINUTES + 1), minute + 1):
            self._rows[passed % PROFILE_MINUTES] = {}
        self._second, self._at = second, _NOWHERE
        if second // 86_400 != self._day:
            self._day, self._cvd_day_usd, self._volume_day_usd = second // 86_400, 0.0, 0.0

    def _put(self, at: _Cell, buy: float, sell: float, trades: int, largest: float) -> None:
        _, _, _, _, slot, row, rows = at
        self._buy[slot] += buy
        self._sell[slot] += sell
        self._trades[slot] += trades
        if largest > self._largest[slot]:  # noqa: PLR1730
            self._largest[slot] = largest
        self._cvd_day_usd += buy - sell
        self._volume_day_usd += buy + sell
        rows[row] = rows.get(row, 0.0) + buy + sell


def with_clock(times_ms: Sequence[int], received_ms: int) -> Sequence[int]:
    """One venue's event times without what its clock goes ahead: nothing happened after it was received.

    Believed, they would make the trades of all other venues late. What no clock explains stays, and is counted as broken.
    """
    if max(times_ms, default=0) <= received_ms + CLOCK_MS:
        return times_ms
    return [received_ms if received_ms < one <= received_ms + MAX_AHEAD_MS else one for one in times_ms]


def _numbers() -> list[float]:
    """Zeros for a window, each an object of its own, so that the memory is taken at the start and not over its length."""
    return [0.0 * second for second in range(WINDOW_S)]


def _ring_spans(first: int, last: int) -> tuple[slice, slice]:
    """Where the seconds `first` to `last`, at most a window's, lie in the ring; empty slices where there are none."""
    if first > last:
        return slice(0), slice(0)
    start, end = first % WINDOW_S, last % WINDOW_S + 1
    return (slice(start, end), slice(0)) if start < end else (slice(start, WINDOW_S), slice(end))


def nice_width(about: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten at or above `about`."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= about * (1 - 1e-9))


def volume_profile(usd_by_row: dict[int, float], row_width: float, *, from_ms: int = 0) -> VolumeProfile:
    """POC and value area of rows given by number (lower edge = number x width); joins rows when there are too many."""
    while max(usd_by_row) - min(usd_by_row) >= MAX_ROWS:
        joined: dict[int, float] = {}
        for row, usd in usd_by_row.items():
            joined[row // 2] = joined.get(row // 2, 0.0) + usd
        usd_by_row, row_width = joined, row_width * 2
    low, high = min(usd_by_row), max(usd_by_row)
    volumes = [usd_by_row.get(row, 0.0) for row in range(low, high + 1)]
    middle = (len(volumes) - 1) / 2
    poc = min(range(len(volumes)), key=lambda row: (-volumes[row], abs(row - middle)))
    bottom, top = _value_area(volumes, poc)
    return VolumeProfile(
        from_ms=from_ms,
        rows=tuple(((low + index) * row_width, usd) for index, usd in enumerate(volumes)),
        row_width=row_width,
        poc=(low + poc + 0.5) * row_width,
        value_area_low=(low + bottom) * row_width,
        value_area_high=(low + top + 1) * row_width,
    )


def profile_of_closes(minutes: Iterable[tuple[float, float]], from_ms: int) -> VolumeProfile | None:
    """Of (close, USD) of minutes, each counted at its close: coarser than of trades by what a minute moves."""
    rows: dict[int, float] = {}
    width = 0.0
    for close, usd in minutes:
        width = width or nice_width(close * PROFILE_SHARE)
        row = math.floor(close / width)
        rows[row] = rows.get(row, 0.0) + usd
    return volume_profile(rows, width, from_ms=from_ms) if rows else None


def _value_area(volumes: Sequence[float], poc: int) -> tuple[int, int]:
    """First and last row of the value area: two rows at a time (detection.md 9)."""
    wanted = VALUE_AREA * math.fsum(volumes)
    bottom = top = poc
    held = volumes[poc]
    while held < wanted and (bottom > 0 or top < len(volumes) - 1):
        above = math.fsum(volumes[top + 1 : top + 3])
        below = math.fsum(volumes[max(0, bottom - 2) : bottom])
        if bottom == 0 or (top < len(volumes) - 1 and above >= below):
            top = min(top + 2, len(volumes) - 1)
            held += above
        else:
            bottom = max(bottom - 2, 0)
            held += below
    return bottom, top
