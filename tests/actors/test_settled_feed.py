"""A feed of Gate over a real socket, its self-test over real HTTP, a real symbol stream and a real venue monitor."""

import json

import pytest
from structlog.testing import capture_logs

from actors import paths, socket_reader
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.connection import Connection
from actors.exchanges.exchange import Instrument, Keepalive
from actors.exchanges.registry import EXCHANGES
from actors.exchanges.trial import TrialTimes
from actors.mailbox import MailboxSpec
from actors.messages.alerts import AlertRaised
from actors.messages.feeds import ConflictsSettled, InstrumentsListed, SocketsPlanned
from actors.rest import RestLimits
from actors.self_test import SelfTestRules, VenueSelfTest
from actors.symbol_stream import SymbolStream
from actors.venue_monitor import VenueMonitor
from intelligence.alerts import AlertKind
from intelligence.detectors.asset import DetectionRules
from tests.feed_stand.feed import RULES, readers
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage, wait_for

T0 = 1_790_000_000_000
DAY_S = 86_400
NAME = "gate-public"
TEST = f"{paths.SELF_TESTS}/gate"
STREAM = paths.symbol_path("SOL")
ORDERS = "/api/v4/futures/usdt/liq_orders"
SOL = Instrument(venue="gate", instrument="SOL_USDT", asset="SOL")
DOUBTED = frozenset({"SOL_USDT"})
SMALL, LARGE = 1.0, 50_000.0  # SOL at 140 USD
FOREVER = Keepalive(ping=None, every_s=1e9, silent_s=1e9, max_age_s=1e9)  # days pass in these tests
SELF_TEST_RULES = SelfTestRules(
    look_s=60.0,
    units_s=1e6,
    times=TrialTimes(evidence_ms=3_600_000, verify_ms=DAY_S * 1_000, lapse_ms=7 * DAY_S * 1_000),
)


def answer(sent):
    asked = json.loads(sent)
    return (json.dumps({"channel": asked["channel"], "event": "subscribe", "result": {"status": "success"}}),)


class Gate:
    """A venue whose socket tells the sign of the `order` or of the `position`; REST always that of the position."""

    def __init__(self, sign):
        self.sign = sign
        self.stand = FeedStand(answer)
        self.stand.pages = {ORDERS: [Reply(b"[]")], "/api/v4/futures/usdt/contract_stats": [Reply(b"[]")]}
        self._listed = []
        self.told = 0

    def liquidate(self, side, coins, at_ms):
        """Close a position: on the socket now, in the list of REST from the next call on."""
        position = coins if side == "long" else -coins
        self._listed.append(
            {
                "time": at_ms // 1_000,
                "contract": "SOL_USDT",
                "size": position,
                "order_price": "140",
                "fill_price": "140",
            }
        )
        self.stand.pages[ORDERS] = [Reply(json.dumps(self._listed).encode())]
        size = -position if self.sign == "order" else position
        self.told += 1
        row = {"price": f"140.0{self.told:04}", "size": size, "time": at_ms, "contract": "SOL_USDT"}
        frame = {"channel": "futures.public_liquidates", "event": "update", "time_ms": at_ms, "result": [row]}
        self.stand.socket(1).send(json.dumps(frame))


class Daemon:
    def __init__(self, gate):
        self.gate = gate
        self.stage = Stage(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.raised = self.stage.record(paths.DISPATCHER)
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()
        system = self.stage.system
        system.place(paths.VENUES, MailboxSpec(retain_max=1_000))
        system.place(STREAM, MailboxSpec(retain_max=1_000))
        for path in (TEST, STREAM, paths.VENUES):
            assert system.place(path, MailboxSpec(max_age_s=1e9))
        self.stage.start(
            paths.VENUES,
            VenueMonitor,
            configured=("binance",),
            watched=("gate",),
            once_settled=frozenset({"gate"}),
            lost_after_s=1e6,
        )
        self.stage.start(STREAM, SymbolStream, child_id="sol", rules=DetectionRules())
        self.stage.start(
            TEST,
            VenueSelfTest,
            venue="gate",
            rest_url=gate.stand.rest_url,
            limits=RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000),
            backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0),
            assets=frozenset({"SOL"}),
            rules=SELF_TEST_RULES,
        )
        self.stage.tell(TEST, InstrumentsListed(venue="gate", instruments=(SOL,)))
        self.open()

    def open(self):
        gate = EXCHANGES["gate"]
        (plan,) = gate.sockets((SOL,), frozenset())
        arguments = {
            "child_id": NAME,
            "venue": "gate",
            "ws_url": self.gate.stand.ws_url,
            "plan": plan,
            "keepalive": FOREVER,
            "instruments": (SOL,),
            "assets": frozenset({"SOL"}),
            "rules": RULES,
        }
        self.stage.tell(paths.VENUES, SocketsPlanned(venue="gate", connections=(NAME,)))
        self.stage.start(f"{paths.FEEDS}/{NAME}", Connection, **arguments)
        wait_for(lambda: self.count("feed_connected"), "the socket")

    def count(self, event, **fields):
        return sum(one["event"] == event and fields.items() <= one.items() for one in tuple(self.logs))

    def take(self, side, coins, times=1):
        """Let the venue liquidate, a second apart, and wait until the stream has seen it."""
        handled = self.stage.system.place(STREAM).vitals
        for _ in range(times):
            before = handled.handled
            self.clock.advance(1.0)
            self.gate.liquidate(side, coins, self.clock.now_ms())
            wait_for(lambda seen=before: handled.handled > seen, "the stream to see it")
        for path in (TEST, STREAM, paths.DISPATCHER):
            self.stage.quiet(path)

    def look(self):
        """Let a round of questions be asked and answered, and everybody hear of it."""
        for seconds in (61.0, 0.5, 0.5):
            self.clock.advance(seconds)
            self.stage.quiet(TEST)
        for path in (paths.VENUES, f"{paths.FEEDS}/{NAME}"):
            self.stage.quiet(path)

    def settle(self):
        for number in range(5):
            self.take("short", SMALL + number)
        self.look()

    def alerts(self):
        return [
            (one.alert.position_side, one.alert.venue, one.alert.venues_able)
            for one in self.raised
            if isinstance(one, AlertRaised) and one.alert.kind is AlertKind.LIQUIDATION
        ]

    def close(self):
        self.stage.close()
        self._capture.__exit__(None, None, None)
        self.gate.stand.stop()
        wait_for(lambda: not readers(), "the end of the reader")


