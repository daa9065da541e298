"""A real backfill over real HTTP, before a venue that does what the test says. A recorder stands for the stream of BTC."""

import json

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backfill import Backfill
from actors.backoff import Backoff
from actors.budget import Use, a_minute
from actors.clock import ManualClock
from actors.exchanges.exchange import Instrument
from actors.mailbox import MailboxSpec
from actors.messages.feeds import AssetsWatched, ConnectionChanged, InstrumentsListed
from actors.messages.history import BarsOffered, HistoryMissing, HistorySeen, MissingHistoryWanted
from actors.rest import RestLimits
from intelligence.history import AssetHistory, BarSpan, Missing, OpenInterestSpan
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage

T0 = 1_790_000_040_000
MINUTE = 60_000
LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=1_000_000)
BARS, POINTS = "/v5/market/kline", "/v5/market/open-interest"
ASSETS = ("BTC", "ETH", "XRP")


def bybit(*rows):
    return Reply(json.dumps({"retCode": 0, "retMsg": "OK", "result": {"list": list(rows)}, "time": T0}).encode())


def a_bar(open_ms):
    return [str(open_ms), "1", "4", "1", "2", "10", "20"]


def a_point(at_ms):
    return {"openInterest": "20", "singleOpenInterest": "10", "timestamp": str(at_ms)}


class Desk:
    """One backfill, a recorder for each stream, and a clock that the test moves."""

    def __init__(self):
        self.stand = FeedStand()
        self.stand.pages[BARS] = [bybit(a_bar(T0 - MINUTE))]
        self.stand.pages[POINTS] = [bybit(a_point(T0 - 5 * MINUTE))]
        self.stage = Stage(ManualClock(market_ms=T0))
        self.clock = self.stage.clock
        self.streams = {asset: self.stage.record(paths.symbol_path(asset)) for asset in ASSETS}
        self.others = {venue: self.stage.record(f"{paths.BACKFILL}/{venue}") for venue in ("okx", "gate")}
        self.venue = self.path = ""
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def open(self, venue="bybit", **overrides):
        self.venue, self.path = venue, f"{paths.BACKFILL}/{venue}"
        self.stage.system.place(self.path, MailboxSpec(retain_max=64))
        arguments = {
            "venue": venue,
            "rest_url": self.stand.rest_url,
            "limits": LIMITS,
            "backoff": Backoff(base_s=1.0, factor=2.0, cap_s=60.0),
            "assets": ASSETS,
            "refresh_s": 900.0,
            "settle_s": 3.0,
            "stand_in_s": 0.0,
        }
        self.stage.start(self.path, Backfill, **(arguments | overrides))
        return self

    def list(self, *assets):
        listed = tuple(Instrument(venue=self.venue, instrument=f"{one}USDT", asset=one) for one in assets)
        return self.tell(InstrumentsListed(venue=self.venue, instruments=listed)).pass_s(3)

    def lacks(self, asset="BTC"):
        """The answer of a stream that knows nothing."""
        missing = AssetHistory().missing(self.clock.now_ms())
        return self.tell(HistoryMissing(asset=asset, missing=missing))

    def tell(self, message):
        self.stage.tell(self.path, message)
        return self.settle()

    def settle(self):
        self.stage.quiet(self.path)
        self.clock.advance(0)
        self.stage.quiet(self.path)
        return self

    def pass_s(self, seconds, step_s=0.5):
        for _ in range(int(seconds / step_s)):
            self.clock.advance(step_s)
            self.stage.quiet(self.path)
        return self

    def spans(self, asset="BTC"):
        self.stage.quiet(paths.symbol_path(asset))
        return [one.span for one in self.streams[asset] if isinstance(one, HistorySeen)]

    def questions(self, asset="BTC"):
        self.stage.quiet(paths.symbol_path(asset))
        return sum(isinstance(one, MissingHistoryWanted) for one in self.streams[asset])

    def offered(self, venue="okx"):
        self.stage.quiet(f"{paths.BACKFILL}/{venue}")
        return [set(one.assets) for one in self.others[venue] if isinstance(one, BarsOffered)]

    def ready(self):
        return [one["asset"] for one in tuple(self.logs) if one["event"] == "asset_ready"]

    def asked(self):
        """Symbol and interval of each call for bars, symbol alone of each call for open interest."""
        found = []
        for request in self.stand.requests:
            path, _, query = request.partition("?")
            values = dict(pair.split("=") for pair in query.split("&"))
            found.append(f"{values['symbol']} {values['interval']}" if path == BARS else values["symbol"])
        return found

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


