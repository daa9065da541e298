"""A connection actor before a stand: recorders in the places it speaks to, and time that the test moves."""

import threading

from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.connection import Connection, ConnectionRules
from actors.exchanges.exchange import Instrument, Keepalive, SocketPlan
from actors.mailbox import MailboxSpec
from actors.messages.feeds import ConnectionChanged
from actors.messages.market import LiquidationsSeen, MarksSeen
from actors.socket_reader import SocketRules
from tests.feed_stand.server import FeedStand
from tests.feed_stand.venues import T0, bybit_answer
from tests.telegram_stand.stage import Stage, wait_for

PATH = "/core/feeds/bybit-linear-1"
SOCKET = SocketRules(connect_timeout_s=5.0, subscribe_ack_s=10.0, max_frame_bytes=64 * 1024)
KEEPALIVE = Keepalive(ping=b'{"op":"ping"}', every_s=20.0, silent_s=45.0, max_age_s=1000.0)
RULES = ConnectionRules(socket=SOCKET, backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0), dedup_s=5.0)


def a_plan(**overrides):
    fields = {
        "name": "linear-1",
        "path": "/v5/public/linear",
        "subscribe": (b'{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}',),
        "acks": 1,
        "data_within_s": None,
        "brings_liquidations": True,
    }
    return SocketPlan(**(fields | overrides))


def instruments(*symbols, venue="bybit"):
    return tuple(Instrument(venue=venue, instrument=one, asset=one[:-4]) for one in symbols)


def readers(part=""):
    return [thread.name for thread in threading.enumerate() if "/reader-" in thread.name and part in thread.name]


class Feed:
    """`streams`: assets whose symbol streams are recorded from the start. `logs`: what the daemon logged."""

    def __init__(self, *, answer=bybit_answer, streams=("BTC", "ETH"), tls=None):
        self.stand = FeedStand(answer, tls)
        self.stage = Stage(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.venues = self.stage.record(paths.VENUES)
        self.catalogue = self.stage.record(f"{paths.CATALOGUES}/bybit")
        self.streams = {asset: self.stage.record(paths.symbol_path(asset)) for asset in streams}
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()
        self.path = PATH

    def open(self, **overrides):
        self.path = f"{paths.FEEDS}/{overrides.get('child_id', 'bybit-linear-1')}"
        self.stage.system.place(self.path, MailboxSpec())
        arguments = {
            "child_id": "bybit-linear-1",
            "venue": "bybit",
            "ws_url": self.stand.ws_url,
            "plan": a_plan(),
            "keepalive": KEEPALIVE,
            "instruments": instruments("BTCUSDT", "ETHUSDT"),
            "assets": frozenset({"BTC"}),
            "rules": RULES,
        }
        self.stage.start(self.path, Connection, **(arguments | overrides))
        return self

    def up(self, times=1, **overrides):
        """Open and wait until the first socket is up."""
        self.open(**overrides)
        self.wait_state("up", times)
        return self.stand.socket(1)

    def states(self):
        """Changes of state, repetitions left out."""
        told = [letter for letter in self.venues if isinstance(letter, ConnectionChanged)]
        return [one for before, one in zip([None, *told], told, strict=False) if one is not before]

    def wait_state(self, state, times=1):
        wait_for(lambda: sum(one.state == state for one in self.states()) >= times, f"{times} times {state}")
        return [one for one in self.states() if one.state == state][times - 1]

    def log_of(self, event, times=1):
        wait_for(lambda: sum(entry["event"] == event for entry in tuple(self.logs)) >= times, f"the log of {event}")
        return [entry for entry in tuple(self.logs) if entry["event"] == event][times - 1]

    def liquidations(self, asset="BTC", letters=1):
        """The first `letters` letters with liquidations of an asset."""
        box = self.streams[asset]
        wait_for(lambda: sum(isinstance(one, LiquidationsSeen) for one in box) >= letters, f"{letters} of {asset}")
        return [one for one in tuple(box) if isinstance(one, LiquidationsSeen)]

    def marks(self, asset="BTC", letters=1):
        box = self.streams[asset]
        wait_for(lambda: sum(isinstance(one, MarksSeen) for one in box) >= letters, f"{letters} marks of {asset}")
        return [one.mark for one in tuple(box) if isinstance(one, MarksSeen)]

    def pass_until(self, condition, what, step_s=1.0, most_s=600.0):
        """Let time pass in steps until `condition()` holds: one step a look, so that the reader sees each."""
        passed_s = 0.0
        while not condition():
            assert passed_s < most_s, f"{most_s:g} s passed without {what}"
            self.clock.advance(step_s)
            passed_s += step_s
            self.stage.ask(paths.VENUES, "settle")
            threading.Event().wait(0.003)
        return passed_s

    def reconnect(self):
        """Let the back-off pass."""
        known = len(self.stand.sockets)
        self.pass_until(lambda: len(self.stand.sockets) > known, "another socket", step_s=0.25)

    def close(self):
        try:
            self.stage.close()
        finally:
            self._capture.__exit__(None, None, None)
            self.stand.stop()
        wait_for(lambda: not readers(), f"the end of {readers()}")
