import itertools
import json

import pytest

from simulator.listings import GATE
from simulator.venue import Call
from tests.simulator.serving import START_MS, a_liquidation, called, listing_of, nothing, read, run_of, shown_after

DECIMAL = {"x-gate-size-decimal": "1"}
LIQUIDATES = "futures.public_liquidates"


def connected(headers: dict | None = None):
    venue, *_, market = run_of(GATE, steps=1)
    return venue.connect(Call("/v4/ws/usdt", headers=headers or {}), 0.0), venue, market


def say(connection, channel: str, *payload: str, event: str = "subscribe") -> dict:
    (reply,) = read(
        connection.receive(json.dumps({"time": 1, "channel": channel, "event": event, "payload": payload}), 0.0)
    )
    return reply


def liquidations(count: int, **changes) -> list:
    values = {"venue": GATE, "symbol": "BTC_USDT"} | changes
    return [a_liquidation(position_id=number, **values) for number in range(1, count + 1)]


def test_subscriptions_are_acknowledged_and_ended():
    connection, *_ = connected()

    reply = say(connection, "futures.trades", "BTC_USDT", "ETH_USDT")
    assert (reply["event"], reply["result"]) == ("subscribe", {"status": "success"})
    assert connection.topics == {"futures.trades:BTC_USDT", "futures.trades:ETH_USDT"}
    say(connection, "futures.trades", "ETH_USDT", event="unsubscribe")
    assert connection.topics == {"futures.trades:BTC_USDT"}


@pytest.mark.parametrize(
    ("channel", "payload"),
    [
        ("futures.trades", ["NOPE"]),
        ("futures.trades", ["!all"]),
        ("futures.dreams", ["BTC_USDT"]),
        ("futures.candlesticks", ["9m", "BTC_USDT"]),
    ],
)
def test_what_does_not_exist_is_refused(channel, payload):
    connection, *_ = connected()

    assert say(connection, channel, *payload)["error"]["code"] == 2
    assert connection.topics == set()


def test_a_ping_is_answered_in_the_venues_way():
    connection, *_ = connected()

    (pong,) = read(connection.receive('{"time":1,"channel":"futures.ping"}', 0.0))
    assert (pong["channel"], pong["time_ms"]) == ("futures.pong", START_MS + 100)


def test_every_liquidation_of_a_contract_and_second_comes_in_one_array_with_the_orders_sign():
    _, venue, market = connected()
    rows = [*liquidations(3), *liquidations(2, symbol="ETH_USDT", asset="ETH", is_long=False)]

    frames = shown_after(venue, market, *rows)[f"{LIQUIDATES}:!all"]

    assert [len(frame["result"]) for frame in frames] == [3, 2]
    assert frames[0]["result"][0] == {"price": "83800.0", "size": -5000, "time": START_MS, "contract": "BTC_USDT"}
    assert all(row["size"] > 0 for row in frames[1]["result"])


def test_twenty_rows_are_flushed_before_the_second_is_over():
    _, venue, market = connected()
    market.start_ms += 300 - market.now_ms % 1000  # not at a second's edge

    frames = shown_after(venue, market, *liquidations(25), seconds=0.1)

    assert sum(len(frame["result"]) for frame in frames[f"{LIQUIDATES}:!all"]) == 25


def test_sizes_are_decimal_texts_for_who_asked_for_them():
    connection, venue, market = connected(DECIMAL)
    say(connection, LIQUIDATES, "!all")

    frames = shown_after(venue, market, *liquidations(1), wanted=lambda topic: topic in connection.topics)

    ((frame,),) = frames.values()
    assert frame["result"][0]["size"] == "-5000.0"
    whole = called(venue, "/api/v4/futures/usdt/liq_orders")
    rest = json.loads(
        venue.rest(Call("/api/v4/futures/usdt/trades", {"contract": "BTC_USDT"}, headers=DECIMAL), 0.0).body
    )
    assert all(isinstance(row["size"], int) for row in whole)
    assert all(isinstance(row["size"], str) for row in rest)


def test_the_sign_of_a_trade_is_the_takers_side():
    _, frames, prints, market = run_of(GATE)
    rows = [row for frame in frames["futures.trades:BTC_USDT/decimal"] for row in frame["result"]]

    assert len(rows) == len(prints["BTC_USDT"]) > 0
    for row, trade in zip(rows, prints["BTC_USDT"], strict=True):
        assert float(row["size"]) * 0.0001 == pytest.approx(trade.coins if trade.is_buy else -trade.coins)
        assert (row["create_time_ms"], row["price"]) == (
            trade.time_ms,
            listing_of(market, GATE, "BTC_USDT").price(trade.price),
        )


def test_statistics_add_up_what_was_liquidated_by_side():
    venue, _, _, market = run_of(GATE, steps=3600, wanted=nothing, assets=40, trades_per_s=5.0)
    book = max(market.books.values(), key=lambda book: sum(row.asset == book.asset.name for row in market.liquidations))
    symbol = book.listings[GATE].symbol
    rows = called(venue, "/api/v4/futures/usdt/contract_stats", contract=symbol, limit="10")
    first_ms = rows[0]["time"] * 1000

    for side, is_long in (("long", True), ("short", False)):
        happened = [
            row for row in (*market.earlier, *market.liquidations)
            if row.symbol == symbol and row.is_long is is_long and row.time_ms >= first_ms
        ]  # fmt: skip
        assert sum(row[f"{side}_liq_usd"] for row in rows) == pytest.approx(
            sum(row.notional_usd for row in happened), rel=1e-3
        )
    assert [later["time"] - sooner["time"] for sooner, later in itertools.pairwise(rows)] == [300] * 9


