"""A real poller over real HTTP, before a venue that does what the test says."""

import json

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.exchanges.exchange import Instrument
from actors.mailbox import MailboxSpec
from actors.messages.feeds import AssetsWatched, ConflictsSettled, InstrumentsListed, InstrumentsWanted, WatchConflicts
from actors.messages.market import OpenInterestSeen
from actors.oi_poller import OpenInterestPoller
from actors.rest import RestLimits
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage, wait_for

T0 = 1_739_502_302_000
LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000)
ONE = "/fapi/v1/openInterest"  # Binance: a call for each symbol
ALL = "/v5/market/tickers"  # Bybit: one call for all


def binance(symbol, coins, at=0):
    return Reply(json.dumps({"symbol": symbol, "openInterest": str(coins), "time": T0 + at}).encode())


def bybit(*rows, at=0):
    """Symbols and coins of one side."""
    common = {"lastPrice": "100", "turnover24h": "1"}
    listed = [
        {"symbol": name, "openInterest": str(2 * coins), "singleOpenInterest": str(coins), **common}
        for name, coins in rows
    ]
    whole = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": listed}, "time": T0 + at}
    return Reply(json.dumps(whole).encode())


class Desk:
    """One poller, the streams of BTC and ETH, and a clock that the test moves."""

    def __init__(self):
        self.stand = FeedStand()
        self.stage = Stage(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.streams = {asset: self.stage.record(paths.symbol_path(asset)) for asset in ("BTC", "ETH")}
        self.path = ""
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def open(self, venue, **overrides):
        self.path = f"{paths.OPEN_INTEREST}/{venue}"
        self.stage.system.place(self.path, MailboxSpec(retain_max=2))
        arguments = {
            "venue": venue,
            "rest_url": self.stand.rest_url,
            "limits": LIMITS,
            "backoff": Backoff(base_s=1.0, factor=2.0, cap_s=60.0),
            "assets": frozenset({"BTC", "ETH"}),
            "poll_s": 60.0,
        }
        self.stage.start(self.path, OpenInterestPoller, **(arguments | overrides))
        return self

    def list(self, venue, *symbols):
        listed = tuple(Instrument(venue=venue, instrument=one, asset=one.removesuffix("USDT")) for one in symbols)
        self.stage.tell(self.path, InstrumentsListed(venue=venue, instruments=listed))
        self.settle()
        return self

    def settle(self):
        """Wait until the poller has handled everything that is due now."""
        self.stage.quiet(self.path)
        self.clock.advance(0)
        self.stage.quiet(self.path)

    def pass_s(self, seconds, step_s=0.5):
        for _ in range(int(seconds / step_s)):
            self.clock.advance(step_s)
            self.stage.quiet(self.path)

    def told(self, asset="BTC"):
        self.stage.quiet(paths.symbol_path(asset))
        return [one.record for one in self.streams[asset] if isinstance(one, OpenInterestSeen)]

    def asked(self):
        return [one.rpartition("=")[2] for one in self.stand.requests]

    def entry(self, event):
        return [one for one in tuple(self.logs) if one["event"] == event][-1]

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


def test_a_venue_that_answers_for_all_is_asked_once_a_minute(desk):
    desk.stand.pages[ALL] = [bybit(("BTCUSDT", 100), ("ETHUSDT", 500)), bybit(("BTCUSDT", 110), at=60_000)]
    desk.open("bybit").list("bybit", "BTCUSDT", "ETHUSDT")
    assert len(desk.stand.requests) == 1

    desk.pass_s(59)
    assert len(desk.stand.requests) == 1
    desk.pass_s(1.5)

    assert len(desk.stand.requests) == 2
    assert [(one.venue, one.quantity) for one in desk.told()] == [("bybit", 100), ("bybit", 110)]
    assert [one.quantity for one in desk.told("ETH")] == [500]


def test_a_venue_that_is_asked_by_post_answers_for_all(desk):
    context = {"markPx": "100", "openInterest": "7", "dayNtlVlm": "1"}
    body = json.dumps([{"universe": [{"name": "BTC", "maxLeverage": 40}]}, [context]]).encode()
    desk.stand.pages["/info"] = [Reply(body)]
    desk.open("hyperliquid").list("hyperliquid", "BTC")

    assert desk.stand.methods == ["POST"]
    assert [(one.venue, one.quantity, one.uncertain) for one in desk.told()] == [("hyperliquid", 7, "sides")]


def test_symbols_that_are_asked_for_one_by_one_are_spread_over_the_minute(desk):
    desk.stand.pages[ONE] = [binance("BTCUSDT", 1), binance("ETHUSDT", 2), binance("BTCUSDT", 3, at=60_000)]
    desk.open("binance").list("binance", "BTCUSDT", "ETHUSDT", "XRPUSDT")
    assert desk.asked() == ["BTCUSDT"]

    desk.pass_s(29)
    assert desk.asked() == ["BTCUSDT"]
    desk.pass_s(1.5)
    assert desk.asked() == ["BTCUSDT", "ETHUSDT"]
    desk.pass_s(30)

    assert desk.asked() == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    assert [one.quantity for one in desk.told()] == [1, 3]


def test_the_budget_of_the_venue_comes_before_the_interval(desk):
    desk.stand.pages[ALL] = [bybit(("BTCUSDT", 100))]
    desk.open("bybit", poll_s=0.01).list("bybit", "BTCUSDT")

    desk.pass_s(10, step_s=0.1)

    assert 9 <= len(desk.stand.requests) <= 11


def test_a_figure_whose_time_did_not_move_is_not_told_again(desk):
    desk.stand.pages[ALL] = [bybit(("BTCUSDT", 100)), bybit(("BTCUSDT", 999)), bybit(("BTCUSDT", 101), at=120_000)]
    desk.open("bybit").list("bybit", "BTCUSDT")

    desk.pass_s(121)

    assert len(desk.stand.requests) == 3
    assert [one.quantity for one in desk.told()] == [100, 101]


def test_an_asset_that_joins_is_asked_for_from_the_next_round_on(desk):
    desk.stand.pages[ALL] = [bybit(("SOLUSDT", 7)), bybit(("SOLUSDT", 8), at=60_000)]
    desk.open("bybit").list("bybit", "BTCUSDT", "SOLUSDT")
    assert desk.stage.system.find(paths.symbol_path("SOL")) is None
    desk.streams["SOL"] = desk.stage.record(paths.symbol_path("SOL"))

    desk.stage.tell(desk.path, AssetsWatched(assets=frozenset({"SOL"})))
    desk.pass_s(61)

    assert [one.quantity for one in desk.told("SOL")] == [8]


@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [
        (Reply(b"{}", 429, {"Retry-After": "77"}), 77),
        (Reply(b"{}", 418, {"Retry-After": "300"}), 300),
        (Reply(b"", 503), 0.5),
    ],
    ids=["429", "418", "503"],
)
def test_a_refusal_is_waited_for_as_long_as_the_venue_says(desk, reply, wait_s):
    desk.stand.pages[ONE] = [reply]
    desk.open("binance").list("binance", "BTCUSDT")
    entry = desk.entry("poll_failed")
    assert wait_s <= entry["wait_s"] <= max(1, wait_s)

    desk.stand.pages[ONE] = [binance("BTCUSDT", 5)]
    desk.clock.advance(entry["wait_s"] - 0.1)
    desk.settle()
    assert len(desk.stand.requests) == 1
    desk.clock.advance(0.2)

    wait_for(desk.told, "the figure")
    assert [one.quantity for one in desk.told()] == [5]


