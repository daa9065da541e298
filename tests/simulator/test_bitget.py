import json

import pytest

from simulator.listings import BITGET
from simulator.venue import Call, Close
from tests.simulator.serving import a_liquidation, called, nothing, read, run_of, shown_after


def connected(**settings):
    venue, *_, market = run_of(BITGET, steps=20)
    for name, value in settings.items():
        object.__setattr__(venue._settings, name, value)
    return venue.connect(Call("/v3/ws/public"), 0.0), venue, market


def say(connection, topic: str, now_s: float = 0.0, op: str = "subscribe", **more) -> list:
    arg = {"instType": "usdt-futures", "topic": topic} | more
    return read(connection.receive(json.dumps({"op": op, "args": [arg]}), now_s))


def test_subscriptions_are_acknowledged_one_by_one_and_a_snapshot_follows():
    connection, *_ = connected()

    ack, snapshot = say(connection, "publicTrade", symbol="BTCUSDT")
    assert (ack["event"], ack["arg"]["symbol"]) == ("subscribe", "BTCUSDT")
    assert snapshot["action"] == "snapshot"
    times = [int(row["T"]) for row in snapshot["data"]]
    assert times == sorted(times, reverse=True)
    assert [reply["event"] for reply in say(connection, "liquidation")] == ["subscribe"]
    assert say(connection, "kline", symbol="BTCUSDT", interval="1m")[1]["arg"]["interval"] == "1m"
    assert say(connection, "ticker", symbol="BTCUSDT")[1]["data"][0]["openInterest"]


@pytest.mark.parametrize(
    "more",
    [
        {"topic": "publicTrade", "symbol": "NOPE"},
        {"topic": "dreams", "symbol": "BTCUSDT"},
        {"topic": "liquidation", "symbol": "BTCUSDT"},
    ],
)
def test_what_does_not_exist_is_refused(more):
    connection, *_ = connected()

    (reply,) = say(connection, **more)
    assert (reply["event"], reply["code"]) == ("error", 30001)


def test_only_the_text_ping_keeps_a_connection():
    connection, *_ = connected()

    assert connection.receive("ping", 100.0) == ["pong"]
    assert connection.receive_control(150.0, pong=b"") == []
    assert connection.tick(219.0) == []
    assert isinstance(connection.tick(220.0)[0], Close)


def test_messages_and_subscriptions_are_counted():
    connection, *_ = connected(operations_per_hour=3)
    for number in range(3):
        say(connection, "liquidation", now_s=float(number))

    assert say(connection, "liquidation", now_s=4.0)[0]["code"] == 30006
    assert [isinstance(connection.receive("ping", 9.0)[0], Close) for _ in range(11)] == [False] * 10 + [True]


def test_of_every_pair_and_second_the_largest_long_and_the_largest_short_are_shown():
    _, venue, market = connected()
    rows = [
        a_liquidation(
            venue=BITGET, position_id=10 * is_long + number, is_long=bool(is_long), notional_usd=float(number)
        )
        for is_long in (1, 0)
        for number in (1, 3, 2)
    ]

    frames = shown_after(venue, market, *rows)["liquidation"]

    (frame,) = [frame for frame in frames if frame["data"]]
    assert venue.shown >= {13, 3}
    assert [row["side"] for row in frame["data"]] == ["buy", "sell"]
    row = frame["data"][0]
    assert float(row["amount"]) == pytest.approx(0.5 * float(row["price"]))


def test_the_amount_is_usdt_on_the_socket_and_coins_in_rest():
    venue, frames, _, _ = run_of(BITGET, steps=3000, wanted=nothing, assets=40, trades_per_s=5.0)
    on_socket = {
        (row["symbol"], row["ts"], row["side"]): row for frame in frames["liquidation"] for row in frame["data"]
    }
    listed = called(venue, "/api/v3/market/liquidations", category="USDT-FUTURES")["data"]["list"]
    keys = [(row["symbol"], row["ts"], row["side"]) for row in listed]
    pairs = [
        (on_socket[key], row)
        for key, row in zip(keys, listed, strict=True)
        if key in on_socket and keys.count(key) == 1
    ]

    assert pairs
    for socket_row, rest_row in pairs:
        ratio = float(socket_row["amount"]) / float(rest_row["amount"])
        assert ratio == pytest.approx(float(rest_row["price"]), rel=1e-3)


