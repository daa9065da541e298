"""Hours of the simulated market in this process: its truth, and what decoders make of the frames of its venues.

Nothing but the seed decides: no socket, no clock. Binance and OKX are capped, Bybit is complete and sends every 500 ms.
Frames arrive when they are sent; marks are Binance's, one a second. Trades are left out but for the forced ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from actors.exchanges.exchange import CORE_FEEDS, Exchange, Feed, Instrument, RestCall
from actors.exchanges.registry import EXCHANGES
from actors.frame_intake import FrameIntake
from benchmarks.cascades.reference import ForcedOrder
from intelligence.market import Control, Decoded, Liquidation, MarkPrice, PositionSide
from intelligence.thresholds.tiered import MarketFacts
from simulator.assembly import market_server
from simulator.assets import ASSETS, Asset
from simulator.clock import ClockMap
from simulator.driver import STEP_S
from simulator.listings import DEFAULT_VENUES
from simulator.market import MARKET_DAILY_VOLATILITY, Market
from simulator.venue import Call, Connection, Frame, HttpReply, Venue

START_MS = int(datetime(2026, 11, 18, 14, tzinfo=UTC).timestamp() * 1000)  # a Wednesday, the american session
HOUR_MS = 3_600_000
ASSETS_WATCHED = 50
MARKS_OF = "binance"
IDLE_SPEED = 36_000.0  # so that candles and tickers, which nobody here wants, are looked at every few hours

Seen = Liquidation | MarkPrice


@dataclass(frozen=True, slots=True)
class Read:
    """What one frame came to."""

    at_ms: int
    seen: tuple[Seen, ...]


class SimulatedHours:
    """One seed's market. Iterate over it once; `orders` then holds the truth."""

    def __init__(self, seed: int, hours: float, *, start_ms: int = START_MS) -> None:
        self.from_ms, self.until_ms = start_ms, start_ms + round(hours * HOUR_MS)
        self.market = Market(seed=seed, start_ms=start_ms, assets=ASSETS_WATCHED, trades_per_s=0.0)
        self.orders: list[ForcedOrder] = []
        server = market_server(self.market, ClockMap([(0.0, start_ms, 1.0)]), speed=IDLE_SPEED, now=lambda: 0.0)
        self._lines = {name: _lines(venue, EXCHANGES[name]) for name, venue in server.venues.items()}
        self._venues = server.venues

    @property
    def depth_usd(self) -> dict[str, float]:
        share = self.market.rules.depth_share
        return {name: share * book.asset.turnover_usd for name, book in self.market.books.items()}

    def __iter__(self) -> Iterator[Read]:
        while self.market.now_ms < self.until_ms:
            happened = self.market.step(STEP_S)
            now_ms = self.market.now_ms
            self.orders += [
                ForcedOrder(
                    asset=one.asset,
                    side=PositionSide.LONG if one.is_long else PositionSide.SHORT,
                    at_ms=one.time_ms,
                    usd=one.notional_usd,
                )
                for one in happened
            ]
            for name, venue in self._venues.items():
                for frame in venue.due(happened, self._wanted(name)):
                    seen = self._read(name, frame, now_ms)
                    if seen:
                        yield Read(now_ms, seen)

    def _wanted(self, venue: str) -> Callable[[str], bool]:
        lines = self._lines[venue]
        return lambda topic: any(topic in line.connection.topics for line in lines)

    def _read(self, venue: str, frame: Frame, now_ms: int) -> tuple[Seen, ...]:
        found: list[Decoded] = []
        for line in self._lines[venue]:
            if frame.topic in line.connection.topics:
                found += line.intake.records(line.connection.wrap(frame).encode(), now_ms)
        return tuple(one for one in found if isinstance(one, Liquidation | MarkPrice))


@dataclass(frozen=True, slots=True)
class _Line:
    connection: Connection
    intake: FrameIntake


def _lines(venue: Venue, exchange: Exchange) -> Sequence[_Line]:
    """The sockets that the daemon would open at this venue, subscribed."""
    instruments = _instruments(venue, exchange)
    assets = frozenset(asset.name for asset in ASSETS[:ASSETS_WATCHED])
    feeds = CORE_FEEDS if venue.name == MARKS_OF else frozenset({Feed.LIQUIDATIONS})
    lines = []
    for plan in exchange.sockets(instruments.values(), assets, feeds):
        path, _, query = plan.path.partition("?")
        headers = {name.lower(): value for name, value in plan.headers}
        call = Call(path, dict(pair.split("=", 1) for pair in query.split("&") if pair), headers=headers)
        connection = venue.connect(call, 0.0)
        assert not isinstance(connection, HttpReply), connection
        for number, frame in enumerate(plan.subscribe):
            for _ in connection.receive(frame.decode(), float(number)):
                pass
        intake = FrameIntake(
            exchange=exchange, feeds=plan.feeds, instruments=instruments, on_control=_ignore, on_problem=_fail
        )
        lines.append(_Line(connection, intake))
    return lines


def _instruments(venue: Venue, exchange: Exchange) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    call: RestCall | None = exchange.instruments_call()
    while call is not None:
        asked = Call(call.path, dict(call.params), call.method, dict(call.headers), call.body.decode())
        page = exchange.read_instruments(venue.rest(asked, 0.0).body.encode(), call)
        found |= {one.instrument: one for one in page.instruments}
        call = page.following
    return found


def facts_of(asset: Asset) -> MarketFacts:
    """What the daemon would know of an asset after a week on these venues, its market cap apart."""
    volatility = (asset.daily_volatility**2 + (asset.beta * MARKET_DAILY_VOLATILITY) ** 2) ** 0.5
    return MarketFacts(daily_volume_usd=asset.turnover_usd, volatility=volatility, volatility_days=30)


def able() -> tuple[str, ...]:
    return tuple(DEFAULT_VENUES)


def _ignore(_control: Control) -> None:
    """Acks and pongs tell nothing of the market."""


def _fail(_count: int, text: str) -> None:
    raise AssertionError(text)