def test_a_contract_that_the_venue_does_not_know_holds_nobody_up(desk):
    desk.stand.pages[ONE] = [Reply(b'{"code":-1121,"msg":"Invalid symbol."}', 400), binance("ETHUSDT", 2)]
    desk.open("binance").list("binance", "BTCUSDT", "ETHUSDT")

    desk.pass_s(31)

    assert [one.quantity for one in desk.told("ETH")] == [2]
    assert "HTTP 400" in desk.entry("poll_malformed")["reason"]
    assert [one["event"] for one in desk.logs if one["event"] == "poll_failed"] == []


def test_rows_that_cannot_be_read_cost_the_others_nothing(desk):
    broken = json.loads(bybit(("BTCUSDT", 100), ("ETHUSDT", 2)).body)
    broken["result"]["list"][1]["openInterest"] = broken["result"]["list"][1]["singleOpenInterest"] = "many"
    desk.stand.pages[ALL] = [Reply(json.dumps(broken).encode())]
    desk.open("bybit").list("bybit", "BTCUSDT", "ETHUSDT")

    assert [one.quantity for one in desk.told()] == [100]
    assert desk.entry("poll_malformed")["n"] == 1


def test_a_geo_refusal_parks_the_poller_with_advice(desk):
    desk.stand.pages[ONE] = [Reply(b"{}", 451)]
    desk.open("binance")
    listed = (Instrument(venue="binance", instrument="BTCUSDT", asset="BTC"),)
    desk.stage.tell(desk.path, InstrumentsListed(venue="binance", instruments=listed))
    desk.stage.quiet(desk.path)
    desk.clock.advance(0)

    assert "Binance does not serve this country" in desk.stage.exit_of(desk.path).park


