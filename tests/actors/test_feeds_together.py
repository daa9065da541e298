"""Catalogue, connections and monitor under real supervisors, before one venue that does what the test says."""

import queue
import threading

import pytest
from structlog.testing import capture_logs

from actors import paths, socket_reader
from actors.backoff import Backoff
from actors.catalogue import Catalogue
from actors.clock import Clock
from actors.connection import Connection, ConnectionRules
from actors.exchanges.exchange import CORE_FEEDS
from actors.mailbox import Lane, Letter, MailboxSpec
from actors.messages.feeds import InstrumentsDoubted
from actors.messages.supervision import Drill, ShutDown
from actors.rest import RestLimits
from actors.supervised import Birth, Supervised
from actors.system import System
from actors.venue_monitor import VenueMonitor
from supervisors.spec import IO, ChildSpec, SupervisorSpec
from supervisors.supervisor import Supervisor
from tests.feed_stand.feed import KEEPALIVE, SOCKET, readers
from tests.feed_stand.server import FeedStand, Reply
from tests.feed_stand.venues import bybit_answer, bybit_page, bybit_ticker
from tests.telegram_stand.stage import wait_for

LIST = "/v5/market/instruments-info"
NAMES = tuple(f"COIN{number}USDT" for number in range(1500))  # more than two sockets can subscribe
RULES = ConnectionRules(socket=SOCKET, backoff=Backoff(base_s=0.02, factor=2.0, cap_s=0.2), dedup_s=5.0)


class Streams(Supervised):
    """Takes whatever the feeds send to it."""

    def handle(self, message):
        return None


def answer(sent):
    """Acknowledge, and bring a first ticker where one was subscribed."""
    first = [bybit_ticker("COIN1USDT", 1)] if '"tickers.COIN1USDT"' in sent else []
    return (*bybit_answer(sent), *first)


class Core:
    def __init__(self):
        self.stand = FeedStand(answer)
        self.clock = Clock()
        self.clock.start()
        self.system = System(self.clock, log_dead_letters=False)
        self.notices = queue.SimpleQueue()
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def list(self, *names, **reply):
        self.stand.pages[LIST] = [Reply(bybit_page(*names), **reply)]

    def start(self):
        catalogue = {
            "venue": "bybit",
            "ws_url": self.stand.ws_url,
            "rest_url": self.stand.rest_url,
            "assets": frozenset({"COIN1"}),
            "feeds": CORE_FEEDS,
            "keepalive": KEEPALIVE,
            "limits": RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=10**7),
            "backoff": RULES.backoff,
            "refresh_s": 3600.0,
            "rules": RULES,
        }
        feeds = SupervisorSpec(template=ChildSpec(id="feed", actor=Connection, profile=IO), starts_per_s=100.0)
        monitor = {"configured": ("bybit",), "lost_after_s": 60.0}
        catalogues = ChildSpec(
            id="catalogues",
            actor=Supervisor,
            args={"spec": SupervisorSpec(children=(ChildSpec(id="bybit", actor=Catalogue, args=catalogue),))},
        )
        core = (
            ChildSpec(id="venues", actor=VenueMonitor, args=monitor, mailbox=MailboxSpec(retain_max=1_000), profile=IO),
            ChildSpec(id="feeds", actor=Supervisor, args={"spec": feeds}, mailbox=MailboxSpec(retain_max=64)),
            ChildSpec(id="polls", actor=Supervisor, args={"spec": SupervisorSpec(children=(catalogues,))}),
        )
        notify = SupervisorSpec(children=(ChildSpec(id="dispatcher", actor=Streams),))
        tree = SupervisorSpec(
            ordered=True,
            children=(
                ChildSpec(id="notify", actor=Supervisor, args={"spec": notify}),
                ChildSpec(id="core", actor=Supervisor, args={"spec": SupervisorSpec(children=core, ordered=True)}),
            ),
        )
        Supervisor.start(Birth(self.system, "/", 1, {"spec": tree}, self.notices.put))
        return self

    def count(self, event):
        return sum(entry["event"] == event for entry in tuple(self.logs))

    def wait(self, event, times=1):
        wait_for(lambda: self.count(event) >= times, f"{times} times {event}")

    def tell(self, path, message):
        self.system.address(path).tell(message)

    def read_list_again(self):
        self.system.ledger[f"{paths.CATALOGUES}/bybit"].actor._loaded_s = -1e9
        self.tell(f"{paths.CATALOGUES}/bybit", InstrumentsDoubted(venue="bybit"))

    def close(self):
        self.system.post("/", Letter(ShutDown(deadline_s=self.clock.monotonic() + 5), Lane.CONTROL))
        while getattr(self.notices.get(timeout=10), "kind", "") != "finished":
            pass
        self.clock.stop()
        self._capture.__exit__(None, None, None)
        self.stand.stop()
        left = [thread.name for thread in threading.enumerate() if thread.name.startswith("/")]
        wait_for(lambda: not [one for one in threading.enumerate() if one.name in left], f"the end of {left}")


@pytest.fixture
def core(monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.01)
    one = Core()
    one.list(*NAMES)
    yield one
    one.close()


def test_a_new_listing_opens_one_socket_anew_and_leaves_the_others_alone(core):
    core.start().wait("venue_able")
    sockets = len(core.stand.sockets)
    assert sockets > 2

    core.list(*NAMES, "NEWUSDT")
    core.read_list_again()
    core.wait("venue_able", 2)

    assert len(core.stand.sockets) == sockets + 1
    assert sum(one.ended.is_set() for one in core.stand.sockets) == 1
    assert "allLiquidation.NEWUSDT" in "".join(core.stand.sockets[-1].texts())


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit"])
def test_every_feed_fails_and_comes_back_with_one_reader_each(core, error):
    core.start().wait("venue_able")
    feeds = [path for path in core.system.ledger if path.startswith(f"{paths.FEEDS}/")]

    for path in feeds:
        core.tell(path, Drill(error=error))

    core.wait("feed_connected", 2 * len(feeds))
    core.wait("venue_able", 2)
    wait_for(lambda: len(readers()) == len(feeds), "one reader each")
    assert core.count("feed_lost") == 0
    assert {core.system.place(path).epoch for path in feeds} == {2}


def test_a_monitor_that_fails_loses_no_venue(core):
    core.start().wait("venue_able")

    core.tell(paths.VENUES, Drill())

    core.wait("venue_able", 2)
    assert core.count("venue_lost") == 0
    assert len(core.stand.sockets) == core.count("feed_connected")


def test_supervisors_of_feeds_that_fail_bring_back_every_socket(core):
    core.start().wait("venue_able")
    connected = core.count("feed_connected")

    core.tell(paths.FEEDS, Drill())

    core.wait("feed_connected", 2 * connected)
    wait_for(lambda: len(readers()) == connected, "one reader each")


def test_a_venue_that_refuses_this_country_is_parked_and_asked_no_more(core):
    core.stand.refusals = [Reply(b"blocked", 451)]
    core.start().wait("child_parked", 3)

    assert core.stand.handshakes == core.count("child_parked")
    assert core.count("restart_scheduled") == 0
    core.stand.refusals = []
