"""A simulator of all venues in this process, stepped while a client waits for something."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from simulator.assembly import market_server
from simulator.book import TrueLiquidation
from simulator.clock import ClockMap
from simulator.listings import VENUES
from simulator.market import Market
from tests.simulator.serving import START_MS, Time, a_liquidation

HARD_LIMIT_S = 20.0


class Run:
    """Market time passes only inside `until`; replies of REST can be compared with the market to the digit."""

    def __init__(self) -> None:
        self.market = Market(seed=7, start_ms=START_MS, assets=6, venues=VENUES, trades_per_s=400.0)
        self.server = market_server(self.market, ClockMap([(0.0, START_MS, 1.0)]), venues=VENUES, now=Time(0.0))
        self.port = 0

    def step(self, *more: TrueLiquidation) -> None:
        happened = [*self.market.step(0.1), *more]
        for name, venue in self.server.venues.items():
            for frame in venue.due(happened, self.server.wanted(name)):
                self.server.publish(name, frame)

    async def until(self, wish: Awaitable, more: Callable[[], tuple[TrueLiquidation, ...]] = tuple):
        """What the client hands over, with as many steps as that takes; `more` happens in each of them."""
        async with asyncio.timeout(HARD_LIMIT_S):
            reading = asyncio.ensure_future(wish)
            while not reading.done():
                self.step(*more())
                for _ in range(10):
                    await asyncio.sleep(0)
            return await reading

    def trade(self, venue: str, symbol: str, ident: int):
        """The market's own record of a trade."""
        recent = self.market.flow.contracts[venue, symbol].recent
        return next(trade for trade in recent if trade.ident == ident)

    def listing(self, venue: str, symbol: str):
        return self.market.flow.contracts[venue, symbol].listing

    def one_liquidation(self, venue: str, symbol: str, *, is_long: bool) -> tuple[TrueLiquidation, ...]:
        row = a_liquidation(venue=venue, symbol=symbol, time_ms=self.market.now_ms, is_long=is_long, position_id=10**6)
        return (row,)

    def local(self, url: str, venue: str) -> str:
        """The same address, but for its host."""
        scheme, _, rest = url.partition("://")
        path = rest.partition("/")[2]
        return f"{'ws' if scheme.startswith('ws') else 'http'}://127.0.0.1:{self.port}/{venue}/{path}".rstrip("/")


@asynccontextmanager
async def running():
    run = Run()
    run.port = await run.server.start()
    try:
        yield run
    finally:
        await run.server.stop()
