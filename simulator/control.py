"""`/_sim`: the clock, the truth behind the feeds, counters, and faults."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from simulator.faults import FaultError
from simulator.venue import Frame, compact

if TYPE_CHECKING:
    from simulator.server import SimulatorServer


def control_routes(server: "SimulatorServer") -> list[web.RouteDef]:
    control = _Control(server)
    return [
        web.get("/_sim/clock", control.clock),
        web.post("/_sim/go", control.go),
        web.get("/_sim/stats", control.stats),
        web.get("/_sim/truth/liquidations", control.liquidations),
        web.get("/_sim/truth/open_interest", control.open_interest),
        web.get("/_sim/truth/trades", control.trades),
        web.get("/_sim/truth/positions", control.positions),
        web.post("/_sim/freeze", control.freeze),
        web.post("/_sim/publish", control.publish),
        web.post("/_sim/news", control.news),
        web.get("/_sim/faults", control.list_faults),
        web.post("/_sim/faults", control.add_fault),
        web.delete("/_sim/faults", control.clear_faults),
    ]


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(text=compact(value), status=status, content_type="application/json")


class _Control:
    def __init__(self, server: "SimulatorServer") -> None:
        self._server = server

    async def clock(self, _request: web.Request) -> web.Response:
        clock = self._server.clock
        return _json({"clock": clock.as_json(), "market_ms": clock.market_ms(self._server.now())})

    async def go(self, request: web.Request) -> web.Response:
        """Body: `{"market_s"}`, the length of market time to pass before it stands still again, or `{}` for no end."""
        try:
            body = await request.json()
            self._server.go(None if body.get("market_s") is None else float(body["market_s"]))
        except (AttributeError, TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return await self.clock(request)

    async def stats(self, _request: web.Request) -> web.Response:
        faults = {"in_force": self._server.faults.as_json(), "struck": self._server.faults.struck}
        return _json({"venues": self._server.stats(), "faults": faults})

    async def liquidations(self, request: web.Request) -> web.Response:
        """The liquidations at or after `since_ms`; `shown` says whether the venue's feed brought it so far.

        `count` is that of all since the start; only the latest are kept (market.py).
        """
        market = self._server.market
        if market is None:
            return _no_truth()
        since_ms = _whole_number(request, "since_ms")
        if since_ms is None:
            return _json({"error": "since_ms: expected milliseconds"}, 400)
        shown = {ident for venue in self._server.venues.values() for ident in venue.shown}
        rows = [row for row in market.liquidations if row.time_ms >= since_ms]
        told = [row.as_json() | {"shown": row.position_id in shown} for row in rows]
        return _json({"count": market.liquidation_count, "liquidations": told})

    async def open_interest(self, _request: web.Request) -> web.Response:
        market = self._server.market
        if market is None:
            return _no_truth()
        rows = [
            {
                "venue": venue,
                "asset": name,
                "symbol": book.listings[venue].symbol,
                "quantity": coins.one_side,
                "notional_usd": coins.one_side * book.venue_price(venue, book.price.mark),
            }
            for name, book in market.books.items()
            for venue, coins in book.open_coins.items()
        ]
        return _json({"time_ms": market.now_ms, "open_interest": rows})

    async def trades(self, _request: web.Request) -> web.Response:
        """How many trades each contract had since the start, numbered from 1 without a gap, and who was sent which."""
        market = self._server.market
        if market is None:
            return _no_truth()
        rows = [
            {"venue": venue, "asset": contract.listing.asset, "symbol": symbol, "count": contract.candles.trades}
            for (venue, symbol), contract in market.flow.contracts.items()
        ]
        return _json({"time_ms": market.now_ms, "trades": rows, "connections": self._server.connections()})

    async def positions(self, request: web.Request) -> web.Response:
        market = self._server.market
        if market is None:
            return _no_truth()
        book = market.books.get(request.query.get("asset", ""))
        if book is None:
            return _json({"error": "asset: expected the name of an asset, as in ?asset=BTC"}, 400)
        rows = [position.as_json() for position in book.positions]
        return _json({"time_ms": market.now_ms, "mark_price": book.price.mark, "positions": rows})

    async def freeze(self, _request: web.Request) -> web.Response:
        """End the market: nothing happens any more, sockets and REST stay. So whoever counts can compare."""
        self._server.frozen = True
        return _json({"frozen": True})

    async def publish(self, request: web.Request) -> web.Response:
        """Body: `{"venue","topic","payload"}`: send a frame that the market did not make, as it stands, to whoever subscribed."""
        try:
            body = await request.json()
            venue, frame = str(body["venue"]), Frame(str(body["topic"]), compact(body["payload"]))
            receivers = self._server.publish(venue, frame)
        except (KeyError, TypeError, ValueError) as error:
            return _json({"error": repr(error)}, 400)
        return _json({"receivers": receivers})

    async def news(self, request: web.Request) -> web.Response:
        """Body: `{"asset","move","seconds"}`: push an asset's price by that return, beginning now."""
        market = self._server.market
        if market is None:
            return _no_truth()
        try:
            body = await request.json()
            market.hear_news(str(body["asset"]), move=float(body["move"]), lasts_s=float(body["seconds"]))
        except (KeyError, TypeError, ValueError) as error:
            return _json({"error": repr(error)}, 400)
        return _json(body)

    async def list_faults(self, _request: web.Request) -> web.Response:
        return _json(self._server.faults.as_json())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Body: `{"venue","kind","count","seconds"}`; kind `clear` ends the venue's faults.

        `drop` cuts every connection now, and refuses new ones for `seconds` when that is given; `vanish` cuts them too.
        """
        try:
            self._set_fault(await request.json())
        except (FaultError, KeyError, TypeError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return _json(self._server.faults.as_json())

    def _set_fault(self, body: dict[str, Any]) -> None:
        venue, kind = body["venue"], body["kind"]
        if venue not in self._server.venues:
            raise FaultError(f"venue: expected one of {', '.join(self._server.venues)}, was {venue!r}")
        if kind == "clear":
            self._server.faults.clear(venue)
            return
        count, seconds = body.get("count"), body.get("seconds")
        if kind in ("drop", "vanish"):
            self._server.drop_clients(venue)
        if kind == "drop" and seconds is None:
            return
        self._server.faults.add(venue, kind, count=count, seconds=seconds)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._server.faults.clear()
        return _json([])


def _no_truth() -> web.Response:
    return _json({"error": "a tape has no truth behind it"}, 404)


def _whole_number(request: web.Request, name: str) -> int | None:
    try:
        return int(request.query.get(name, "0"))
    except ValueError:
        return None
