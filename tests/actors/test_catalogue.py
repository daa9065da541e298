"""A real catalogue over real HTTP, before a venue that does what the test says."""

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.catalogue import Catalogue
from actors.clock import ManualClock
from actors.exchanges.exchange import CORE_FEEDS
from actors.mailbox import MailboxSpec
from actors.messages.feeds import (
    AssetsWatched,
    ConnectionChanged,
    InstrumentsDoubted,
    InstrumentsListed,
    InstrumentsWanted,
    SocketsPlanned,
)
from actors.messages.supervision import ChildrenWanted
from actors.rest import RestLimits
from tests.feed_stand.feed import KEEPALIVE, RULES
from tests.feed_stand.server import FeedStand, Reply
from tests.feed_stand.venues import bybit_page
from tests.telegram_stand.stage import Stage, wait_for

PATH = f"{paths.CATALOGUES}/bybit"
LIST = "/v5/market/instruments-info"
LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000)


class Desk:
    def __init__(self):
        self.stand = FeedStand()
        self.stage = Stage(ManualClock())
        self.clock = self.stage.clock
        self.venues = self.stage.record(paths.VENUES)
        self.feeds = self.stage.record(paths.FEEDS)
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def serve(self, *replies):
        """Answer so from now on: pages as bytes, or whole replies."""
        self.stand.pages[LIST] = [one if isinstance(one, Reply) else Reply(one) for one in replies]

    def open(self, **overrides):
        arguments = {
            "venue": "bybit",
            "ws_url": "ws://127.0.0.1:1",
            "rest_url": self.stand.rest_url,
            "assets": frozenset({"BTC"}),
            "feeds": CORE_FEEDS,
            "keepalive": KEEPALIVE,
            "limits": LIMITS,
            "backoff": Backoff(base_s=1.0, factor=2.0, cap_s=60.0),
            "refresh_s": 3600.0,
            "rules": RULES,
        }
        self.stage.start(PATH, Catalogue, **(arguments | overrides))
        self.clock.advance(0)
        return self

    def load(self, times):
        """Wait until so many lists have been read, well or badly."""
        wait_for(lambda: self.loads() >= times, f"{times} loads")
        self.settle()

    def loads(self):
        return sum(one["event"] in ("instruments_loaded", "catalogue_failed") for one in tuple(self.logs))

    def refresh(self, requests):
        """Pass an hour; wait until the list has been asked for so often in all."""
        self.clock.advance(3601)
        wait_for(lambda: len(self.stand.requests) >= requests, f"{requests} requests")
        self.settle()

    def settle(self):
        for path in (PATH, paths.VENUES, paths.FEEDS):
            self.stage.ask(path, InstrumentsWanted(path="/nowhere"))

    def wanted(self):
        return [one for one in self.feeds if isinstance(one, ChildrenWanted)]

    def entry(self, event, times=1):
        wait_for(lambda: sum(one["event"] == event for one in tuple(self.logs)) >= times, event)
        return [one for one in tuple(self.logs) if one["event"] == event][times - 1]

    def close(self):
        try:
            self.stage.close()
        finally:
            self._capture.__exit__(None, None, None)
            self.stand.stop()


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.close()


def arguments(wanted):
    return dict(wanted.children)


