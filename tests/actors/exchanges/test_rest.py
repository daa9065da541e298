"""What venues answer by REST, built from exchanges.md 2.3, 3.2, 4.2, 5.1, 6.1, 7.1 and 8, and recorded answers."""

import json
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.exchanges.bybit_rest import BybitData
from actors.exchanges.exchange import FrameError, Instrument
from actors.exchanges.queries import windows
from actors.exchanges.registry import EXCHANGES, MARKET_DATA
from intelligence.history import INTERVAL_MS
from tests.actors.exchanges.frames import INSTRUMENTS, encoded, recorded
from tests.actors.exchanges.newer_frames import CONTEXT

NOW_MS = 1_790_000_100_000
OPEN_MS = 1_790_000_040_000
DAY_MS = 86_400_000

LISTS = INSTRUMENTS | {
    venue: {
        name: Instrument(venue=venue, instrument=name, asset=asset, multiplier=multiplier)
        for name, asset, multiplier in (("BTCUSDT", "BTC", 1.0), ("1000PEPEUSDT", "PEPE", 1000.0))
    }
    for venue in ("binance", "bybit")
}
ONE = {venue: next(iter(instruments.values())) for venue, instruments in LISTS.items()}


def bybit(rows, **result):
    return {"retCode": 0, "retMsg": "OK", "result": {"list": rows, **result}, "time": 1_790_000_000_123}


def okx(*rows):
    return {"code": "0", "msg": "", "data": list(rows)}


def bitget(data):
    return {"code": "00000", "msg": "success", "requestTime": 1, "data": data}


