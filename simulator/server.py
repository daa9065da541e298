"""The HTTP server on loopback: routes calls to the venues' protocols, keeps the sessions, delivers frames."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from simulator.clock import ClockMap
from simulator.control import control_routes
from simulator.faults import HTTP_STATUS, FaultBook
from simulator.lies import spoil
from simulator.market import Market
from simulator.session import Session
from simulator.venue import Call, Frame, HttpReply, Venue

HOST = "127.0.0.1"
TICK_S = 0.25
KEPT_CONNECTIONS = 200  # that ended, of which it is still told what they were sent
SLOW_REPLY_S = 1.0  # by which the fault `slow` delays a REST reply
STALLED_S = 60.0  # after which a REST call that hung for the fault `stall` is cut off


class SimulatorServer:
    """Serves `/<venue>/...` of every venue and `/_sim/...`.

    `market` is None when a tape is the truth. `speed` is that of market time after `go`; `announce` hears of it.
    """

    def __init__(
        self,
        venues: Iterable[Venue],
        *,
        clock: ClockMap,
        market: Market | None = None,
        speed: float = 1.0,
        announce: Callable[[dict[str, Any]], None] | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.venues = {venue.name: venue for venue in venues}
        self.sessions: dict[str, set[Session]] = {name: set() for name in self.venues}
        self.faults = FaultBook(now)
        self.clock = clock
        self.market = market
        self.now = now
        self._speed = speed
        self._announce = announce
        self.sent = dict.fromkeys(self.venues, 0)
        self.missed = dict.fromkeys(self.venues, 0)
        self.gone: deque[dict[str, Any]] = deque(maxlen=KEPT_CONNECTIONS)
        self.frozen = False  # the market ended, the venues stay
        self._connections = 0
        self._sleep = sleep
        self._runner: web.AppRunner | None = None

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(control_routes(self))
        app.router.add_route("*", "/{venue}/{path:.*}", self._handle)
        return app

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; returns the port."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        addresses = self._runner.addresses
        return int(addresses[0][1])

    async def stop(self) -> None:
        for session in self.all_sessions():
            session.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def connections(self) -> list[dict[str, Any]]:
        """What each connection was sent: the latest ones that ended, then those that are open."""
        return [*self.gone, *(session.summary(is_open=True) for session in self.all_sessions())]

    def go(self, market_s: float | None) -> None:
        """Let market time that stands still pass, for so long or without an end. Raises ValueError while it passes."""
        if self.market is None:
            raise ValueError("go: a tape starts by itself")
        if market_s is not None and market_s <= 0:
            raise ValueError(f"market_s: expected more than 0, was {market_s:g}")
        now_s = self.now()
        if self.clock.breakpoints[-1][2] or self.clock.breakpoints[-1][0] > now_s:
            raise ValueError("go: market time passes already")
        here_ms = self.clock.market_ms(now_s)
        self.clock.add((now_s, here_ms, self._speed))
        if market_s is not None:
            self.clock.add((now_s + market_s / self._speed, here_ms + round(market_s * 1000), 0.0))
        if self._announce is not None:
            self._announce({"event": "clock", "clock": self.clock.as_json()})

    def all_sessions(self) -> list[Session]:
        return [session for sessions in self.sessions.values() for session in sessions]

    def tick(self) -> None:
        for session in self.all_sessions():
            session.tick()

    def wanted(self, venue: str) -> Callable[[str], bool]:
        """Whether a topic has a subscriber; good until the next client comes or goes."""
        sessions = self.sessions[venue]
        if len(sessions) == 1:
            (only,) = sessions
            return lambda topic: topic in only.connection.topics
        return lambda topic: any(topic in session.connection.topics for session in sessions)

    def publish(self, venue: str, frame: Frame) -> int:
        """Deliver to every subscriber, and tell how many there are; counted as missed when there is none."""
        receivers = sum([session.offer(frame) for session in self.sessions[venue]])
        if receivers:
            self.sent[venue] += 1
        else:
            self.missed[venue] += 1
        return receivers

    def drop_clients(self, venue: str) -> None:
        for session in list(self.sessions[venue]):
            session.cut()

    def stats(self) -> dict[str, Any]:
        return {
            name: {
                "clients": len(sessions),
                "topics": sorted({topic for session in sessions for topic in session.connection.topics}),
                "frames_published": self.sent[name],
                "frames_missed": self.missed[name],
            }
            for name, sessions in self.sessions.items()
        }

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        venue = self.venues.get(request.match_info["venue"])
        if venue is None:
            return web.Response(status=404, text="no such venue")
        if self.faults.take(venue.name, "vanish"):
            return _cut(request)
        for kind, status in HTTP_STATUS.items():
            if self.faults.take(venue.name, kind):
                return _response(venue.refusal(status))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request, venue)
        if request.method != venue.rest_method:
            return web.Response(status=405)
        call = await _call(request)
        if self.faults.active(venue.name, "stall"):
            await self._sleep(STALLED_S)
            return _cut(request)
        if self.faults.take(venue.name, "slow"):
            await self._sleep(SLOW_REPLY_S)
        reply = venue.rest(call, self.now())
        if self.faults.take(venue.name, "lie"):
            reply = replace(reply, body=spoil(reply.body, self.faults.struck["lie"]))
        return _response(reply)

    async def _serve_socket(self, request: web.Request, venue: Venue) -> web.StreamResponse:
        if self.faults.active(venue.name, "drop"):
            return web.Response(status=503)
        if venue.most_connections is not None and len(self.sessions[venue.name]) >= venue.most_connections:
            return _response(venue.refusal(429))
        connection = venue.connect(await _call(request), self.now())
        if isinstance(connection, HttpReply):
            return _response(connection)
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        self._connections += 1
        session = Session(
            number=self._connections,
            venue=venue.name,
            connection=connection,
            socket=socket,
            transport=transport,
            faults=self.faults,
            now=self.now,
            sleep=self._sleep,
        )
        self.sessions[venue.name].add(session)
        try:
            await session.run()
        finally:
            self.sessions[venue.name].discard(session)
            self.gone.append(session.summary(is_open=False))
        return socket


def _cut(request: web.Request) -> web.Response:
    """Close the connection before anything is answered."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


async def _call(request: web.Request) -> Call:
    return Call(
        path="/" + request.match_info["path"],
        query=dict(request.query),
        method=request.method,
        headers={name.lower(): text for name, text in request.headers.items()},
        body=await request.text() if request.method == "POST" else "",
    )


def _response(reply: HttpReply) -> web.Response:
    headers: Mapping[str, str] = reply.headers
    return web.Response(status=reply.status, text=reply.body, content_type=reply.content_type, headers=headers)