def test_statistics_are_pushed_each_minute():
    _, frames, _, _ = run_of(GATE, steps=1300)

    rows = [frame["result"][0] for frame in frames["futures.contract_stats:BTC_USDT"]]
    assert len(rows) == 3
    assert {"open_interest", "open_interest_usd", "long_liq_usd", "contract"} <= set(rows[0])


def test_rest_liquidations_carry_the_positions_sign():
    venue, *_, market = run_of(GATE, steps=3000, wanted=nothing, assets=40, trades_per_s=5.0)
    rows = called(venue, "/api/v4/futures/usdt/liq_orders", limit="1000")
    truth = {(row.symbol, row.time_ms // 1000, row.is_long) for row in (*market.earlier, *market.liquidations)}

    assert rows
    assert all((row["contract"], row["time"], row["size"] > 0) in truth for row in rows)
    assert all(row["size"] == -row["order_size"] for row in rows)
    late = called(venue, "/api/v4/futures/usdt/liq_orders", **{"from": "1", "to": "9999"})
    assert late["label"] == "INVALID_PARAM_VALUE"


def test_contracts_hold_what_a_reader_must_leave_out_and_are_paged():
    venue, *_ = run_of(GATE, steps=1)
    rows = called(venue, "/api/v4/futures/usdt/contracts", limit="5")
    rest = called(venue, "/api/v4/futures/usdt/contracts", limit="100", offset="5")

    by_name = {row["name"]: row for row in (*rows, *rest)}
    assert len(by_name) == 13
    assert by_name["TSLAX_USDT"]["contract_type"] == "stocks"
    assert by_name["NEWCOIN_USDT"]["is_pre_market"]
    assert by_name["OLDCOIN_USDT"]["in_delisting"]
    one = called(venue, "/api/v4/futures/usdt/contracts/BTC_USDT")
    ticker = called(venue, "/api/v4/futures/usdt/tickers", contract="BTC_USDT")[0]
    assert one["quanto_multiplier"] == "0.0001"
    assert one["position_size"] == pytest.approx(float(ticker["total_size"]), rel=1e-6)


def test_candles_take_a_limit_or_times_but_not_both():
    venue, *_, market = run_of(GATE, steps=10)
    now_s = market.now_ms // 60_000 * 60
    asked = {"contract": "BTC_USDT", "interval": "1m"}

    assert len(called(venue, "/api/v4/futures/usdt/candlesticks", **asked)) == 100
    window = called(venue, "/api/v4/futures/usdt/candlesticks", **asked, **{"from": str(now_s - 240), "to": str(now_s)})
    assert [row["t"] for row in window] == list(range(now_s - 240, now_s + 1, 60))
    both = called(venue, "/api/v4/futures/usdt/candlesticks", **asked, limit="5", to=str(now_s))
    assert both["label"] == "INVALID_PARAM_VALUE"


def test_tiers_name_their_contract():
    venue, *_ = run_of(GATE, steps=1)

    rows = called(venue, "/api/v4/futures/usdt/risk_limit_tiers", contract="BTC_USDT")
    assert [(row["tier"], row["maintenance_rate"]) for row in rows] == [(1, "0.004"), (2, "0.004"), (3, "0.025")]
    assert len(called(venue, "/api/v4/futures/usdt/risk_limit_tiers")) == 27


def test_each_endpoint_has_its_own_limit_and_says_when_it_ends():
    venue, *_ = run_of(GATE, steps=1)
    call = Call("/api/v4/futures/usdt/tickers")
    replies = [venue.rest(call, 1.0) for _ in range(201)]

    assert replies[0].headers["X-Gate-RateLimit-Requests-Remain"] == "199"
    assert (replies[199].status, replies[200].status) == (200, 429)
    assert json.loads(replies[200].body)["label"] == "TOO_MANY_REQUESTS"
    assert "X-Gate-RateLimit-Reset-Timestamp" in replies[200].headers
    assert venue.rest(Call("/api/v4/spot/time"), 1.0).status == 200
    assert venue.rest(Call("/api/v4/futures/usdt/dreams"), 1.0).status == 404


@pytest.mark.parametrize(("wanted", "named"), [("!all", "ETH_USDT"), ("BTC_USDT", "BTC_USDT")])
def test_a_new_subscriber_to_contract_info_is_told_all_of_it_first(wanted, named):
    connection, *_ = connected()
    request = {"time": 1, "channel": "futures.contract_info", "event": "subscribe", "payload": [wanted]}

    accepted, told = read(connection.receive(json.dumps(request), 0.0))
    rows = {row["contract"]: row for row in told["result"]}

    assert (accepted["event"], told["event"]) == ("subscribe", "all")
    assert rows[named]["risk_limit_tiers"][0]["contract"] == named
    assert {"quanto_multiplier", "order_price_round"} <= set(rows[named])
    assert ("ETH_USDT" in rows) is (wanted == "!all")
