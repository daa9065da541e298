"""A socket of trades: from the bytes to one letter an asset and read, and what happens when the streams are behind."""

import json

import pytest

from actors import paths, publisher, socket_reader
from actors.exchanges.exchange import Feed as Kind
from actors.mailbox import Lane, Letter, MailboxSpec
from actors.messages.feeds import AssetsWatched
from actors.messages.market import LiquidationsSeen, TradesSeen
from tests.feed_stand.feed import Feed, a_plan, instruments
from tests.feed_stand.server import frame, text
from tests.feed_stand.venues import T0, bybit_liquidation
from tests.telegram_stand.stage import wait_for

TRADES = a_plan(name="trades-1", brings_liquidations=False, feeds=frozenset({Kind.TRADES}))


@pytest.fixture
def feed(monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.005)
    one = Feed()
    yield one
    one.close()


def a_trade(symbol="BTCUSDT", price=90_000, coins=1.0, at=0, side="Buy"):
    row = {"T": T0 + at, "s": symbol, "S": side, "v": str(coins), "p": str(price), "i": f"{at}", "BT": False}
    return json.dumps({"topic": f"publicTrade.{symbol}", "type": "snapshot", "ts": T0 + at, "data": [row]})


def letters(feed, asset="BTC", trades=1):
    """The letters with trades of an asset once they hold so many."""
    box = feed.streams[asset]
    wait_for(lambda: sum(len(one.coins) for one in tuple(box) if isinstance(one, TradesSeen)) >= trades, "trades")
    return [one for one in tuple(box) if isinstance(one, TradesSeen)]


def note(feed):
    return feed.stage.system.place(feed.path).vitals.note


def test_the_trades_of_a_read_become_one_letter_an_asset(feed):
    venue = feed.up(plan=TRADES)

    venue.send(a_trade(coins=1.5), a_trade("ETHUSDT", 3_000, 2.0), a_trade(price=90_001, coins=0.5, at=3, side="Sell"))

    (btc,) = letters(feed, "BTC", 2)
    assert (btc.venue, btc.asset) == ("bybit", "BTC")
    assert (btc.times_ms, btc.prices, btc.coins) == ([T0, T0 + 3], [90_000.0, 90_001.0], [1.5, -0.5])
    assert letters(feed, "ETH")[0].coins == [2.0]


def test_two_instruments_of_an_asset_share_a_letter(feed):
    both = instruments("BTCUSDT") + tuple(
        type(one)(venue="bybit", instrument="BTCPERP", asset="BTC") for one in instruments("BTCUSDT")
    )
    venue = feed.up(plan=TRADES, instruments=both)

    venue.send(a_trade(coins=1.0), a_trade("BTCPERP", coins=2.0))

    (btc,) = letters(feed, "BTC", 2)
    assert btc.coins == [1.0, 2.0]


def test_control_frames_and_bad_ones_between_trades_cost_no_trade(feed):
    venue = feed.up(plan=TRADES)

    venue.raw(text(a_trade(coins=1.0)) + frame(9, b"are you there") + text('{"broken') + text(a_trade(coins=2.0, at=1)))
    venue.raw(frame(1, a_trade(coins=3.0, at=2)[:40], final=False) + frame(0, a_trade(coins=3.0, at=2)[40:]))

    found = letters(feed, "BTC", 3)
    assert [coins for one in found for coins in one.coins] == [1.0, 2.0, 3.0]
    wait_for(lambda: venue.of_kind("pong") == [b"are you there"], "the pong")
    assert feed.log_of("frame_malformed")["n"] == 1


def test_trades_before_a_close_or_a_breach_are_kept(feed):
    venue = feed.up(plan=TRADES)

    venue.raw(text(a_trade(coins=1.0)) + b"\x81\x80")

    assert letters(feed)[0].coins == [1.0]
    assert "protocol error" in feed.wait_state("down").reason


def test_a_refused_subscription_of_trades_ends_the_socket(feed):
    feed.stand.answer = lambda _sent: ('{"success":false,"ret_msg":"no such topic","op":"subscribe","conn_id":"c"}',)
    feed.open(plan=TRADES)

    assert "no such topic" in feed.wait_state("down").reason


