"""What makes market time pass: stepping the model, or playing a tape."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from simulator.clock import ClockMap
from simulator.market import KEPT_LIQUIDATIONS, Market
from simulator.server import TICK_S, SimulatorServer
from simulator.tape import Tape

STEP_S = 0.1  # market seconds
POLL_S = 0.02  # real seconds between two looks at the clock
STEPS_AT_ONCE = 100  # then other tasks get their turn


def print_line(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def advance_market(server: SimulatorServer, market: Market, target_ms: int) -> None:
    """Step up to market time `target_ms` and deliver what became due at each step."""
    for _ in range(STEPS_AT_ONCE):
        if market.now_ms + STEP_S * 1000 > target_ms:
            return
        happened = market.step(STEP_S)
        for name, venue in server.venues.items():
            for frame in venue.due(happened, server.wanted(name)):
                server.publish(name, frame)
            if len(venue.shown) > KEPT_LIQUIDATIONS:
                venue.shown &= {row.position_id for row in market.liquidations}


async def run_market(server: SimulatorServer, market: Market) -> None:
    while not server.frozen:
        advance_market(server, market, server.clock.market_ms(server.now()))
        await asyncio.sleep(POLL_S)
    await asyncio.Event().wait()


async def run_ticks(server: SimulatorServer) -> None:
    while True:
        server.tick()
        await asyncio.sleep(TICK_S)


class TapePlayer:
    """Waits until every venue of the tape has a subscriber, then plays it after a lead-in.

    A venue nobody subscribes to is not waited for longer than `patience_s` after the first subscriber of any. Until
    the start, market time stands still just before the tape.
    """

    def __init__(
        self,
        server: SimulatorServer,
        tape: Tape,
        *,
        speed: float,
        lead_in_s: float = 1.0,
        patience_s: float = 10.0,
        report: Callable[[dict[str, Any]], None] = print_line,
    ) -> None:
        self._server = server
        self._tape = tape
        self._speed = speed
        self._lead_in_s = lead_in_s
        self._patience_s = patience_s
        self._report = report
        self._topics = {
            name: {topic for record in tape.records if record.venue == name for topic in record.topics}
            for name in tape.venues
        }
        self._first_seen_s: float | None = None
        self._due_s: tuple[float, ...] | None = None
        self._next = 0
        self.finished = False

    def play_due(self) -> None:
        """Do what is due now: start, send records, report the end."""
        if self.finished:
            return
        now_s = self._server.now()
        if self._due_s is None:
            if not self._ready(now_s):
                return
            self._due_s = self._start(now_s)
        while self._next < len(self._due_s) and self._due_s[self._next] <= now_s:
            record = self._tape.records[self._next]
            self._server.publish(record.venue, record.frame_for(self._server.wanted(record.venue)))
            self._next += 1
        if self._next == len(self._due_s):
            self.finished = True
            sent, missed = sum(self._server.sent.values()), sum(self._server.missed.values())
            self._report({"event": "tape_finished", "sent": sent, "missed": missed})

    def _ready(self, now_s: float) -> bool:
        subscribed = [any(map(self._server.wanted(name), topics)) for name, topics in self._topics.items()]
        if self._first_seen_s is None and any(subscribed):
            self._first_seen_s = now_s
        waited = self._first_seen_s is not None and now_s - self._first_seen_s >= self._patience_s
        return all(subscribed) or waited

    def _start(self, now_s: float) -> tuple[float, ...]:
        schedule = self._tape.schedule(now_s, self._speed, self._lead_in_s)
        for point in schedule.breakpoints:
            self._server.clock.add(point)
        self._report({"event": "clock", "clock": self._server.clock.as_json()})
        return schedule.due_s


def standing_clock(tape: Tape, now_s: float, speed: float, lead_in_s: float = 1.0) -> ClockMap:
    """Market time held at the beginning of the tape's lead-in."""
    return ClockMap([(now_s, tape.records[0].time_ms - round(lead_in_s * speed * 1000), 0.0)])


async def run_tape(player: TapePlayer) -> None:
    while not player.finished:
        player.play_due()
        await asyncio.sleep(POLL_S / 4)
