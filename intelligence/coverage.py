"""What a capped feed may have left out, learned by capping a complete one (detection.md 5.4).

An estimate beside what was seen, and nothing else: no threshold and no severity may use it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from intelligence.market import Coverage, Liquidation

SECOND_MS = 1_000
WINDOW_MS = 10_000
DAY_MS = 86_400_000


class Kept(StrEnum):
    """What a venue pushes of the orders of one second: the largest, or the latest. Venues do not say which, or change it."""

    LARGEST = "largest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalRule:
    """All ours but the quantiles. `edges`: orders seen in 10 s at which a new bin begins; with one order a second 10 are the
    most. `least_windows`, `least_days`: a bin with less says nothing. `kept_days`: how long a day counts. `low`, `high`:
    quantiles over days of 1/k (5.4).
    """

    edges: tuple[int, ...] = (1, 2, 4, 7)
    least_windows: int = 30
    least_days: int = 5
    kept_days: int = 28
    low: float = 0.10
    high: float = 0.90

    def bin_of(self, orders: int) -> int:
        return sum(orders >= edge for edge in self.edges) - 1


class Range(NamedTuple):
    """USD. Never below what was seen."""

    low: float
    high: float


@dataclass(slots=True)
class _Sums:
    full: float = 0.0
    kept: float = 0.0
    windows: int = 0


class CapSurvival:
    """Of one asset. Feed it the liquidations of a complete venue in about the order of time; ask about capped ones."""

    def __init__(self, rule: SurvivalRule | None = None) -> None:
        self._rule = rule or SurvivalRule()
        self._open: dict[str, list[Liquidation]] = {}
        self._days: dict[int, dict[tuple[Kept, int], _Sums]] = {}

    def observe(self, liquidation: Liquidation) -> None:
        """Take one; those of capped and aggregate feeds teach nothing and are left out."""
        if liquidation.coverage is not Coverage.COMPLETE:
            return
        window = self._open.setdefault(liquidation.instrument, [])
        if window and window[0].exchange_ms // WINDOW_MS < liquidation.exchange_ms // WINDOW_MS:
            self._close(window)
            window.clear()
        if not window or liquidation.exchange_ms // WINDOW_MS == window[0].exchange_ms // WINDOW_MS:
            window.append(liquidation)

    def estimate(self, seen: Iterable[Liquidation]) -> Range | None:
        """What the orders of capped feeds among these stand for, with the others as they are.

        None where a bin that is needed has not been learned, or where nothing was capped.
        """
        whole, capped = 0.0, defaultdict[tuple[str, str, int], list[Liquidation]](list)
        for one in seen:
            if one.coverage is Coverage.CAPPED:
                capped[one.venue, one.instrument, one.exchange_ms // WINDOW_MS].append(one)
            else:
                whole += one.notional_usd
        if not capped:
            return None
        low = high = whole
        for orders in capped.values():
            factors = self.factors(len(orders))
            if factors is None:
                return None
            usd = sum(one.notional_usd for one in orders)
            low, high = low + usd * factors.low, high + usd * factors.high
        return Range(low, high)

    def factors(self, orders: int) -> Range | None:
        """How many times what is seen happened, when a capped feed shows so many orders in 10 s: 1 at the least.

        Over both ways to cap, since it is not known which one the venue takes.
        """
        bounds = [found for kept in Kept if (found := self._bounds(kept, self._rule.bin_of(orders))) is not None]
        if len(bounds) < len(Kept):
            return None
        return Range(max(min(one.low for one in bounds), 1.0), max(one.high for one in bounds))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _close(self, window: Sequence[Liquidation]) -> None:
        day = window[0].exchange_ms // DAY_MS
        sums = self._days.setdefault(day, {})
        full = sum(one.notional_usd for one in window)
        for kept in Kept:
            rows = capped(window, kept)
            entry = sums.setdefault((kept, self._rule.bin_of(len(rows))), _Sums())
            entry.full += full
            entry.kept += sum(one.notional_usd for one in rows)
            entry.windows += 1
        for old in [known for known in self._days if known <= day - self._rule.kept_days]:
            del self._days[old]

    def _bounds(self, kept: Kept, place: int) -> Range | None:
        entries = [sums[kept, place] for sums in self._days.values() if (kept, place) in sums]
        enough = len(entries) >= self._rule.least_days
        if not enough or sum(entry.windows for entry in entries) < self._rule.least_windows:
            return None
        ratios = sorted(entry.full / entry.kept for entry in entries)
        last = len(ratios) - 1
        return Range(ratios[int(self._rule.low * last)], ratios[-1 - int((1 - self._rule.high) * last)])


def capped(orders: Sequence[Liquidation], kept: Kept) -> list[Liquidation]:
    """What a feed that pushes one order a second would have shown of one contract's orders."""
    by_second: dict[int, Liquidation] = {}
    for one in orders:
        second = one.exchange_ms // SECOND_MS
        known = by_second.get(second)
        latest = known is None or one.exchange_ms >= known.exchange_ms
        larger = known is None or one.notional_usd > known.notional_usd
        if larger if kept is Kept.LARGEST else latest:
            by_second[second] = one
    return list(by_second.values())


def estimated_pairs(seen_usd: float, estimate: Range | None) -> tuple[tuple[str, float], ...]:
    """For `Alert.estimated`: nothing where there is no estimate, or none above what was seen."""
    if estimate is None or estimate.high <= seen_usd:
        return ()
    return (("low_usd", max(estimate.low, seen_usd)), ("high_usd", estimate.high))
