import gzip
import json

import pytest

from actors.exchanges.exchange import CORE_FEEDS, Feed, FrameError, UnknownInstrument
from actors.exchanges.registry import EXCHANGES
from intelligence.market import Liquidation, Trade
from tests.actors.exchanges.frames import RECEIVED_MS, decode, encoded, reasons, recorded
from tests.actors.exchanges.newer_frames import (
    CONTEXT,
    HYPERLIQUID_BAR,
    HYPERLIQUID_COINS,
    HYPERLIQUID_CONTEXT,
    HYPERLIQUID_CONTEXTS,
    hyperliquid_ack,
    hyperliquid_fills,
    hyperliquid_trades,
)

HYPERLIQUID = EXCHANGES["hyperliquid"]


def read(frame):
    return decode("hyperliquid", frame, HYPERLIQUID_COINS)


@pytest.mark.parametrize(("side", "taker"), [("B", "buy"), ("A", "sell")])
def test_a_trade_tells_the_taker(side, taker):
    (trade,) = read(hyperliquid_trades({"side": side}))

    assert (trade.taker_side, trade.quantity, trade.price) == (taker, 0.015, 60_000)
    assert (trade.exchange_ms, trade.trade_id) == (1790000000123, "300003")


def test_the_first_trades_after_a_subscription_are_history():
    decoder = HYPERLIQUID.decoder(HYPERLIQUID_COINS)
    frame = encoded(hyperliquid_trades({}, {"coin": "kPEPE"}))

    before = decoder.decode(frame, RECEIVED_MS)
    decoder.decode(encoded(hyperliquid_ack(coin="BTC")), RECEIVED_MS)
    first = decoder.decode(frame, RECEIVED_MS)
    second = decoder.decode(frame, RECEIVED_MS)

    assert [record.instrument for record in before] == ["BTC", "kPEPE"]
    assert [(record.instrument, getattr(record, "reason", "")) for record in first] == [
        ("kPEPE", ""),
        ("BTC", "snapshot_dropped"),
    ]
    assert second == before


def test_a_kilo_is_a_thousand_coins():
    (trade,) = read(hyperliquid_trades({"coin": "kPEPE", "px": "0.01", "sz": "5"}))

    assert (trade.asset, trade.quantity, trade.price) == ("PEPE", 5000, pytest.approx(0.00001))
    assert trade.notional_usd == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("row", "side"),
    [
        ({"liquidation": {"liquidatedUser": "0xs"}, "side": "B"}, "long"),
        ({"liquidation": {"liquidatedUser": "0xb"}, "side": "A"}, "short"),
        ({"liquidation": {}, "side": "A"}, "long"),
    ],
)
def test_a_mark_on_a_public_trade_is_told_and_uncertain(row, side):
    trade, found = read(hyperliquid_trades(row))

    assert isinstance(trade, Trade)
    assert (found.position_side, found.uncertain) == (side, "feed")


def test_marks_that_are_confirmed_are_certain():
    decoder = HYPERLIQUID.decoder(HYPERLIQUID_COINS, {"liquidation_feed": "confirmed"})

    _, found = decoder.decode(encoded(hyperliquid_trades({"liquidation": {}})), RECEIVED_MS)

    assert not found.uncertain


@pytest.mark.parametrize(
    ("fill", "user", "side"),
    [
        ({"side": "B"}, "0xvault", "long"),
        ({"side": "A"}, "0xvault", "short"),
        ({"side": "A"}, "0xvictim", "long"),
        ({"side": "B"}, "0xvictim", "short"),
    ],
)
def test_a_fill_of_a_followed_address_tells_whose_position_was_closed(fill, user, side):
    (found,) = read(hyperliquid_fills(fill, user=user))

    assert (found.position_side, found.coverage, found.price_kind) == (side, "capped", "fill")
    assert (found.quantity, found.notional_usd) == (0.5, 30_000)
    assert not found.uncertain


def test_fills_without_a_mark_and_those_of_before_are_dropped():
    assert reasons(read(hyperliquid_fills({"liquidation": None}))) == ["not_used"]
    assert reasons(read(hyperliquid_fills(isSnapshot=True))) == ["snapshot_dropped"]


def test_a_context_gives_mark_and_open_interest_at_the_time_of_receipt():
    mark, interest = read(HYPERLIQUID_CONTEXT)

    assert (mark.price, mark.index_price, mark.funding_rate) == (60_000, 60_005, 0.0000125)
    assert mark.exchange_ms == RECEIVED_MS
    assert (interest.quantity, interest.notional_usd, interest.uncertain) == (27353.5, 27353.5 * 60_000, "sides")


def test_contexts_of_all_coins_are_told_apart_by_their_place():
    *found, not_listed, other = read(HYPERLIQUID_CONTEXTS)

    assert [record.asset for record in found] == ["BTC", "BTC", "PEPE", "PEPE"]
    assert found[2].price == pytest.approx(0.00001)
    assert [not_listed.reason, other.reason] == ["not_listed", "other_market"]


