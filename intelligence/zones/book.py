"""Where an asset's open positions are liquidated, as far as open interest tells: coins by price, side, leverage and lifetime.

Both sides grow by what is opened (detection.md 10.3). What was closed is taken off all of a lifetime alike, every lifetime
fades by its half-life, and what mark price has passed is gone.
"""

from collections.abc import Iterator, Mapping
from math import log, sqrt

import msgspec

from intelligence.margin_tiers import MarginTier, MarginTiers, liquidation_price
from intelligence.market import PositionSide
from intelligence.zones.entries import Entry
from intelligence.zones.grid import CELL, CELLS, Density, cell_of, kernel
from intelligence.zones.leverage import LEVERAGES, KeptRates, LiquidationRates
from intelligence.zones.rules import BookRule

SIDES = (PositionSide.LONG, PositionSide.SHORT)
KERNEL_SIGMA = 0.25  # of a day's deviation, up to 10x; narrower for more (detection.md 10.3)
KERNEL_LEVERAGE = 10
LEAST_SIGMA = 0.0005  # bases between venues (ours)
USUAL_DAILY_SIGMA = 0.03  # while volatility is not known (ours)
OFFSETS_HOLD = 0.02  # a price must move by that part before liquidation prices are worked out anew

# What stands in for a venue whose tiers nobody has told: those of a usual large contract (ours).
STAND_IN = MarginTiers(
    venue="",
    instrument="",
    asset="",
    unit="usd",
    tiers=(MarginTier(cap=1e12, maintenance_rate=0.005, max_leverage=75),),
)

Offsets = dict[PositionSide, tuple[float, ...]]


class KeptBook(msgspec.Struct, frozen=True, kw_only=True):
    densities: tuple[tuple[int, bytes], ...]
    rates: KeptRates