def test_pages_are_followed_and_every_instrument_counts_once(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT", cursor="next"), bybit_page("ETHUSDT", "SOLUSDT"))
    desk.open().load(1)

    (one,) = arguments(desk.wanted()[0]).values()
    assert [listed.instrument for listed in one["instruments"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert desk.stand.requests == [
        f"{LIST}?category=linear&limit=1000",
        f"{LIST}?category=linear&limit=1000&cursor=next",
    ]


def test_the_plan_is_told_before_its_sockets_are_asked_for(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)

    assert SocketsPlanned(venue="bybit", connections=("bybit-linear-1",)) in desk.venues
    assert list(arguments(desk.wanted()[0])) == ["bybit-linear-1"]


def test_a_list_whose_pages_never_end_is_a_failure_not_half_a_list(desk):
    desk.serve(bybit_page("BTCUSDT", cursor="again"))
    desk.open()

    assert "more than 50 pages" in desk.entry("catalogue_failed")["reason"]
    assert desk.wanted() == []


@pytest.mark.parametrize(
    ("reply", "reason", "wait_s"),
    [
        (Reply(b"", 503), "HTTP 503", 0.5),
        (Reply(b"{", 200), "found in", 0.5),
        (Reply(b'{"retCode":10006,"retMsg":"Too many visits!"}'), "rate_limited", 5),
        (Reply(b"{}", 429, {"Retry-After": "77"}), "rate_limited", 77),
        (Reply(b"access too frequent", 403), "rate_limited", 600),
        (Reply(b'{"retCode":0,"result":{"list":[]}}'), "lists no usable instrument", 0.5),
        (Reply(b"x" * 200_000), "more than 100000 bytes", 0.5),
    ],
    ids=["503", "no JSON", "visits", "429", "403", "empty", "too large"],
)
def test_a_failure_is_said_and_the_list_read_again_after_a_wait(desk, reply, reason, wait_s):
    desk.serve(reply)
    desk.open()

    entry = desk.entry("catalogue_failed")
    assert reason in entry["reason"]
    assert wait_s <= entry["wait_s"] <= max(1, wait_s)
    told = wait_for(lambda: [one for one in desk.venues if isinstance(one, ConnectionChanged)], "the state")
    assert (told[0].connection, told[0].state) == ("catalogue", "down")
    desk.serve(bybit_page("BTCUSDT"))
    desk.clock.advance(entry["wait_s"] + 0.01)
    desk.entry("instruments_loaded")


def test_a_geo_refusal_parks_the_catalogue_with_advice(desk):
    desk.serve(Reply(b"The Amazon CloudFront distribution is configured to block access from your country.", 403))
    desk.open()

    notice = desk.stage.exit_of(PATH)

    assert "Bybit does not serve this country" in notice.park
    told = wait_for(lambda: [one for one in desk.venues if isinstance(one, ConnectionChanged)], "the state")
    assert [(one.state, bool(one.advice)) for one in told] == [("refused", True)]


def test_a_venue_that_is_down_at_first_is_tried_until_it_is_up(desk):
    desk.serve(Reply(b"", 502))
    desk.open()
    for number in range(1, 4):
        desk.clock.advance(desk.entry("catalogue_failed", number)["wait_s"] + 0.01)
    desk.entry("catalogue_failed", 4)

    desk.serve(bybit_page("BTCUSDT"))
    desk.clock.advance(60)

    desk.entry("instruments_loaded")
    assert [one["attempt"] for one in desk.logs if one["event"] == "catalogue_failed"] == [1, 2, 3, 4]


def test_a_list_that_did_not_change_changes_nothing_whatever_its_order(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    desk.open().load(1)

    desk.serve(bybit_page("ETHUSDT", "BTCUSDT"))
    desk.refresh(2)

    assert len(desk.wanted()) == 1


def test_a_new_listing_starts_only_that_socket_anew_that_subscribes_it(desk):
    names = [f"COIN{number}USDT" for number in range(1500)]
    desk.serve(bybit_page(*names))
    desk.open(limits=RestLimits(connect_s=1, read_s=1, total_s=5, max_bytes=10**7)).load(1)
    before = arguments(desk.wanted()[0])
    running = {name: desk.stage.record(f"{paths.FEEDS}/{name}") for name in before}

    desk.serve(bybit_page(*names, "NEWUSDT"))
    desk.refresh(2)

    after = arguments(desk.wanted()[1])
    changed = [name for name in after if after[name] != before[name]]
    assert len(after) > 2
    assert len(changed) == 1
    assert "allLiquidation.NEWUSDT" in b"".join(after[changed[0]]["plan"].subscribe).decode()
    for letters in running.values():
        wait_for(lambda box=letters: box, "the new list")
        assert len(letters[0].instruments) == 1501


def test_a_listing_nobody_subscribes_by_name_restarts_nothing(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)
    connection = desk.stage.record(f"{paths.FEEDS}/bybit-linear-1")
    catalogue = desk.stage.system.ledger[PATH].actor
    plans = catalogue._exchange.sockets(catalogue._known, frozenset())

    class OneForAll:
        """A venue whose one topic brings all, as on Binance and OKX."""

        def __getattr__(self, name, exchange=catalogue._exchange):
            return getattr(exchange, name)

        def sockets(self, _instruments, _assets, _feeds):
            return plans

    catalogue._exchange = OneForAll()
    catalogue._wanted["bybit-linear-1"] = {**catalogue._wanted["bybit-linear-1"], "plan": plans[0]}
    desk.serve(bybit_page("BTCUSDT", "NEWUSDT"))
    desk.refresh(2)

    assert len(desk.wanted()) == 1
    wait_for(lambda: connection, "the new list")
    assert [one.instrument for one in connection[0].instruments] == ["BTCUSDT", "NEWUSDT"]


def test_a_socket_that_is_not_needed_any_more_is_not_wanted_any_more(desk):
    names = [f"COIN{number}USDT" for number in range(1500)]
    desk.serve(bybit_page(*names))
    desk.open(limits=RestLimits(connect_s=1, read_s=1, total_s=5, max_bytes=10**7)).load(1)

    desk.serve(bybit_page("BTCUSDT"))
    desk.refresh(2)

    assert list(arguments(desk.wanted()[-1])) == ["bybit-linear-1"]
    assert [one.connections for one in desk.venues if isinstance(one, SocketsPlanned)][-1] == ("bybit-linear-1",)


def test_a_refresh_that_fails_keeps_the_list_and_says_nothing_to_people(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)

    desk.serve(Reply(b"", 503))
    desk.refresh(2)

    desk.entry("catalogue_failed")
    assert len(desk.wanted()) == 1
    assert not [one for one in desk.venues if isinstance(one, ConnectionChanged)]


def test_a_connection_that_asks_gets_the_list(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)
    connection = desk.stage.record(f"{paths.FEEDS}/bybit-linear-1")

    desk.stage.tell(PATH, InstrumentsWanted(path=f"{paths.FEEDS}/bybit-linear-1"))

    assert isinstance(wait_for(lambda: connection, "the list")[0], InstrumentsListed)


def test_a_doubted_list_is_read_again_within_a_minute_and_no_more_often(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)

    for _ in range(5):
        desk.stage.tell(PATH, InstrumentsDoubted(venue="bybit"))
    desk.settle()
    desk.clock.advance(59)
    desk.settle()
    assert len(desk.stand.requests) == 1
    desk.clock.advance(1.1)

    wait_for(lambda: len(desk.stand.requests) == 2, "the second reading")
    desk.settle()
    desk.clock.advance(120)
    desk.settle()
    assert len(desk.stand.requests) == 2


def test_a_restarted_catalogue_asks_for_the_same_sockets(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    desk.open().load(1)

    desk.stage.crash(PATH)
    desk.clock.advance(0)
    desk.load(2)

    assert desk.wanted()[0].children == desk.wanted()[1].children


def test_the_plan_is_told_again_every_minute(desk):
    desk.serve(bybit_page("BTCUSDT"))
    desk.open().load(1)
    known = len([one for one in desk.venues if isinstance(one, SocketsPlanned)])

    desk.clock.advance(61)
    desk.settle()

    assert len([one for one in desk.venues if isinstance(one, SocketsPlanned)]) > known


def test_other_assets_start_only_those_sockets_anew_that_subscribe_them(desk):
    names = [f"COIN{number}USDT" for number in range(1500)]
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT", *names))
    desk.open(limits=RestLimits(connect_s=1, read_s=1, total_s=5, max_bytes=10**7)).load(1)
    before = arguments(desk.wanted()[0])

    desk.stage.tell(PATH, AssetsWatched(assets=frozenset({"BTC", "ETH"})))
    desk.settle()

    after = arguments(desk.wanted()[1])
    changed = [name for name in after if after[name] != before[name]]
    assert len(after) > 2
    assert len(changed) == 1
    assert "tickers.ETHUSDT" in b"".join(after[changed[0]]["plan"].subscribe).decode()


def test_the_same_assets_again_change_nothing(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    desk.open().load(1)

    desk.stage.tell(PATH, AssetsWatched(assets=frozenset({"BTC"})))
    desk.settle()

    assert len(desk.wanted()) == 1


def test_a_restarted_catalogue_remembers_which_assets_were_watched(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    desk.stage.system.place(PATH, MailboxSpec(retain_max=2))
    desk.open().load(1)
    desk.stage.system.address(PATH).tell(AssetsWatched(assets=frozenset({"ETH"})), retain=True)
    desk.settle()

    desk.stage.crash(PATH)
    desk.clock.advance(0)
    desk.load(2)

    assert desk.wanted()[-1].children == desk.wanted()[-2].children


def test_liquidations_that_stand_apart_are_not_interrupted_by_other_assets(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    desk.open(apart=True).load(1)
    before = arguments(desk.wanted()[0])

    desk.stage.tell(PATH, AssetsWatched(assets=frozenset({"ETH"})))
    desk.settle()

    after = arguments(desk.wanted()[1])
    assert sorted(after) == ["bybit-linear-1", "bybit-prices-linear-1"]
    assert [name for name in after if after[name] != before[name]] == ["bybit-prices-linear-1"]
    told = [one for one in desk.venues if isinstance(one, SocketsPlanned)][-1]
    assert (told.connections, told.others) == (("bybit-linear-1",), ("bybit-prices-linear-1",))


def test_connections_are_told_of_other_assets_and_learn_them_when_they_ask(desk):
    desk.serve(bybit_page("BTCUSDT", "ETHUSDT"))
    feed = desk.stage.record(f"{paths.FEEDS}/bybit-linear-1")
    desk.open().load(1)
    watched = AssetsWatched(assets=frozenset({"BTC"}), rejected=frozenset({"ETHUSDT"}))

    desk.stage.tell(PATH, watched)
    desk.stage.tell(PATH, InstrumentsWanted(path=f"{paths.FEEDS}/bybit-linear-1"))
    desk.settle()
    desk.stage.ask(f"{paths.FEEDS}/bybit-linear-1", "settle")

    assert [one for one in feed if isinstance(one, AssetsWatched)] == [watched, watched]
    assert len(desk.wanted()) == 1
