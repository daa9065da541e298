"""Margin tiers over real HTTP, before a venue that does what the test says."""

import json

import msgspec
import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.exchanges.exchange import Instrument
from actors.margin_reader import SCHEMA, MarginReader
from actors.messages.checkpoints import CheckpointRestored, CheckpointTaken
from actors.messages.features import MarginTiersTold, MarginTiersWanted
from actors.messages.feeds import InstrumentsListed, InstrumentsWanted
from actors.rest import RestLimits
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage

T0 = 1_739_502_302_000
DAY_MS = 86_400_000
LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000)
PAGE = "/v5/market/risk-limit"
PATH = f"{paths.MARGIN_TIERS}/bybit"
CATALOGUE = f"{paths.CATALOGUES}/bybit"
ASKER = "/asker"


def page(*rows, cursor=""):
    """Symbol, cap and maintenance rate of each tier."""
    listed = [
        {
            "symbol": symbol,
            "riskLimitValue": str(cap),
            "maintenanceMargin": str(rate),
            "initialMargin": "0.01",
            "maxLeverage": "100",
            "mmDeduction": "",
        }
        for symbol, cap, rate in rows
    ]
    result = {"category": "linear", "list": listed, "nextPageCursor": cursor}
    return Reply(json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": T0}).encode())


class Desk:
    def __init__(self):
        self.stand = FeedStand()
        self.stage = Stage(ManualClock(market_ms=T0))
        self.catalogue = self.stage.record(CATALOGUE)
        self.checkpoints = self.stage.record(paths.CHECKPOINTS)
        self.told = self.stage.record(ASKER)
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def open(self, *pages):
        self.stand.pages[PAGE] = list(pages)
        self.stage.start(
            PATH,
            MarginReader,
            venue="bybit",
            rest_url=self.stand.rest_url,
            limits=LIMITS,
            backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0, jitter=0.0),
            assets=frozenset({"BTC", "ETH"}),
            refresh_s=86_400.0,
            keep_s=120 * 86_400.0,
        )
        return self

    def pass_s(self, seconds):
        for _ in range(int(seconds)):
            self.stage.clock.advance(1.0)
            self.stage.quiet(PATH)
        return self

    def list(self, *symbols):
        listed = tuple(Instrument(venue="bybit", instrument=one, asset=one.removesuffix("USDT")) for one in symbols)
        self.stage.tell(PATH, InstrumentsListed(venue="bybit", instruments=listed))
        self.stage.quiet(PATH)
        return self.pass_s(10)

    def ask(self, asset="BTC"):
        self.stage.tell(PATH, MarginTiersWanted(asset=asset, path=ASKER))
        self.stage.quiet(PATH)
        self.stage.quiet(ASKER)
        return [one for one in self.told if isinstance(one, MarginTiersTold) and one.tiers.asset == asset]

    def events(self, name):
        return [line for line in tuple(self.logs) if line["event"] == name]

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


def test_the_list_is_asked_for_until_it_comes(desk):
    desk.open().pass_s(35)
    desk.stage.quiet(CATALOGUE)

    assert sum(isinstance(one, InstrumentsWanted) for one in desk.catalogue) == 3


def test_tiers_of_all_pages_are_told_to_whoever_asks(desk):
    first = page(("BTCUSDT", 2_000_000, 0.005), ("BTCUSDT", 4_000_000, 0.01), cursor="next")
    desk.open(first, page(("ETHUSDT", 1_000_000, 0.006))).list("BTCUSDT", "ETHUSDT", "DOGEUSDT")

    (btc,) = desk.ask("BTC")
    assert [(tier.cap, tier.maintenance_rate) for tier in btc.tiers.tiers] == [(2e6, 0.005), (4e6, 0.01)]
    assert T0 < btc.at_ms <= T0 + 60_000
    assert len(desk.ask("ETH")) == 1
    assert desk.ask("DOGE") == []


def test_nothing_is_told_before_anything_is_known(desk):
    assert desk.open().ask() == []


def test_they_are_read_again_after_a_day(desk):
    desk.open(page(("BTCUSDT", 2_000_000, 0.005)), page(("BTCUSDT", 2_000_000, 0.02))).list("BTCUSDT")
    desk.stage.clock.advance(86_401.0)
    desk.stage.quiet(PATH)
    desk.list("BTCUSDT")

    assert desk.ask()[-1].tiers.tiers[0].maintenance_rate == 0.02


def test_a_failure_is_waited_for_and_costs_nothing_that_is_known(desk):
    desk.open(Reply(b"", status=500), page(("BTCUSDT", 2_000_000, 0.005))).list("BTCUSDT")

    assert len(desk.ask()) == 1
    assert len(desk.events("margin_tiers_failed")) == 1


def test_another_process_goes_on_with_what_was_kept_and_its_date(desk):
    desk.open(page(("BTCUSDT", 2_000_000, 0.005))).list("BTCUSDT")
    desk.stage.quiet(paths.CHECKPOINTS)
    (taken,) = [one for one in desk.checkpoints if isinstance(one, CheckpointTaken)]
    asked = len(desk.stand.requests)
    desk.stage.restart(PATH)
    state = msgspec.msgpack.encode(taken.state)
    desk.stage.tell(PATH, CheckpointRestored(part="tiers", schema=SCHEMA, at_ms=taken.at_ms, state=state))
    desk.stage.quiet(PATH)

    assert desk.ask()[-1].at_ms == taken.at_ms
    assert len(desk.pass_s(60).stand.requests) == asked


def test_tiers_that_are_too_old_are_said_to_be(desk):
    desk.open(page(("BTCUSDT", 2_000_000, 0.005))).list("BTCUSDT")
    desk.stage.quiet(paths.CHECKPOINTS)
    (taken,) = [one for one in desk.checkpoints if isinstance(one, CheckpointTaken)]
    desk.stage.restart(PATH)
    state = msgspec.msgpack.encode(taken.state)
    desk.stage.tell(PATH, CheckpointRestored(part="tiers", schema=SCHEMA, at_ms=T0 - 91 * DAY_MS, state=state))
    desk.stage.quiet(PATH)

    assert desk.events("margin_tiers_old")[0]["days"] == 91