@pytest.fixture(params=["order", "position"])
def daemon(request, monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.01)
    one = Daemon(Gate(request.param))
    yield one
    one.close()


def test_before_the_sign_is_settled_nothing_is_an_alert_and_the_stream_says_so(daemon):
    daemon.take("long", LARGE, times=2)

    assert daemon.alerts() == []
    assert daemon.stage.system.place(STREAM).vitals.note == "2 uncertain liquidations not used"
    assert daemon.stage.system.place(paths.VENUES).vitals.note.startswith("0 of ")


def test_once_it_is_settled_a_liquidation_counts_alone_with_the_right_side(daemon):
    daemon.settle()
    assert daemon.count("conflict_settled", venue="gate", verdict=daemon.gate.sign) == 1
    assert daemon.count("venue_able", venue="gate") == 1

    daemon.take("long", LARGE)
    daemon.take("short", LARGE)

    assert daemon.alerts() == [("long", "gate", ("gate",)), ("short", "gate", ("gate",))]


def test_a_venue_that_changes_its_sign_is_found_out_and_alerts_no_more(daemon):
    daemon.settle()
    daemon.clock.advance(DAY_S)
    daemon.gate.sign = {"order": "position", "position": "order"}[daemon.gate.sign]

    for number in range(5):
        daemon.take("short", SMALL + number)
    daemon.look()
    known = len(daemon.alerts())
    daemon.take("long", LARGE)

    assert daemon.count("conflict_withdrawn", venue="gate") == 1
    assert len(daemon.alerts()) == known == 0


def test_a_changed_sign_is_learned_anew(daemon):
    daemon.settle()
    daemon.clock.advance(DAY_S)
    daemon.gate.sign = {"order": "position", "position": "order"}[daemon.gate.sign]
    for _ in range(2):
        for number in range(5):
            daemon.take("short", SMALL + number)
        daemon.look()

    daemon.take("long", LARGE)

    assert daemon.count("conflict_settled", verdict=daemon.gate.sign) == 1
    assert [side for side, _, _ in daemon.alerts()] == ["long"]


def test_a_connection_that_comes_back_reads_by_the_verdict(daemon):
    daemon.settle()
    daemon.stage.crash(f"{paths.FEEDS}/{NAME}")
    wait_for(lambda: len(daemon.gate.stand.sockets) == 2, "another socket")
    wait_for(lambda: daemon.count("feed_connected") == 2, "the socket")
    daemon.gate.stand.sockets.reverse()
    for path in (TEST, f"{paths.FEEDS}/{NAME}"):
        daemon.stage.quiet(path)

    daemon.take("long", LARGE)

    assert [side for side, _, _ in daemon.alerts()] == ["long"]


def test_of_a_contract_whose_size_is_in_doubt_no_liquidation_is_told(daemon):
    daemon.settle()
    excluded = ConflictsSettled(venue="gate", settled=(("liquidation_sign", daemon.gate.sign),), excluded=DOUBTED)
    daemon.stage.tell(f"{paths.FEEDS}/{NAME}", excluded)
    daemon.stage.quiet(f"{paths.FEEDS}/{NAME}")
    seen = daemon.stage.system.place(STREAM).vitals.handled

    daemon.gate.liquidate("long", LARGE, daemon.clock.now_ms())
    reader = daemon.stage.system.ledger[f"{paths.FEEDS}/{NAME}"].actor._readers.current
    wait_for(lambda: reader.counts["frames"] == 7, "the frame to be read")  # after the acknowledgement and five others
    daemon.stage.quiet(STREAM)

    assert daemon.stage.system.place(STREAM).vitals.handled == seen