def test_what_a_stream_lacks_is_asked_for_and_told(desk):
    desk.open().list("BTC").lacks().pass_s(5)

    bars = [span for span in desk.spans() if isinstance(span, BarSpan)]
    (points,) = [span for span in desk.spans() if isinstance(span, OpenInterestSpan)]
    assert [span.interval for span in bars] == ["1m", "1h", "1d"]
    assert {row.close for row in bars[0].rows} == {2.0}
    assert [row.quantity for row in points.rows] == [10.0, 10.0]  # the stand answers both calls alike
    assert points.from_ms == T0 + 3_000 - 86_400_000


def test_every_watched_asset_that_the_venue_lists_is_asked_what_it_lacks(desk):
    desk.open().list("BTC", "ETH", "DOGE")

    assert [desk.questions(asset) for asset in ASSETS] == [1, 1, 0]


def test_the_most_important_asset_comes_first_and_hours_and_days_last(desk):
    desk.open().list("XRP", "ETH", "BTC")
    for asset in ("XRP", "ETH", "BTC"):
        desk.lacks(asset)
    desk.pass_s(20)

    asked = desk.asked()
    urgent = [call for call in asked if not call.endswith((" 60", " D"))]
    assert asked[-6:] == ["BTCUSDT 60", "BTCUSDT D", "ETHUSDT 60", "ETHUSDT D", "XRPUSDT 60", "XRPUSDT D"]
    assert urgent.index("BTCUSDT 1") < urgent.index("ETHUSDT 1")
    assert asked[: len(urgent)] == urgent


def test_an_asset_is_told_to_be_ready_once_its_minutes_and_open_interest_have_come(desk):
    desk.open().list("BTC").lacks()
    assert desk.ready() == []

    desk.pass_s(10)

    assert desk.ready() == ["BTC"]
    assert desk.stage.system.place(desk.path).vitals.note.startswith("1 of 1 assets ready")


def test_an_asset_that_lacks_nothing_is_ready_at_once(desk):
    contract = ("bybit", "BTCUSDT")
    nothing = Missing(reference=contract, bars={}, known=frozenset({contract}), open_interest={})
    desk.open().list("BTC").tell(HistoryMissing(asset="BTC", missing=nothing))

    assert desk.stand.requests == []
    assert desk.ready() == ["BTC"]


def test_bars_come_from_the_first_venue_that_offers_them(desk):
    desk.open().tell(BarsOffered(venue="binance", assets=frozenset({"BTC"}))).list("BTC", "ETH")
    desk.lacks("BTC").lacks("ETH").pass_s(20)

    asked = set(desk.asked())
    assert "BTCUSDT 1" not in asked
    assert {"BTCUSDT", "ETHUSDT 1", "ETHUSDT"} <= asked


def test_a_venue_of_higher_rank_is_waited_for_but_not_for_ever(desk):
    desk.stage.record(f"{paths.BACKFILL}/binance")
    desk.open(stand_in_s=20.0).list("BTC").lacks().pass_s(10)
    early = set(desk.asked())

    desk.pass_s(15).lacks().pass_s(5)

    assert early == {"BTCUSDT"}
    assert "BTCUSDT 1" in desk.asked()


def test_each_venue_tells_the_others_of_which_assets_it_can_bring_bars(desk):
    desk.open().list("BTC", "ETH")

    assert desk.offered() == [{"BTC", "ETH"}]


def test_a_contract_that_is_not_what_it_is_called_is_not_asked_for(desk):
    watched = AssetsWatched(assets=frozenset({"BTC", "ETH"}), rejected=frozenset({"ETHUSDT"}))
    desk.open().tell(watched).list("BTC", "ETH").lacks("ETH").pass_s(5)

    assert desk.asked() == []
    assert desk.offered() == [{"BTC"}]


def test_a_venue_that_does_not_answer_lets_another_bring_the_bars(desk):
    desk.stand.pages[BARS] = [Reply(b"busy", status=503)]
    desk.stand.pages[POINTS] = [Reply(b"busy", status=503)]
    desk.open().list("BTC").lacks().pass_s(30)
    assert desk.offered() == [{"BTC"}, set()]

    desk.stand.pages[BARS] = [bybit(a_bar(T0))]
    desk.stand.pages[POINTS] = [bybit()]
    desk.pass_s(60)

    assert desk.offered() == [{"BTC"}, set(), {"BTC"}]


