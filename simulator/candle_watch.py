"""Which minutes a candle stream has to show next."""

from collections.abc import Iterable

from simulator.candles import Candle
from simulator.venue import Source


class CandleWatch:
    """A minute is shown while it changes, and once more when it closes."""

    def __init__(self, source: Source, venue: str) -> None:
        self._source = source
        self._venue = venue
        self._shown: dict[str, tuple[int, int]] = {}

    def changed(self, symbol: str) -> Iterable[tuple[Candle, bool]]:
        """Candles, and whether each is closed, oldest first."""
        open_ms, trades = self._shown.get(symbol, (self._source.now_ms, -1))
        minutes = self._source.minutes(self._venue, symbol, open_ms)
        for candle in minutes:
            is_closed = candle is not minutes[-1]
            if is_closed or (candle.open_ms, candle.trades) != (open_ms, trades):
                yield candle, is_closed
        if minutes:
            self._shown[symbol] = minutes[-1].open_ms, minutes[-1].trades