class PositionBook:
    def __init__(self, rule: BookRule) -> None:
        self._rule = rule
        self.rates = LiquidationRates(rule)
        self._densities: dict[PositionSide, list[Density]] = {side: [] for side in SIDES}
        self._tiers: Mapping[str, MarginTiers] = {}
        self._offsets: dict[str, tuple[float, Offsets]] = {}
        self.unexplained = 0  # liquidations where the book had nothing

    # -- margins ------------------------------------------------------------------------------------------------------

    def set_tiers(self, tiers: Mapping[str, MarginTiers]) -> None:
        """What venues ask of positions in this asset; a venue without counts as the median of the others."""
        self._tiers = tiers
        self._offsets.clear()

    def maintenance_rate(self, venue: str) -> float:
        """Of a usual position."""
        return self._tiers_of(venue).tiers[0].maintenance_rate

    def _tiers_of(self, venue: str) -> MarginTiers:
        own = self._tiers.get(venue)
        if own is not None:
            return own
        known = sorted(self._tiers.values(), key=lambda one: (one.tiers[0].maintenance_rate, one.venue))
        return known[len(known) // 2] if known else STAND_IN

    def _offsets_of(self, venue: str, price: float) -> Offsets:
        """ln(liquidation price / entry price) by side and leverage, for a position of the usual size."""
        known = self._offsets.get(venue)
        if known is not None and abs(price / known[0] - 1) < OFFSETS_HOLD:
            return known[1]
        tiers = self._tiers_of(venue)
        most = tiers.max_leverage or max(LEVERAGES)
        coins = self._rule.position_usd / price
        found: Offsets = {}
        for side in SIDES:
            prices = (
                liquidation_price(tiers, side, entry=price, leverage=min(leverage, most), coins=coins)
                for leverage in LEVERAGES
            )
            found[side] = tuple(log(max(one, 0.01 * price) / price) for one in prices)
        self._offsets[venue] = (price, found)
        return found

    # -- positions ----------------------------------------------------------------------------------------------------

    def begin(self, price: float) -> None:
        """Lay out the grid around the first price; does nothing later than that."""
        if not self._densities[SIDES[0]]:
            centre = cell_of(price)
            for side in SIDES:
                self._densities[side] = [Density(centre) for _ in self.rates.kinds]

    def open(
        self, entry: Entry, daily_sigma: float | None, *, age_h: float = 0.0, between: tuple[float, float] | None = None
    ) -> None:
        """Take in what was opened `age_h` ago. `between`: the prices since then; what lies within is gone."""
        offsets = self._offsets_of(entry.venue, entry.price)
        entry_cells = log(entry.price) / CELL
        left = [entry.coins * 0.5 ** (age_h / life_h) for life_h in self._rule.lifetimes_h]
        for place, leverage in enumerate(LEVERAGES):
            weights = kernel(self._tenths(leverage, daily_sigma, entry.spread))
            for side in SIDES:
                cell = int(entry_cells + offsets[side][place] / CELL // 1)
                if between is not None and _is_gone(side, cell, between):
                    continue
                for life, coins in enumerate(left):
                    self._densities[side][life * len(LEVERAGES) + place].add(cell, coins, weights)

    def _tenths(self, leverage: int, daily_sigma: float | None, spread: float) -> int:
        usual = KERNEL_SIGMA * (daily_sigma or USUAL_DAILY_SIGMA) * min(1.0, KERNEL_LEVERAGE / leverage)
        return round(10 * sqrt(usual**2 + spread**2 / 3 + LEAST_SIGMA**2) / CELL)

    def close(self, share: float) -> None:
        """That share of all positions was closed by their owners."""
        if share > 0:
            for density in self._all():
                density.fade(1.0 - min(share, 1.0))

    def age(self, minutes: float = 1.0) -> None:
        for kind, (life, _) in enumerate(self.rates.kinds):
            factor = 0.5 ** (minutes / (60 * self._rule.lifetimes_h[life]))
            for side in SIDES:
                self._densities[side][kind].fade(factor)

    def _all(self) -> Iterator[Density]:
        for side in SIDES:
            yield from self._densities[side]

    # -- price and liquidations ---------------------------------------------------------------------------------------

    def liquidated(self, side: PositionSide, price: float, coins: float) -> None:
        """A liquidation of before the sweep of its minute, by the mark price that caused it."""
        cell = cell_of(price)
        if not self.rates.liquidated(coins, [density.at(cell) for density in self._densities[side]]):
            self.unexplained += 1

    def sweep(self, low: float, high: float) -> None:
        """Mark price went from `low` to `high`: longs liquidated above, shorts below are gone."""
        centre = cell_of((low * high) ** 0.5)
        for side in SIDES:
            densities = self._densities[side]
            if side is PositionSide.LONG:
                cells = (cell_of(low) + 1, densities[0].first + CELLS)
            else:
                cells = (densities[0].first, cell_of(high))
            self.rates.passed([density.sweep(*cells) for density in densities])
            for density in densities:
                density.move_to(centre)

    # -- reading ------------------------------------------------------------------------------------------------------

    def expected_coins(self, side: PositionSide, first: int, after: int) -> list[float]:
        """Coins that are expected to be liquidated in each cell from `first` to before `after`, once price has passed it."""
        densities = self._densities[side]
        total = [0.0] * (after - first)
        for density, rate in zip(densities, self.rates.rates, strict=True):
            factor = rate * density.scale
            if factor:
                total = [have + factor * more for have, more in zip(total, density.between(first, after), strict=True)]
        return total

    def kept(self) -> KeptBook:
        return KeptBook(densities=tuple(density.kept() for density in self._all()), rates=self.rates.kept())

    def restore(self, kept: KeptBook) -> None:
        """Raises ValueError when it is of another grid or of other kinds."""
        kinds = len(self.rates.kinds)
        densities = [Density.restored(one) for one in kept.densities]
        if len(densities) not in {0, kinds * len(SIDES)}:
            raise ValueError("positions of other kinds")
        self.rates.restore(kept.rates)
        for place, side in enumerate(SIDES):
            self._densities[side] = densities[place * kinds : (place + 1) * kinds]


def _is_gone(side: PositionSide, cell: int, between: tuple[float, float]) -> bool:
    low, high = between
    return cell > cell_of(low) if side is PositionSide.LONG else cell < cell_of(high)