META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        {"name": "GONE", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
        {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10, "marginTableId": 10},
    ],
    "marginTables": [
        [
            56,
            {
                "marginTiers": [
                    {"lowerBound": "0.0", "maxLeverage": 40},
                    {"lowerBound": "150000000.0", "maxLeverage": 20},
                ]
            },
        ]
    ],
}
SUMMARY = {
    "instrument_name": "BTC-PERPETUAL",
    "creation_timestamp": 1_790_000_000_123,
    "mark_price": 60_000.0,
    "open_interest": 600_000.0,
    "volume_usd": 1e9,
    "last": 60_001.0,
}
BYBIT_TICKER = {
    "symbol": "BTCUSDT",
    "lastPrice": "60000",
    "turnover24h": "1500000",
    "openInterest": "200",
    "openInterestValue": "12000000",
    "singleOpenInterest": "99",
    "singleOpenInterestValue": "5940000",
}
GATE_TICKER = {
    "contract": "BTC_USDT",
    "last": "60000",
    "total_size": "100000",
    "mark_price": "60000",
    "volume_24h_quote": "1500000",
}
BITGET_TICKER = {
    "symbol": "BTCUSDT",
    "ts": "1790000000123",
    "lastPrice": "60000",
    "markPrice": "60001",
    "openInterest": "10",
    "turnover24h": "1500000",
}
ANSWERS = {
    "binance": {
        "open_interest": {"symbol": "BTCUSDT", "openInterest": "109049.480", "time": 1789913109480},
        "turnover": [{"symbol": "BTCUSDT", "lastPrice": "60000", "quoteVolume": "1500000", "count": 3}],
        "klines": [[OPEN_MS, "1", "4", "1", "2", "10", OPEN_MS + 59_999, "20", 7, "4", "8", "0"]],
        "history": [
            {
                "symbol": "BTCUSDT",
                "sumOpenInterest": "10",
                "sumOpenInterestValue": "600000",
                "timestamp": "1789912200000",
            }
        ],
        "tiers": {
            "code": "000000",
            "data": {
                "brackets": [
                    {
                        "symbol": "BTCUSDT",
                        "updateTime": 1,
                        "riskBrackets": [
                            {
                                "bracketSeq": 1,
                                "bracketNotionalFloor": 0,
                                "bracketNotionalCap": 300000,
                                "bracketMaintenanceMarginRate": 0.004,
                                "cumFastMaintenanceAmount": 0,
                                "minOpenPosLeverage": 101,
                                "maxOpenPosLeverage": 150,
                            }
                        ],
                    }
                ]
            },
        },
    },
    "bybit": {
        "open_interest": bybit([BYBIT_TICKER]),
        "turnover": bybit([BYBIT_TICKER]),
        "klines": bybit([[str(OPEN_MS), "1", "4", "1", "2", "10", "20"]]),
        "history": bybit([{"openInterest": "20", "singleOpenInterest": "10", "timestamp": "1789912200000"}]),
        "tiers": bybit(
            [
                {
                    "id": 1,
                    "symbol": "BTCUSDT",
                    "riskLimitValue": "300000",
                    "maintenanceMargin": "0.4",
                    "initialMargin": "1",
                    "maxLeverage": "100.00",
                    "mmDeduction": "",
                }
            ]
        ),
    },
    "okx": {
        "open_interest": okx(
            {"instId": "BTC-USDT-SWAP", "oi": "1000", "oiCcy": "10", "oiUsd": "600000", "ts": "1790000000123"}
        ),
        "turnover": okx({"instId": "BTC-USDT-SWAP", "last": "60000", "volCcy24h": "25", "vol24h": "2500"}),
        "klines": okx([str(OPEN_MS), "1", "4", "1", "2", "1000", "10", "20", "1"]),
        "history": okx(["1789912200000", "1000", "10", "600000"]),
        "tiers": okx(
            {
                "tier": "1",
                "minSz": "0",
                "maxSz": "50",
                "mmr": "0.004",
                "imr": "0.01",
                "maxLever": "100",
                "instFamily": "BTC-USDT",
                "instId": "",
            }
        ),
    },
    "gate": {
        "open_interest": [GATE_TICKER],
        "turnover": [GATE_TICKER],
        "klines": [{"t": OPEN_MS // 1000, "v": 100000, "c": "2", "h": "4", "l": "1", "o": "1", "sum": "20"}],
        "history": [{"time": 1789912200, "open_interest": 100000, "open_interest_usd": 600000, "mark_price": "60000"}],
        "tiers": [
            {
                "tier": 1,
                "risk_limit": "300000",
                "initial_rate": "0.01",
                "maintenance_rate": "0.004",
                "leverage_max": "100",
                "contract": "BTC_USDT",
                "deduction": "0",
            }
        ],
    },
    "bitget": {
        "open_interest": bitget([BITGET_TICKER]),
        "turnover": bitget([BITGET_TICKER]),
        "klines": bitget([[str(OPEN_MS), "1", "4", "1", "2", "10", "20"]]),
        "tiers": bitget(
            [{"tier": "1", "minTierValue": "0", "maxTierValue": "300000", "leverage": "125", "mmr": "0.004"}]
        ),
    },
    "hyperliquid": {
        "open_interest": [META, [CONTEXT, CONTEXT, {**CONTEXT, "markPx": "0.01"}]],
        "turnover": [META, [CONTEXT, CONTEXT, {**CONTEXT, "markPx": "0.01"}]],
        "klines": [
            {
                "t": OPEN_MS,
                "T": OPEN_MS + 59_999,
                "s": "BTC",
                "i": "1m",
                "o": "1",
                "c": "2",
                "h": "4",
                "l": "1",
                "v": "10",
            }
        ],
        "tiers": META,
    },
    "deribit": {
        "open_interest": {"jsonrpc": "2.0", "result": [SUMMARY, {**SUMMARY, "instrument_name": "BTC-25DEC26"}]},
        "turnover": {"jsonrpc": "2.0", "result": [SUMMARY]},
        "klines": {
            "jsonrpc": "2.0",
            "result": {
                "ticks": [OPEN_MS],
                "open": [1.0],
                "high": [4.0],
                "low": [1.0],
                "close": [2.0],
                "volume": [10.0],
                "cost": [20.0],
                "status": "ok",
            },
        },
    },
}


def queries_of(venue, what):
    data, instruments, one = MARKET_DATA[venue], LISTS[venue], ONE[venue]
    match what:
        case "klines":
            return data.klines(one, OPEN_MS, OPEN_MS + 60_000)
        case "history":
            return data.open_interest_history(one, 1789911900000, 1789912500000)
        case "tiers":
            return data.margin_tiers(instruments)
        case _:
            return getattr(data, what)(instruments)


def read(venue, what, received_ms=NOW_MS):
    return queries_of(venue, what)[0].read(encoded(ANSWERS[venue][what]), received_ms)


CASES = [(venue, what) for venue, answers in ANSWERS.items() for what in answers]


@pytest.mark.parametrize("venue", ANSWERS)
def test_what_no_venue_answers_is_not_asked(venue):
    asked = {what for what in ("open_interest", "turnover", "klines", "history", "tiers") if queries_of(venue, what)}

    assert asked == set(ANSWERS[venue])


@pytest.mark.parametrize(
    ("venue", "coins", "usd"),
    [
        ("binance", 109049.48, None),
        ("bybit", 99, 5940000),
        ("okx", 10, 600000),
        ("gate", 10, 600000),
        ("bitget", 10, 600010),
        ("hyperliquid", 27353.5, 27353.5 * 60000),
        ("deribit", 10, 600000),
    ],
)
def test_open_interest_is_in_coins(venue, coins, usd):
    found = read(venue, "open_interest").rows[0]

    assert (found.asset, found.quantity) == ("BTC", pytest.approx(coins))
    assert found.notional_usd == (usd and pytest.approx(usd))


@pytest.mark.parametrize("venue", ANSWERS)
def test_where_the_sides_are_not_documented_the_record_says_so(venue):
    flagged = read(venue, "open_interest").rows[0].uncertain == "sides"

    assert flagged == (venue in {"okx", "gate", "bitget", "hyperliquid"})


def test_the_plain_field_of_bybit_counts_only_where_the_single_one_is_absent():
    row = {name: value for name, value in BYBIT_TICKER.items() if not name.startswith("single")}
    body = encoded(bybit([row]))

    halved = MARKET_DATA["bybit"].open_interest(LISTS["bybit"])[0].read(body, NOW_MS).rows[0]
    settled = BybitData({"open_interest_sides": "one"}).open_interest(LISTS["bybit"])[0].read(body, NOW_MS).rows[0]

    assert (halved.quantity, halved.notional_usd) == (100, 6000000)
    assert (settled.quantity, settled.notional_usd) == (200, 12000000)


@pytest.mark.parametrize(
    ("venue", "usd"),
    [
        *[("binance", 1.5e6), ("bybit", 1.5e6), ("okx", 1.5e6), ("gate", 1.5e6), ("bitget", 1.5e6)],
        *[("hyperliquid", 1516669192.19), ("deribit", 1e9)],
    ],
)
def test_turnover_is_in_dollars_with_a_price_to_compare(venue, usd):
    found = read(venue, "turnover").rows[0]

    assert (found.usd_24h, found.price) == (pytest.approx(usd), pytest.approx(60_000, rel=1e-4))


@pytest.mark.parametrize("venue", ANSWERS)
def test_a_bar_of_a_minute_is_told_in_coins_and_closed_when_its_minute_is_over(venue):
    (bar,) = read(venue, "klines").rows
    (running,) = read(venue, "klines", OPEN_MS + 30_000).rows

    assert (bar.exchange_ms, bar.interval) == (OPEN_MS, "1m")
    assert (bar.open, bar.high, bar.low, bar.close) == (1, 4, 1, 2)
    assert bar.quantity == pytest.approx(10)
    assert bar.notional_usd == (None if venue == "hyperliquid" else 20)
    assert bar.taker_buy_quantity == (4 if venue == "binance" else None)
    assert bar.closed
    assert running.closed == (venue == "okx")  # which says so itself


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx", "gate"])
def test_history_of_open_interest_is_in_coins(venue):
    (found,) = read(venue, "history").rows

    assert (found.quantity, found.exchange_ms) == (pytest.approx(10), 1789912200000)


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx", "gate", "bitget"])
def test_margin_tiers_are_fractions_up_to_a_cap(venue):
    (found,) = read(venue, "tiers").rows
    (tier,) = found.tiers

    assert (found.asset, tier.maintenance_rate) == ("BTC", pytest.approx(0.004))
    assert (found.unit, tier.cap) == (("coins", 0.5) if venue == "okx" else ("usd", 300_000))


def test_maintenance_on_hyperliquid_is_half_of_the_initial_margin_in_each_tier():
    btc, pepe = read("hyperliquid", "tiers").rows

    assert [(tier.cap, tier.maintenance_rate) for tier in btc.tiers] == [(150e6, 0.0125), (inf, 0.025)]
    assert [(tier.cap, tier.maintenance_rate) for tier in pepe.tiers] == [(inf, 0.05)]


@pytest.mark.parametrize(
    ("maintenance", "initial", "leverage", "rate"),
    [("0.5", "1", "100", 0.005), ("0.005", "0.01", "100.00", 0.005), ("2.5", "5", "20", 0.025)],
)
def test_margins_of_bybit_are_per_cent_or_fractions_as_the_leverage_tells(maintenance, initial, leverage, rate):
    row = ANSWERS["bybit"]["tiers"]["result"]["list"][0]
    row = {**row, "maintenanceMargin": maintenance, "initialMargin": initial, "maxLeverage": leverage}

    (found,) = MARKET_DATA["bybit"].margin_tiers(LISTS["bybit"])[0].read(encoded(bybit([row])), NOW_MS).rows

    assert found.tiers[0].maintenance_rate == pytest.approx(rate)


def test_margins_of_bybit_that_are_neither_are_a_problem():
    row = {**ANSWERS["bybit"]["tiers"]["result"]["list"][0], "initialMargin": "10"}
    bad = {**ANSWERS["bybit"]["tiers"]["result"]["list"][0], "mmDeduction": "x"}

    reading = MARKET_DATA["bybit"].margin_tiers(LISTS["bybit"])[0].read(encoded(bybit([row, bad])), NOW_MS)

    assert reading.rows == ()
    assert ["about 1 or 100" in str(reading.problems[0]), "mmDeduction" in str(reading.problems[1])] == [True, True]


def test_pages_of_tiers_follow_one_another():
    bybit_page = bybit(ANSWERS["bybit"]["tiers"]["result"]["list"], nextPageCursor="next")
    row = ANSWERS["gate"]["tiers"][0]
    gate_page = [{**row, "contract": f"C{n}_USDT"} for n in range(100)]

    after_bybit = queries_of("bybit", "tiers")[0].read(encoded(bybit_page), NOW_MS).following
    after_gate = queries_of("gate", "tiers")[0].read(encoded(gate_page), NOW_MS).following

    assert ("cursor", "next") in after_bybit.call.params
    assert ("offset", "100") in after_gate.call.params
    assert after_gate.read(b"[]", NOW_MS).following is None
    assert read("bybit", "tiers").following is None


def test_a_liquidation_listed_by_gate_carries_the_side_of_the_position():
    rows = [
        {"time": 1790000000, "contract": "BTC_USDT", "size": "600", "fill_price": "60000", "left": "0"},
        {
            "time": 1790000000,
            "contract": "BTC_USDT",
            "size": -600,
            "order_size": 700,
            "fill_price": "60000",
            "left": 100,
        },
        {
            "time": 1790000000,
            "contract": "BTC_USDT",
            "size": -600,
            "order_size": 700,
            "fill_price": "60000",
            "left": 700,
        },
    ]
    (query,) = MARKET_DATA["gate"].liquidations(LISTS["gate"], 1789999200000, 1790000100000)

    long, short = query.read(encoded(rows), NOW_MS).rows

    assert [(one.position_side, one.quantity, one.coverage) for one in (long, short)] == [
        ("long", pytest.approx(0.06), "complete"),
        ("short", pytest.approx(0.06), "complete"),
    ]
    assert not long.uncertain


def test_totals_of_gate_are_aggregates_by_side():
    row = {
        "time": 1789912200,
        "open_interest": 1,
        "open_interest_usd": 6,
        "short_liq_amount": 2,
        "short_liq_usd": 120000,
    }
    query = MARKET_DATA["gate"].totals(ONE["gate"], 1789911900000)

    (found,) = query.read(encoded([row]), NOW_MS).rows

    assert (found.position_side, found.coverage, found.notional_usd) == ("short", "aggregate", pytest.approx(120_000))


def test_liquidations_listed_by_bitget_count_coins_and_pages_follow():
    row = {"symbol": "BTCUSDT", "side": "sell", "price": "60000", "amount": "0.5", "ts": "1790000000123"}
    (query,) = MARKET_DATA["bitget"].liquidations(LISTS["bitget"], 1789990000000, 1790000100000)

    reading = query.read(encoded(bitget({"list": [row], "cursor": "77"})), NOW_MS)
    last = reading.following.read(encoded(bitget({"list": [{**row, "ts": "1789989999999"}], "cursor": "78"})), NOW_MS)

    (found,) = reading.rows
    assert (found.position_side, found.quantity, found.notional_usd) == ("short", 0.5, 30_000)
    assert ("cursor", "77") in reading.following.call.params
    assert (last.rows, last.following) == ((), None)


@pytest.mark.parametrize("venue", ANSWERS)
def test_a_day_of_bars_is_asked_for_without_gap_or_overlap(venue):
    queries = MARKET_DATA[venue].klines(ONE[venue], OPEN_MS, OPEN_MS + DAY_MS)

    assert len(queries) == len({query.call for query in queries})
    assert sum(query.call.weight for query in queries) <= 88


@pytest.mark.parametrize(
    ("venue", "hour", "day"),
    [
        ("binance", "1h", "1d"),
        ("bybit", "60", "D"),
        ("okx", "1H", "1Dutc"),
        ("gate", "1h", "1d"),
        ("bitget", "1H", "1D"),
        ("hyperliquid", "1h", "1d"),
        ("deribit", "60", "1D"),
    ],
)
def test_longer_bars_are_asked_for_by_the_name_the_venue_gives_them(venue, hour, day):
    for interval, name, bars in (("1h", hour, 14 * 24), ("1d", day, 30)):
        queries = MARKET_DATA[venue].klines(ONE[venue], 0, bars * INTERVAL_MS[interval], interval)

        assert all(name in {value for _, value in asked_of(query.call)} for query in queries)
        assert sum(query.call.weight for query in queries) <= 26


@pytest.mark.parametrize("venue", ANSWERS)
def test_a_bar_of_an_hour_is_closed_when_its_hour_is_over(venue):
    (query,) = MARKET_DATA[venue].klines(ONE[venue], OPEN_MS, OPEN_MS + 60_000, "1h")
    answer = encoded(ANSWERS[venue]["klines"])

    (bar,) = query.read(answer, OPEN_MS + 3_600_000).rows
    (running,) = query.read(answer, OPEN_MS + 3_599_999).rows

    assert (bar.interval, bar.closed) == ("1h", True)
    assert running.closed == (venue == "okx")


def test_few_bars_of_binance_weigh_less():
    (query,) = MARKET_DATA["binance"].klines(ONE["binance"], OPEN_MS, OPEN_MS + 15 * 60_000)

    assert query.call.weight == 1
    assert ("limit", "15") in query.call.params


def asked_of(call):
    """The parameters of a call, whether they stand in the query or in the body."""
    return call.params or json.loads(call.body)["req"].items()


def test_windows_cover_a_span_from_its_first_bar_to_its_end():
    assert windows(30_000, 200_000, 2) == [(0, 120_000), (120_000, 200_000)]
    assert windows(60_000, 60_000, 2) == []


@pytest.mark.parametrize(("venue", "what"), CASES)
@given(data=st.data())
def test_a_damaged_answer_is_an_error_or_rows_and_problems(venue, what, data):
    body = bytearray(encoded(ANSWERS[venue][what]))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = bytes(body[: data.draw(st.integers(0, len(body)))])

    try:
        queries_of(venue, what)[0].read(body, NOW_MS)
    except FrameError as error:
        assert error.args[0]  # noqa: PT017  # the text is what is tested


@pytest.mark.parametrize(("venue", "what"), CASES)
@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b'{"code":"1","retCode":1,"error":{"code":1}}'])
def test_what_is_no_answer_is_an_error(venue, what, body):
    with pytest.raises(FrameError):
        queries_of(venue, what)[0].read(body, NOW_MS)


