import json

from simulator.assets import ASSETS
from simulator.binance_rest import BinanceRest, instrument_rows, tape_rows
from simulator.listings import VENUES, listings_of
from simulator.source import MarketSource
from tests.simulator.serving import START_MS, a_market


def a_rest() -> BinanceRest:
    listings = [listings_of(asset, VENUES)["binance"] for asset in ASSETS[:8]]
    return BinanceRest(MarketSource(a_market()), instrument_rows(listings))


def get(rest, path, now_s=0.0, **query):
    reply = rest.answer(path, query, now_s)
    return reply.status, json.loads(reply.body)


def test_instruments_hold_what_is_traded_and_what_a_reader_must_leave_out():
    _, body = get(a_rest(), "/fapi/v1/exchangeInfo")

    kinds = {row["symbol"]: (row["contractType"], row["status"], row["quoteAsset"]) for row in body["symbols"]}
    assert kinds["BTCUSDT"] == ("PERPETUAL", "TRADING", "USDT")
    assert kinds["BTCUSDC"] == ("PERPETUAL", "TRADING", "USDC")
    assert kinds["TSLAUSDT"][0] == "TRADIFI_PERPETUAL"
    assert kinds["BTCUSDT_261225"][0] == "CURRENT_QUARTER"
    assert kinds["BLZUSDT"][1] == "SETTLING"


def test_a_tapes_instruments_keep_their_nature():
    rows = {row["symbol"]: row for row in tape_rows(["BTCUSDT", "BTCUSDC", "BTCUSDT_250627", "1000000BOBUSDT"])}

    assert [rows[symbol]["quoteAsset"] for symbol in rows] == ["USDT", "USDC", "USDT", "USDT"]
    assert rows["BTCUSDT_250627"]["contractType"] == "CURRENT_QUARTER"
    assert rows["1000000BOBUSDT"]["baseAsset"] == "1000000BOB"


def test_figures_come_for_one_symbol_or_for_all():
    rest = a_rest()

    assert get(rest, "/fapi/v1/time") == (200, {"serverTime": START_MS})
    assert get(rest, "/fapi/v1/premiumIndex", symbol="BTCUSDT")[1]["symbol"] == "BTCUSDT"
    assert len(get(rest, "/fapi/v1/premiumIndex")[1]) == len(get(rest, "/fapi/v1/ticker/24hr")[1]) == 8
    assert float(get(rest, "/fapi/v1/openInterest", symbol="BTCUSDT")[1]["openInterest"]) > 1000


def test_wrong_calls_get_the_venues_errors():
    rest = a_rest()

    assert get(rest, "/fapi/v1/premiumIndex", symbol="NOPE") == (400, {"code": -1121, "msg": "Invalid symbol."})
    assert get(rest, "/fapi/v1/openInterest")[1]["code"] == -1102
    assert get(rest, "/fapi/v9/nothing")[0] == 404


def test_too_much_weight_is_refused_and_a_caller_who_ignores_that_is_banned():
    rest = a_rest()
    for _ in range(60):
        rest.answer("/fapi/v1/ticker/24hr", {}, 0.0)

    replies = [rest.answer("/fapi/v1/time", {}, 1.0) for _ in range(30)]

    assert (replies[0].status, replies[0].headers["Retry-After"]) == (429, "5")
    assert replies[-1].status == 418
    assert rest.answer("/fapi/v1/time", {}, 61.0).headers["X-MBX-USED-WEIGHT-1M"] == "1"