def test_liquidations_are_paged_backwards():
    venue, *_ = run_of(BITGET, steps=3000, wanted=nothing, assets=40, trades_per_s=5.0)
    asked = {"category": "USDT-FUTURES", "limit": "5"}
    first = called(venue, "/api/v3/market/liquidations", **asked)["data"]
    older = called(venue, "/api/v3/market/liquidations", **asked, cursor=first["cursor"])["data"]

    times = [int(row["ts"]) for row in (*first["list"], *older["list"])]
    assert len(times) == 10
    assert times == sorted(times, reverse=True)


def test_trades_and_candles_agree():
    _, frames, prints, _ = run_of(BITGET, steps=1300)
    rows = [row for frame in frames["publicTrade:BTCUSDT"] for row in frame["data"]]
    candles = {row["start"]: row for frame in frames["kline:BTCUSDT"] for row in frame["data"]}

    assert len(rows) == len(prints["BTCUSDT"])
    for start, candle in list(candles.items())[:-1]:
        coins = sum(float(row["v"]) for row in rows if 0 <= int(row["T"]) - int(start) < 60_000)
        assert float(candle["volume"]) == pytest.approx(coins, abs=1e-3)


def test_instruments_hold_what_a_reader_must_leave_out():
    venue, *_ = run_of(BITGET, steps=1)
    rows = {row["symbol"]: row for row in called(venue, "/api/v3/market/instruments", category="USDT-FUTURES")["data"]}

    assert rows["TSLAUSDT"]["isRwa"] == "YES"
    assert rows["XAUUSDT"]["symbolType"] == "metal"
    assert rows["OLDCOINUSDT"]["status"] == "offline"
    assert rows["BTCUSDT261225"]["type"] == "delivery"
    assert called(venue, "/api/v3/market/instruments", category="COIN-FUTURES")["data"] == []


def test_figures_of_all_pairs_come_in_one_call():
    venue, *_ = run_of(BITGET, steps=1)
    tickers = called(venue, "/api/v3/market/tickers", category="USDT-FUTURES")["data"]
    opened = called(venue, "/api/v3/market/open-interest", category="USDT-FUTURES")["data"]["list"]

    assert {row["symbol"]: row["openInterest"] for row in tickers} == {
        row["symbol"]: row["openInterest"] for row in opened
    }
    assert len(called(venue, "/api/v2/mix/market/current-fund-rate", productType="USDT-FUTURES")["data"]) == 9
    assert called(venue, "/api/v3/market/current-fund-rate", symbol="BTCUSDT")["data"][0]["fundingRateInterval"] == "8"
    tiers = called(venue, "/api/v3/market/position-tier", category="USDT-FUTURES", symbol="BTCUSDT")["data"]
    assert (tiers[0]["mmr"], tiers[0]["minTierValue"]) == ("0.004", "0")
    candles = called(
        venue, "/api/v3/market/candles", category="USDT-FUTURES", symbol="BTCUSDT", interval="1H", limit="1000"
    )
    older = called(venue, "/api/v3/market/history-candles", symbol="BTCUSDT", interval="1H", limit="1000")
    assert (len(candles["data"]) > 700, len(older["data"])) == (True, 100)


def test_liquidations_may_be_asked_for_five_times_a_second():
    venue, *_ = run_of(BITGET, steps=1)
    call = Call("/api/v3/market/liquidations", {"category": "USDT-FUTURES"})

    assert [venue.rest(call, 1.0).status for _ in range(6)] == [200] * 5 + [429]
    assert venue.rest(call, 2.1).status == 200
    assert venue.rest(Call("/api/v3/public/instruments"), 1.0).status == 404
    assert venue.rest(Call("/api/v3/market/tickers", {"category": "DREAMS"}), 1.0).status == 400