def test_places_mean_nothing_without_the_list():
    with pytest.raises(UnknownInstrument, match="list of instruments is missing"):
        decode("hyperliquid", HYPERLIQUID_CONTEXTS)


def test_one_bad_context_does_not_cost_the_others():
    frame = {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", [{}, CONTEXT, CONTEXT]]]}}

    with pytest.raises(FrameError) as caught:
        read(frame)

    assert [record.asset for record in caught.value.decoded[:2]] == ["PEPE", "PEPE"]


def test_a_bar_is_never_called_closed():
    (bar,) = read(HYPERLIQUID_BAR)

    assert (bar.interval, bar.closed, bar.quantity, bar.notional_usd) == ("1m", False, 7.5, None)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"channel": "pong"}, "pong"),
        (hyperliquid_ack(), "subscribed"),
        ({"channel": "error", "data": "Invalid subscription"}, "subscribe_refused"),
        ({"channel": "l2Book", "data": {}}, "not_used"),
        ({"channel": "activeSpotAssetCtx", "data": {}}, "other_market"),
        (hyperliquid_trades({"coin": "@107"}), "other_market"),
        (hyperliquid_trades({"coin": "xyz:TSLA"}), "other_market"),
        (hyperliquid_trades({"coin": "ETH"}), "not_listed"),
        ({"channel": "trades", "data": []}, "empty"),
    ],
)
def test_what_is_no_event_says_why(frame, reason):
    assert reasons(read(frame)) == [reason]


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"channel": "somethingNew", "data": {}},
        {"channel": "subscriptionResponse", "data": {}},
        {"channel": "candle", "data": {**HYPERLIQUID_BAR["data"], "i": "7m"}},
        hyperliquid_trades({"side": "buy"}),
        b"pong",
    ],
)
def test_a_frame_nobody_knows_is_an_error(frame):
    with pytest.raises(FrameError):
        read(frame)


def test_delisted_coins_keep_their_place_in_the_list():
    universe = [{"name": "BTC"}, {"name": "GONE", "isDelisted": True}, {"name": "kPEPE"}, {"x": 1}, {"name": "ETH"}]

    page = HYPERLIQUID.read_instruments(encoded({"universe": universe}))

    assert [(one.asset, one.multiplier, one.place) for one in page.instruments] == [
        ("BTC", 1, 0),
        ("PEPE", 1000, 2),
        ("ETH", 1, 4),
    ]
    assert dict(page.left_out) == {"delisted": 1, "malformed": 1}


def test_the_list_is_asked_for_by_post():
    call = HYPERLIQUID.instruments_call()

    assert (call.method, call.path, json.loads(call.body), call.weight) == ("POST", "/info", {"type": "meta"}, 20)
    with pytest.raises(FrameError):
        HYPERLIQUID.read_instruments(b"null")


def test_each_coin_and_feed_is_a_subscription_and_none_brings_liquidations():
    coins = HYPERLIQUID_COINS.values()

    (core,) = HYPERLIQUID.sockets(coins, frozenset({"BTC", "PEPE"}))
    plans = HYPERLIQUID.sockets(coins, frozenset({"PEPE"}), CORE_FEEDS | {Feed.TRADES, Feed.KLINES})

    assert [json.loads(frame)["subscription"] for frame in core.subscribe] == [
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "activeAssetCtx", "coin": "kPEPE"},
    ]
    assert [(plan.name, plan.acks, plan.brings_liquidations) for plan in plans] == [
        ("contexts-1", 1, False),
        ("trades-1", 1, False),
        ("klines-1", 1, False),
    ]


def test_a_refusal_says_why():
    assert HYPERLIQUID.refusal(429, {"Retry-After": "7"}, b"").retry_after_s == 7
    assert HYPERLIQUID.refusal(451, {}, b"").permanent
    assert HYPERLIQUID.refusal(403, {}, b"").reason == "forbidden"
    assert HYPERLIQUID.refusal(200, {}, b"") is None


def test_the_recorded_fills_of_a_node_are_trades_of_their_takers_and_two_liquidations():
    file = recorded("hyperliquid/node_fills/2025-10-27_1700.jsonl.gz")
    blocks = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    fills = [(user, fill) for block in blocks for user, fill in block["events"]]
    ours = [(user, fill) for user, fill in fills if not set(fill["coin"]) & set("@/:#")]

    found = [record for block in blocks for record in decode("hyperliquid", block)]

    trades = [record for record in found if isinstance(record, Trade)]
    takers = [fill for _, fill in ours if fill["crossed"]]
    assert [(t.trade_id, t.taker_side, t.exchange_ms) for t in trades] == [
        (str(fill["tid"]), {"A": "sell", "B": "buy"}[fill["side"]], fill["time"]) for fill in takers
    ]
    liquidations = [record for record in found if isinstance(record, Liquidation)]
    closed = [fill for user, fill in ours if fill.get("liquidation", {}).get("liquidatedUser") == user]
    assert [{"long": "Close Long", "short": "Close Short"}[one.position_side] for one in liquidations] == [
        fill["dir"] for fill in closed
    ]
    assert len(liquidations) == 1
