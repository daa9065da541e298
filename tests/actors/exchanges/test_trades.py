"""Trades in bulk are what the same frames come to one by one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.registry import EXCHANGES
from intelligence.market import Liquidation, Trade
from tests.actors.exchanges.frames import (
    AGG_TRADE,
    OKX_TRADE,
    PUBLIC_TRADE,
    RAW_TRADE,
    RECEIVED_MS,
    VALID,
    encoded,
    okx_push,
    recorded,
)
from tests.actors.exchanges.frames import INSTRUMENTS as LISTS
from tests.actors.exchanges.newer_frames import (
    BITGET_TRADE,
    GATE_TRADE,
    deribit_trades,
    gate,
    hyperliquid_ack,
    hyperliquid_trades,
)


def one(venue, name, asset, multiplier=1.0):
    return {name: Instrument(venue=venue, instrument=name, asset=asset, multiplier=multiplier)}


LISTS = LISTS | {
    "binance": one("binance", "BTCUSDT", "BTC") | one("binance", "1000PEPEUSDT", "PEPE", 1000.0),
    "bybit": one("bybit", "BTCUSDT", "BTC") | one("bybit", "SHIB1000USDT", "SHIB", 1000.0),
}
VENUES = sorted(EXCHANGES)

prices = st.decimals("0.0001", "90000", places=4).map(str)
sizes = st.decimals("0.001", "5000", places=3).map(str)
times = st.integers(1_700_000_000_000, 1_800_000_000_000)


def binance(name, price, size, at_ms, buys):
    data = {**AGG_TRADE, "s": name, "p": price, "q": size, "T": at_ms, "m": not buys}
    return {"stream": f"{name.lower()}@aggTrade", "data": data}


def bybit(name, price, size, at_ms, buys):
    row = {**PUBLIC_TRADE["data"][0], "s": name, "p": price, "v": size, "T": at_ms, "S": "Buy" if buys else "Sell"}
    return {**PUBLIC_TRADE, "topic": f"publicTrade.{name}", "data": [row, row]}


def okx(name, price, size, at_ms, buys):
    row = {**OKX_TRADE["data"][0], "instId": name, "px": price, "sz": size, "ts": str(at_ms)}
    return okx_push("trades", {**row, "side": "buy" if buys else "sell"}, instrument=name)


def gate_io(name, price, size, at_ms, buys):
    row = {**GATE_TRADE["result"][0], "contract": name, "price": price, "create_time_ms": at_ms}
    return gate("trades", {**row, "size": size if buys else f"-{size}"})


def bitget(name, price, size, at_ms, buys):
    row = {**BITGET_TRADE["data"][0], "p": price, "v": size, "T": str(at_ms), "S": "buy" if buys else "sell"}
    return {**BITGET_TRADE, "arg": {**BITGET_TRADE["arg"], "symbol": name}, "data": [row]}


def hyperliquid(name, price, size, at_ms, buys):
    return hyperliquid_trades({"coin": name, "px": price, "sz": size, "time": at_ms, "side": "B" if buys else "A"})


def deribit(name, price, size, at_ms, buys):
    row = {"price": float(price), "amount": float(size), "timestamp": at_ms, "direction": "buy" if buys else "sell"}
    return deribit_trades(row, name=name)


FRAMES = {
    "binance": binance,
    "bybit": bybit,
    "okx": okx,
    "gate": gate_io,
    "bitget": bitget,
    "hyperliquid": hyperliquid,
    "deribit": deribit,
}


def by_name(venue, frames):
    decoder = EXCHANGES[venue].decoder(LISTS[venue])
    columns = {}
    for frame in frames:
        for trade in decoder.decode(frame, RECEIVED_MS):
            if isinstance(trade, Trade):
                signed = trade.quantity if trade.taker_side == "buy" else -trade.quantity
                for column, value in zip(
                    columns.setdefault(trade.instrument, ([], [], [])),
                    (trade.exchange_ms, trade.price, signed),
                    strict=True,
                ):
                    column.append(value)
    return columns


def approximately(columns):
    return {name: tuple(pytest.approx(column, rel=1e-12) for column in three) for name, three in columns.items()}


@pytest.mark.parametrize("venue", VENUES)
@given(data=st.data())
def test_a_read_of_many_frames_is_what_they_are_one_by_one(venue, data):
    drawn = st.tuples(st.sampled_from(sorted(LISTS[venue])), prices, sizes, times, st.booleans())
    frames = [encoded(FRAMES[venue](*values)) for values in data.draw(st.lists(drawn, max_size=6))]
    blanks = data.draw(st.sampled_from([b"\n", b"   \n", b"\n   \n"]))

    read = EXCHANGES[venue].trades_decoder(LISTS[venue]).decode_many(bytearray(blanks.join(frames)), RECEIVED_MS)

    assert read.columns == approximately(by_name(venue, frames))
    assert (read.others, read.problems) == ((), ())


@pytest.mark.parametrize("venue", VENUES)
def test_other_frames_between_trades_are_told_and_cost_none_of_them(venue):
    plain = encoded(FRAMES[venue](min(LISTS[venue]), "100", "2", 1_790_000_000_000, buys=True))
    lines = b"\n".join([plain, *map(encoded, VALID[venue]), b"{broken", plain])

    read = EXCHANGES[venue].trades_decoder(LISTS[venue]).decode_many(memoryview(lines), RECEIVED_MS)

    alone = EXCHANGES[venue].decoder(LISTS[venue])
    whole = [plain, *map(encoded, VALID[venue]), plain]
    others = [record for frame in whole for record in survived(alone, frame)]
    assert [type(record) for record in read.others] == [type(one) for one in others if not isinstance(one, Trade)]
    assert len(read.problems) >= 1
    assert "{broken" in str(read.problems[-1])
    trades = [one for one in others if isinstance(one, Trade)]
    assert sum(len(times) for times, _, _ in read.columns.values()) == len(trades) > 0


def survived(decoder, frame):
    try:
        return decoder.decode(frame, RECEIVED_MS)
    except FrameError as error:
        return error.decoded


def test_a_trade_of_the_insurance_fund_is_not_counted():
    frame = encoded({"stream": "btcusdt@trade", "data": {**RAW_TRADE, "X": "INSURANCE_FUND"}})

    read = EXCHANGES["binance"].trades_decoder(LISTS["binance"]).decode_many(frame, RECEIVED_MS)

    assert (read.columns, [one.reason for one in read.others]) == ({}, ["not_a_market_trade"])


def test_block_trades_and_snapshots_are_not_counted():
    block = {**PUBLIC_TRADE, "data": [{**PUBLIC_TRADE["data"][0], "BT": True}]}
    for venue, frame, reason in (
        ("bybit", block, "block_trade"),
        ("bitget", {**BITGET_TRADE, "action": "snapshot"}, "snapshot_dropped"),
        ("gate", gate("trades", {**GATE_TRADE["result"][0], "is_internal": True}), "not_a_market_trade"),
        ("deribit", deribit_trades({"block_trade_id": "B"}), "block_trade"),
    ):
        read = EXCHANGES[venue].trades_decoder(LISTS[venue]).decode_many(encoded(frame), RECEIVED_MS)

        assert (read.columns, [one.reason for one in read.others]) == ({}, [reason])


def test_the_first_trades_of_a_coin_after_its_subscription_are_history_in_bulk_too():
    decoder = EXCHANGES["hyperliquid"].trades_decoder(LISTS["hyperliquid"])
    ack, trade, other = map(encoded, (hyperliquid_ack(), hyperliquid_trades(), hyperliquid_trades({"coin": "kPEPE"})))

    first = decoder.decode_many(b"\n".join([ack, other, trade, trade]), RECEIVED_MS)
    second = decoder.decode_many(b"\n".join([trade, trade]), RECEIVED_MS)

    assert [one.reason for one in first.others] == ["subscribed", "snapshot_dropped"]
    assert {name: len(times) for name, (times, _, _) in first.columns.items()} == {"kPEPE": 1, "BTC": 1}
    assert len(second.columns["BTC"][0]) == 2


def test_a_forced_trade_of_deribit_is_a_trade_and_a_liquidation():
    read = (
        EXCHANGES["deribit"]
        .trades_decoder(LISTS["deribit"])
        .decode_many(encoded(deribit_trades({}, {"liquidation": "T"})), RECEIVED_MS)
    )

    assert len(read.columns["BTC-PERPETUAL"][0]) == 2
    assert [type(one) for one in read.others] == [Liquidation]


def test_a_symbol_outside_the_list_goes_the_slow_way_and_is_set_aside():
    frame = encoded(binance("ETHUSDT", "1", "1", 1_790_000_000_000, buys=True))

    read = EXCHANGES["binance"].trades_decoder(LISTS["binance"]).decode_many(frame, RECEIVED_MS)

    assert (read.columns, [one.reason for one in read.others]) == ({}, ["not_listed"])


@pytest.mark.parametrize(
    ("venue", "file"),
    [("binance", "binance/ws/agg_trade_2021-07-22.jsonl"), ("bybit", "bybit/ws/trade_2026-08-09.jsonl")],
)
def test_recorded_trades_are_the_same_in_bulk(venue, file):
    lines = recorded(file).read_bytes()
    names = set(re.findall(r'"s":"(\w+USDT)"', lines.decode()))
    instruments = {name: Instrument(venue=venue, instrument=name, asset=name[:-4]) for name in names}

    read = EXCHANGES[venue].trades_decoder(instruments).decode_many(lines, RECEIVED_MS)

    whole = [
        record
        for line in lines.splitlines()
        for record in EXCHANGES[venue].decoder(instruments).decode(line, RECEIVED_MS)
        if isinstance(record, Trade)
    ]
    assert sum(len(times) for times, _, _ in read.columns.values()) == len(whole) > 0
    for name, (times_ms, trade_prices, quantities) in read.columns.items():
        trades = [trade for trade in whole if trade.instrument == name]
        assert times_ms == [trade.exchange_ms for trade in trades]
        assert trade_prices == [trade.price for trade in trades]
        assert [abs(quantity) for quantity in quantities] == [trade.quantity for trade in trades]