def test_an_asset_whose_stream_ended_is_dropped_and_a_figure_on_its_way_starts_no_stream(desk):
    desk.stage.system.declare_template(paths.SYMBOLS, MailboxSpec())
    desk.stage.system.place(paths.symbol_path("SOL"))
    desk.stand.pages[ONE] = [binance("BTCUSDT", 1), binance("SOLUSDT", 2)]
    desk.open("binance", assets=frozenset({"BTC"})).list("binance", "BTCUSDT", "SOLUSDT")

    desk.stage.system.give_back(paths.symbol_path("SOL"))
    desk.pass_s(31)
    assert desk.asked() == ["BTCUSDT", "SOLUSDT"]
    desk.pass_s(60)

    assert desk.stage.system.find(paths.symbol_path("SOL")) is None
    assert desk.asked()[2:] == ["BTCUSDT"]


def test_a_contract_that_is_not_what_it_is_called_is_neither_asked_for_nor_told(desk):
    desk.stand.pages[ALL] = [bybit(("BTCUSDT", 7), ("ETHUSDT", 8)), bybit(("BTCUSDT", 8), ("ETHUSDT", 9), at=60_000)]
    desk.open("bybit").list("bybit", "BTCUSDT", "ETHUSDT")

    desk.stage.tell(desk.path, AssetsWatched(assets=frozenset({"BTC", "ETH"}), rejected=frozenset({"ETHUSDT"})))
    desk.pass_s(61)

    assert [one.quantity for one in desk.told()] == [7, 8]
    assert [one.quantity for one in desk.told("ETH")] == [8]


def test_a_restarted_poller_asks_for_the_list_and_keeps_the_assets(desk):
    desk.stand.pages[ONE] = [binance("ETHUSDT", 2)]
    catalogue = desk.stage.record(f"{paths.CATALOGUES}/binance")
    desk.open("binance")
    watched = AssetsWatched(assets=frozenset({"ETH"}))
    desk.stage.system.address(desk.path).tell(watched, retain=True)
    desk.stage.quiet(desk.path)

    desk.stage.crash(desk.path)

    wait_for(lambda: len(catalogue) == 2, "both questions")
    assert catalogue[1] == InstrumentsWanted(path=desk.path)
    assert desk.stage.system.ledger[desk.path].actor._watched.assets == {"ETH"}


def test_bybits_plain_figure_is_read_by_the_verdict_on_its_sides(desk):
    def plain(coins, at):
        row = {"symbol": "BTCUSDT", "openInterest": str(coins), "lastPrice": "100", "turnover24h": "1"}
        return Reply(json.dumps({"retCode": 0, "result": {"list": [row]}, "time": T0 + at}).encode())

    desk.stand.pages[ALL] = [plain(100, 0), plain(100, 60_000), plain(100, 120_000)]
    desk.open("bybit").list("bybit", "BTCUSDT")
    desk.stage.tell(desk.path, ConflictsSettled(venue="bybit", settled=(("open_interest_sides", "one"),)))

    desk.pass_s(61)

    assert [one.quantity for one in desk.told()] == [50, 100]


def test_a_contract_whose_size_is_in_doubt_is_left_out(desk):
    both = [("BTCUSDT", 100), ("ETHUSDT", 2)]
    desk.stand.pages[ALL] = [bybit(*both), bybit(*both, at=60_000)]
    desk.open("bybit").list("bybit", "BTCUSDT", "ETHUSDT")
    desk.stage.tell(desk.path, ConflictsSettled(venue="bybit", settled=(), excluded=frozenset({"ETHUSDT"})))

    desk.pass_s(61)

    assert (len(desk.told()), len(desk.told("ETH"))) == (2, 1)


def test_a_poller_asks_what_is_settled_of_its_venue(desk):
    self_test = desk.stage.record(f"{paths.SELF_TESTS}/bybit")
    desk.stand.pages[ALL] = [bybit(("BTCUSDT", 100))]

    desk.open("bybit").list("bybit", "BTCUSDT")

    wait_for(lambda: self_test, "the question")
    assert self_test[0] == WatchConflicts(path=desk.path)