def test_trades_that_nobody_watches_start_no_stream(feed):
    feed.stage.system.declare_template(paths.SYMBOLS, MailboxSpec())
    venue = feed.up(plan=TRADES, instruments=instruments("BTCUSDT", "DOGEUSDT"))

    venue.send(a_trade("DOGEUSDT"), a_trade())

    letters(feed)
    assert feed.stage.system.find(paths.symbol_path("DOGE")) is None


def test_while_a_stream_is_behind_its_trades_are_shed_and_counted_and_nothing_else_is(feed, monkeypatch):
    monkeypatch.setattr(publisher, "TRADE_LETTERS", 2)
    feed.stage.system.declare_template(paths.SYMBOLS, MailboxSpec())
    venue = feed.up(plan=TRADES, instruments=instruments("BTCUSDT", "SOLUSDT"), assets=frozenset({"BTC", "SOL"}))
    sol = feed.stage.system.place(paths.symbol_path("SOL"), MailboxSpec())  # where nobody takes anything
    for number in range(2):
        sol.mailbox.put(Letter(number, Lane.DATA))

    venue.send(a_trade("SOLUSDT", coins=1.0), a_trade("SOLUSDT", coins=2.0), a_trade(coins=5.0))

    assert letters(feed)[0].coins == [5.0]
    assert sol.mailbox.depths().data == 2
    feed.pass_until(lambda: "2 trades shed" in note(feed), "the note")
    assert "1 trades," in note(feed)
    entry = feed.log_of("trades_shed")
    assert (entry["n"], entry["shed"], entry["log_level"]) == (1, 2, "warning")


def test_shedding_is_logged_at_the_1st_2nd_4th_time(feed, monkeypatch):
    monkeypatch.setattr(publisher, "TRADE_LETTERS", 0)
    venue = feed.up(plan=TRADES)
    for at in range(5):
        venue.send(a_trade(at=at))
        feed.pass_until(lambda wanted=at + 1: f"{wanted} trades shed" in note(feed), "the note")

    assert [one["n"] for one in tuple(feed.logs) if one["event"] == "trades_shed"] == [1, 2, 4]


def test_liquidations_go_on_while_trades_are_shed(feed, monkeypatch):
    monkeypatch.setattr(publisher, "TRADE_LETTERS", 0)
    feed.up(plan=TRADES).send(a_trade())
    other = a_plan()
    feed.path = "/core/feeds/bybit-linear-1"

    feed.open(plan=other, child_id="bybit-linear-2")
    feed.stand.socket(2).send(bybit_liquidation(("BTCUSDT", 2, 90_000, 0)))

    assert isinstance(feed.liquidations()[0], LiquidationsSeen)
    assert not [one for one in feed.streams["BTC"] if isinstance(one, TradesSeen)]


def test_a_contract_that_is_not_what_it_is_called_brings_nothing(feed):
    venue = feed.up(plan=TRADES, assets=frozenset({"BTC", "ETH"}))
    feed.stage.tell(feed.path, AssetsWatched(assets=frozenset({"BTC", "ETH"}), rejected=frozenset({"BTCUSDT"})))
    feed.stage.quiet(feed.path)

    venue.send(bybit_liquidation(("BTCUSDT", 2, 90_000, 0)), a_trade(), a_trade("ETHUSDT", 3_000, 2.0))

    assert letters(feed, "ETH")[0].coins == [2.0]
    assert [one for one in feed.streams["BTC"] if one != "settle"] == []


def test_an_asset_that_has_left_starts_no_stream_by_its_trades(feed):
    feed.stage.system.declare_template(paths.SYMBOLS, MailboxSpec())
    venue = feed.up(plan=TRADES, instruments=instruments("BTCUSDT", "DOGEUSDT"), assets=frozenset({"BTC", "DOGE"}))
    feed.stage.tell(feed.path, AssetsWatched(assets=frozenset({"BTC"})))
    feed.stage.quiet(feed.path)

    venue.send(a_trade("DOGEUSDT"), a_trade())

    letters(feed)
    assert feed.stage.system.find(paths.symbol_path("DOGE")) is None
