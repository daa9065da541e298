"""Market capitalisation over real HTTP, from the first source that answers."""

import json

import pytest
from structlog.testing import capture_logs

from actors import paths
from actors.backoff import Backoff
from actors.clock import ManualClock
from actors.market_cap_sources import SourceError, coingecko, coinpaprika, read
from actors.market_caps import MarketCaps
from actors.messages.features import MarketCapKnown, MarketCapWanted
from actors.rest import RestLimits
from intelligence.market_cap import CoinCap, ours
from tests.feed_stand.server import FeedStand, Reply
from tests.telegram_stand.stage import Stage

LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=1_000_000)
GECKO, PAPRIKA = "/coins/markets", "/tickers"
ASKER = "/asker"


def gecko(**caps):
    rows = [{"id": name, "symbol": name, "current_price": 2.0, "market_cap": cap} for name, cap in caps.items()]
    return Reply(json.dumps(rows).encode())


def paprika(**caps):
    rows = [
        {"symbol": name.upper(), "quotes": {"USD": {"price": 3.0, "market_cap": cap}}} for name, cap in caps.items()
    ]
    return Reply(json.dumps(rows).encode())


class Desk:
    def __init__(self):
        self.stand = FeedStand()
        self.stage = Stage(ManualClock())
        self.told = self.stage.record(ASKER)
        self._capture = capture_logs()
        self.logs = self._capture.__enter__()

    def open(self, pages=1):
        url = self.stand.rest_url
        self.stage.start(
            paths.MARKET_CAPS,
            MarketCaps,
            sources=(coingecko(url, pages), coinpaprika(url)),
            limits=LIMITS,
            backoff=Backoff(base_s=1.0, factor=2.0, cap_s=60.0, jitter=0.0),
            refresh_s=3600.0,
            gap_s=0.0,
            keep_s=86_400.0,
        )
        return self.pass_time(0.0)

    def pass_time(self, seconds):
        """Let time pass, and then whatever was due at once."""
        self.stage.clock.advance(seconds)
        for _ in range(6):
            self.stage.quiet(paths.MARKET_CAPS)
            self.stage.clock.advance(0)
        return self

    def serve(self, gecko=None, paprika=None):
        for path, reply in ((GECKO, gecko), (PAPRIKA, paprika)):
            if reply is not None:
                self.stand.pages[path] = reply if isinstance(reply, list) else [reply]
        return self

    def events(self, name):
        return [line for line in self.logs if line["event"] == name]

    def ask(self, asset):
        self.stage.tell(paths.MARKET_CAPS, MarketCapWanted(asset=asset, path=ASKER))
        self.stage.quiet(paths.MARKET_CAPS)
        self.stage.quiet(ASKER)
        return self.told

    def close(self):
        self._capture.__exit__(None, None, None)
        self.stage.close()
        self.stand.stop()


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.close()


def test_whoever_asks_is_told_what_the_first_source_says(desk):
    desk.serve(gecko=gecko(btc=1.5e12)).open()
    assert desk.events("market_caps_read")

    (known,) = desk.ask("BTC")
    assert isinstance(known, MarketCapKnown)
    assert [(coin.cap_usd, coin.source) for coin in known.coins] == [(1.5e12, "coingecko")]


def test_the_next_source_is_asked_when_the_first_refuses(desk):
    desk.serve(gecko=Reply(b"slow down", status=429), paprika=paprika(btc=1.4e12)).open()
    assert desk.events("market_caps_read")

    (failed,) = desk.events("market_caps_failed")
    assert "429" in failed["reason"]
    assert desk.ask("BTC")[0].coins[0].source == "coinpaprika"


def test_without_any_source_nobody_is_told_anything_and_it_goes_on_trying(desk):
    desk.serve(gecko=Reply(b"{", status=200), paprika=Reply(b"", status=500)).open()
    assert len(desk.events("market_caps_failed")) == 2
    assert desk.ask("BTC") == []

    desk.serve(gecko=gecko(btc=1e12))
    desk.pass_time(1.0)
    assert desk.events("market_caps_read")


def test_what_was_read_is_forgotten_after_a_day(desk):
    desk.serve(gecko=[gecko(btc=1e12), Reply(b"", status=500)], paprika=Reply(b"", status=500)).open()
    assert desk.events("market_caps_read")
    desk.pass_time(86_401.0)

    assert desk.ask("BTC") == []


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"error": "limit"}'])
def test_an_answer_that_makes_no_sense_is_an_error_with_a_name(body):
    with pytest.raises(SourceError, match="coingecko"):
        read("coingecko", body, 0)


def test_a_coin_without_price_or_cap_is_left_out():
    body = json.dumps([{"symbol": "a", "current_price": None, "market_cap": 1}, {"symbol": "b"}]).encode()

    assert read("coingecko", body, 0) == ()


def test_of_coins_with_one_name_ours_is_the_one_with_our_price():
    def coin(price, cap):
        return CoinCap(symbol="X", source="test", price_usd=price, cap_usd=cap, at_ms=0)

    other, own = coin(50.0, 9e9), coin(1.1, 1e9)
    assert ours((other, own), 1.0) is own
    assert ours((other,), 1.0) is None
