import json

import pytest

from simulator.listings import HYPERLIQUID
from simulator.venue import Call, Close
from tests.simulator.serving import a_liquidation, read, run_of, shown_after


def connected():
    venue, *_, market = run_of(HYPERLIQUID, steps=20)
    return venue.connect(Call("/ws"), 0.0), venue, market


def say(connection, method: str = "subscribe", **wish) -> list:
    return read(connection.receive(json.dumps({"method": method, "subscription": wish}), 0.0))


def asked(venue, kind: str, **more):
    return json.loads(venue.rest(Call("/info", method="POST", body=json.dumps({"type": kind} | more)), 0.0).body)


def test_subscriptions_are_acknowledged_and_trades_begin_with_history():
    connection, *_ = connected()

    ack, history = say(connection, type="trades", coin="BTC")
    assert ack == {
        "channel": "subscriptionResponse",
        "data": {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}},
    }
    assert (history["channel"], len(history["data"])) == ("trades", 10)
    assert say(connection, type="trades", coin="BTC")[0]["channel"] == "error"
    say(connection, "unsubscribe", type="trades", coin="BTC")
    assert connection.topics == set()


@pytest.mark.parametrize(
    "wish",
    [
        {"type": "trades", "coin": "btc"},
        {"type": "liquidations", "coin": "BTC"},
        {"type": "candle", "coin": "BTC", "interval": "7m"},
    ],
)
def test_what_does_not_exist_is_refused(wish):
    connection, *_ = connected()

    assert say(connection, **wish)[0]["channel"] == "error"


def test_pings_are_answered_and_silent_connections_closed():
    connection, *_ = connected()

    assert connection.receive('{"method":"ping"}', 1.0) == ['{"channel":"pong"}']
    connection.sent(10.0)
    assert connection.tick(69.0) == []
    assert isinstance(connection.tick(70.0)[0], Close)


def test_contexts_pair_with_the_universe_by_position_and_a_delisted_coin_keeps_its_place():
    venue, *_ = run_of(HYPERLIQUID, steps=20)
    meta, contexts = asked(venue, "metaAndAssetCtxs")

    assert len(meta["universe"]) == len(contexts) == 10
    place = next(index for index, row in enumerate(meta["universe"]) if row.get("isDelisted"))
    assert 0 < place < 9
    assert contexts[place]["midPx"] is None
    mids = asked(venue, "allMids")
    for row, context in zip(meta["universe"], contexts, strict=True):
        if not row.get("isDelisted"):
            assert float(context["midPx"]) == float(mids[row["name"]])
    assert float(mids["kPEPE"]) == pytest.approx(0.00612, rel=0.1)


def test_funding_is_for_an_hour_and_open_interest_in_coins():
    venue, _, _, market = run_of(HYPERLIQUID, steps=20)
    _, contexts = asked(venue, "metaAndAssetCtxs")

    book = market.books["BTC"]
    assert float(contexts[0]["funding"]) * 8 == pytest.approx(book.funding_rate, rel=1e-4)
    assert float(contexts[0]["openInterest"]) == pytest.approx(book.open_coins[HYPERLIQUID].one_side, rel=1e-4)


def test_every_trade_comes_once():
    _, frames, prints, _ = run_of(HYPERLIQUID)
    rows = [row for frame in frames["trades:BTC"] for row in frame["data"]]

    assert [(row["tid"], row["side"], row["time"]) for row in rows] == [
        (trade.ident, "B" if trade.is_buy else "A", trade.time_ms) for trade in prints["BTC"]
    ]


def test_contexts_of_all_coins_and_candles_are_pushed():
    _, frames, prints, _ = run_of(HYPERLIQUID, steps=1300)
    ((name, contexts),) = frames["allDexsAssetCtxs"][-1]["data"]["ctxs"]
    candles = {frame["data"]["t"]: frame["data"] for frame in frames["candle:BTC"]}

    assert (name, len(contexts)) == ("", 10)
    assert frames["activeAssetCtx:BTC"][-1]["data"]["ctx"] == contexts[0]
    for start, candle in list(candles.items())[:-1]:
        coins = sum(trade.coins for trade in prints["BTC"] if 0 <= trade.time_ms - start < 60_000)
        assert float(candle["v"]) == pytest.approx(coins, abs=1e-3)


def test_no_feed_shows_liquidations():
    _, venue, market = connected()

    frames = shown_after(venue, market, a_liquidation(venue=HYPERLIQUID, symbol="BTC"))
    assert venue.shown == set()
    assert not any("iquidat" in json.dumps(payloads) for payloads in frames.values())


def test_candles_are_asked_for_by_time():
    venue, *_, market = run_of(HYPERLIQUID, steps=1)
    req = {"coin": "BTC", "interval": "1h", "startTime": market.now_ms - 10 * 3_600_000, "endTime": market.now_ms}
    rows = asked(venue, "candleSnapshot", req=req)

    assert len(rows) == 10
    assert (rows[0]["i"], rows[0]["T"] - rows[0]["t"]) == ("1h", 3_599_999)


def test_weights_are_counted_and_nonsense_is_refused():
    venue, *_ = run_of(HYPERLIQUID, steps=1)
    call = Call("/info", method="POST", body='{"type":"meta"}')

    assert [venue.rest(call, 1.0).status for _ in range(61)] == [200] * 60 + [429]
    assert venue.rest(call, 61.1).status == 200
    assert venue.rest(Call("/info", method="POST", body='{"type":"dreams"}'), 61.1).status == 422
    assert venue.rest(Call("/info", method="POST", body="{"), 61.1).status == 422


def test_thirty_connections_a_minute_are_accepted():
    _, venue, _ = connected()

    statuses = [getattr(venue.connect(Call("/ws"), 1.0), "status", 101) for _ in range(30)]
    assert statuses == [101] * 29 + [429]
