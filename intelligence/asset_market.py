"""What is known of one asset's market over all venues: trades, marks, funding and open interest; detection stands apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from intelligence.market import MarkPrice, OpenInterest
from intelligence.trade_window import WINDOW_S, TradeWindow, VolumeProfile, VolumeSums

VOLUME_SPANS_S = (60, 300, WINDOW_S)  # detection.md 7


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """One asset at `at_ms` (market time). Prices in USD a coin, sums in USD.

    `marks` and `open_interest`: the newest of every instrument by venue and name, each with its own time: whoever uses one
    judges its age. `trades_from_ms`: sums and profile hold everything from there on, None without any trade; `late_trades`
    and `broken_trades` were left out of them, by age and by an impossible time.
    """

    asset: str
    at_ms: int
    last_price: float | None
    marks: tuple[MarkPrice, ...]
    open_interest: tuple[OpenInterest, ...]
    volumes: tuple[VolumeSums, ...]
    cvd_day_usd: float
    profile: VolumeProfile | None
    trades_from_ms: int | None
    late_trades: int
    broken_trades: int


class AssetMarket:
    """The rolling state behind `MarketView`. Forgets all by its windows; instruments are few."""

    def __init__(self, asset: str) -> None:
        self._asset = asset
        self._trades = TradeWindow()
        self._marks: dict[tuple[str, str], MarkPrice] = {}
        self._open_interest: dict[tuple[str, str], OpenInterest] = {}

    def trades(
        self, times_ms: Sequence[int], prices: Sequence[float], coins: Sequence[float], *, received_ms: int
    ) -> None:
        """Take one batch of one venue; see `TradeWindow.add`."""
        self._trades.add(times_ms, prices, coins, now_ms=received_ms)

    def forget_trades(self) -> None:
        self._trades = TradeWindow()

    def mark(self, mark: MarkPrice) -> None:
        self._marks[mark.venue, mark.instrument] = mark

    def open_interest(self, record: OpenInterest) -> None:
        known = self._open_interest.get((record.venue, record.instrument))
        if known is None or record.exchange_ms >= known.exchange_ms:  # a poll may come in behind a push
            self._open_interest[record.venue, record.instrument] = record

    def view(self, now_ms: int) -> MarketView:
        trades = self._trades
        trades.move_to(now_ms)
        return MarketView(
            asset=self._asset,
            at_ms=now_ms,
            last_price=trades.last_price or None,
            marks=tuple(self._marks[key] for key in sorted(self._marks)),
            open_interest=tuple(self._open_interest[key] for key in sorted(self._open_interest)),
            volumes=tuple(trades.sums(seconds) for seconds in VOLUME_SPANS_S),
            cvd_day_usd=trades.cvd_day_usd,
            profile=trades.profile(),
            trades_from_ms=trades.complete_from_ms,
            late_trades=trades.late,
            broken_trades=trades.ahead,
        )