@pytest.mark.parametrize(
    ("file", "what", "rows"),
    [("klines_gct", "klines", 4), ("openInterestHist_gct", "history", 4), ("openInterest_gct", "open_interest", 1)],
)
def test_recorded_answers_of_binance_are_read_to_the_last_row(file, what, rows):
    answers = [json.loads(line) for line in recorded(f"binance/rest/{file}.jsonl").read_bytes().splitlines()]

    readings = [queries_of("binance", what)[0].read(encoded(answer["data"]), NOW_MS) for answer in answers]

    assert len(readings) == rows
    for answer, reading in zip(answers, readings, strict=True):
        assert reading.problems == ()
        assert len(reading.rows) == (1 if what == "open_interest" else len(answer["data"]))


def test_recorded_bars_of_hyperliquid_are_in_single_coins():
    body = recorded("hyperliquid/rest/candle_snapshot_sdk.json").read_bytes()
    one = LISTS["hyperliquid"]["kPEPE"]
    (query,) = MARKET_DATA["hyperliquid"].klines(one, 1684699200000, 1684699200000 + 60_000 * 1200)

    bars = query.read(body, NOW_MS).rows

    assert (bars[0].asset, bars[0].quantity, bars[0].close) == ("PEPE", 520665683.0 * 1000, pytest.approx(1.604e-6))


def test_recorded_tiers_of_hyperliquid_have_one_each():
    body = recorded("hyperliquid/rest/meta_sdk.json").read_bytes()
    instruments = {one.instrument: one for one in EXCHANGES["hyperliquid"].read_instruments(body).instruments}

    reading = MARKET_DATA["hyperliquid"].margin_tiers(instruments)[0].read(body, NOW_MS)

    assert (len(reading.rows), reading.problems) == (28, ())