def test_a_refusal_is_waited_for_as_long_as_the_venue_says(desk):
    refused = Reply(json.dumps({"retCode": 10006, "retMsg": "Too many visits!", "result": {}}).encode(), status=429)
    refused.headers["Retry-After"] = "30"
    desk.stand.pages[BARS] = [refused, bybit(a_bar(T0 - MINUTE))]
    desk.open().list("BTC").lacks().pass_s(25)
    assert len(desk.stand.requests) == 1

    desk.pass_s(20)

    assert len(desk.stand.requests) > 1
    assert any(isinstance(span, BarSpan) for span in desk.spans())


def test_a_refusal_for_good_needs_an_operator_and_lets_another_bring_the_bars(desk):
    desk.stand.pages[BARS] = [
        Reply(b"The Amazon CloudFront distribution is configured to block access from your country.", status=403)
    ]
    desk.open().list("BTC").lacks()

    assert "bybit" in desk.stage.exit_of(desk.path).park
    assert desk.offered() == [{"BTC"}, set()]


def test_an_answer_that_makes_no_sense_is_counted_and_left_to_the_next_round(desk):
    desk.stand.pages[BARS] = [Reply(b"<html>")]
    desk.open().list("BTC").lacks().pass_s(10)

    assert [one["event"] for one in desk.logs if one["event"].startswith("backfill_")] == ["backfill_malformed"] * 2
    assert {type(span) for span in desk.spans()} == {OpenInterestSpan}
    assert desk.ready() == ["BTC"]


def test_a_socket_that_is_back_is_a_reason_to_look_for_gaps(desk):
    def changed(state):
        return ConnectionChanged(venue="bybit", connection="bybit-0", state=state, brings_liquidations=True)

    desk.open().list("BTC")
    desk.tell(changed("down")).pass_s(5)
    before = desk.questions()

    desk.tell(changed("up")).pass_s(4)

    assert (before, desk.questions()) == (1, 2)


def test_a_round_is_due_again_and_for_assets_that_join(desk):
    desk.open(assets=("BTC",)).list("BTC", "ETH")
    desk.tell(AssetsWatched(assets=frozenset({"BTC", "ETH"}))).pass_s(4)
    joined = desk.questions("ETH")

    desk.pass_s(910, step_s=10.0)

    assert (joined, desk.questions("ETH")) == (1, 2)


def test_a_successor_knows_the_universe_and_what_others_offer(desk):
    desk.open().list("BTC", "ETH")
    for told in (BarsOffered(venue="binance", assets=frozenset({"BTC"})), AssetsWatched(assets=frozenset({"BTC"}))):
        desk.stage.system.address(desk.path).tell(told, redeliver=True, retain=True)
    desk.settle()

    desk.stage.crash(desk.path)
    desk.list("BTC", "ETH").lacks("BTC").pass_s(10)

    assert desk.questions("ETH") == 1  # of its predecessor
    assert set(desk.asked()) == {"BTCUSDT"}


@pytest.mark.parametrize(
    ("venue", "most"),
    [("binance", 180), ("bybit", 480), ("okx", 150), ("gate", 300), ("bitget", 300), ("hyperliquid", 260)],
)
def test_the_shares_of_a_venue_together_stay_below_half_of_what_it_allows(venue, most):
    allowed = {"binance": 2400, "hyperliquid": 1200, "bybit": 7200, "okx": 600, "gate": 1200, "bitget": 1200}[venue]

    assert a_minute(venue, Use.BACKFILL) == most
    assert sum(a_minute(venue, use) for use in Use) <= allowed / 2


def test_however_much_is_missing_the_budget_is_kept(desk):
    desk.open().list(*ASSETS)
    for _ in range(60):
        for asset in ASSETS:
            desk.lacks(asset)
        desk.pass_s(1)

    assert 60 <= len(desk.stand.requests) <= a_minute("bybit", Use.BACKFILL) + 1


def test_the_weights_of_binance_are_kept_as_it_counts_them(desk):
    desk.stand.pages["/fapi/v1/klines"] = desk.stand.pages["/futures/data/openInterestHist"] = [Reply(b"[]")]
    desk.open("binance").list(*ASSETS)
    for _ in range(60):
        for asset in ASSETS:
            desk.lacks(asset)
        desk.pass_s(1)

    bars = [request for request in desk.stand.requests if request.startswith("/fapi/v1/klines")]
    weight = sum(1 if int(one.partition("limit=")[2]) < 100 else 2 for one in bars)
    without_weight = len(desk.stand.requests) - len(bars)
    assert 100 <= weight + without_weight <= a_minute("binance", Use.BACKFILL) + 2
