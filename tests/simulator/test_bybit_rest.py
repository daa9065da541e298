import json

from simulator.assets import ASSETS
from simulator.bybit_rest import BybitRest, instrument_rows, refusal, tape_rows
from simulator.listings import VENUES, listings_of
from simulator.source import MarketSource
from tests.simulator.serving import START_MS, a_market


def a_rest() -> BybitRest:
    listings = [listings_of(asset, VENUES)["bybit"] for asset in ASSETS[:8]]
    return BybitRest(MarketSource(a_market()), instrument_rows(listings))


def get(rest, path, **query):
    return json.loads(rest.answer(path, query, 0.0).body)


def test_following_the_cursor_brings_every_instrument_once():
    rest = a_rest()
    symbols, cursor = [], ""
    for _ in range(10):
        result = get(rest, "/v5/market/instruments-info", category="linear", limit="4", cursor=cursor)["result"]
        symbols += [row["symbol"] for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break

    whole = get(rest, "/v5/market/instruments-info", category="linear", limit="1000")["result"]
    assert symbols == [row["symbol"] for row in whole["list"]]
    assert len(symbols) == 13
    assert whole["nextPageCursor"] == ""


def test_instruments_hold_what_a_reader_must_leave_out():
    rows = {
        row["symbol"]: row for row in get(a_rest(), "/v5/market/instruments-info", category="linear")["result"]["list"]
    }

    assert rows["BTCPERP"]["quoteCoin"] == "USDC"
    assert rows["BTCUSDT-25DEC26"]["contractType"] == "LinearFutures"
    assert rows["TSLAUSDT"]["symbolType"] == "stock"
    assert rows["NEWCOINUSDT"]["isPreListing"]
    assert rows["OLDCOINUSDT"]["status"] == "Closed"


def test_a_tapes_instruments_keep_their_nature():
    rows = {row["symbol"]: row for row in tape_rows(["BTCUSDT", "BTCPERP", "BTCUSDT-25DEC26"])}

    assert [row["baseCoin"] for row in rows.values()] == ["BTC", "BTC", "BTC"]
    assert (rows["BTCPERP"]["quoteCoin"], rows["BTCUSDT-25DEC26"]["contractType"]) == ("USDC", "LinearFutures")


def test_open_interest_counts_both_sides_and_one():
    row = get(a_rest(), "/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]

    assert 1.999 < float(row["openInterest"]) / float(row["singleOpenInterest"]) < 2.001
    assert len(get(a_rest(), "/v5/market/tickers", category="linear")["result"]["list"]) == 8


def test_the_time_comes_in_seconds_and_nanoseconds():
    result = get(a_rest(), "/v5/market/time")["result"]

    assert result == {"timeSecond": str(START_MS // 1000), "timeNano": str(START_MS * 1_000_000)}


def test_errors_come_with_http_200_and_a_code():
    rest = a_rest()

    assert get(rest, "/v5/market/tickers")["retCode"] == 10001
    assert get(rest, "/v5/market/tickers", category="linear", symbol="NOPE")["retCode"] == 10001
    assert get(rest, "/v5/market/instruments-info", category="linear", limit="2000")["retCode"] == 10001
    assert rest.answer("/v5/nothing", {}, 0.0).status == 404


def test_more_than_600_requests_in_5_seconds_are_refused():
    rest = a_rest()
    statuses = [rest.answer("/v5/market/time", {}, 0.0).status for _ in range(601)]

    assert (statuses.count(200), statuses[-1]) == (600, 403)
    assert rest.answer("/v5/market/time", {}, 5.0).status == 200


def test_the_two_kinds_of_403_differ_in_their_body():
    assert "block access from your country" in refusal(451).body
    assert refusal(403).body == "access too frequent"
    assert refusal(451).status == refusal(403).status == 403


def test_the_other_categories_exist_and_are_empty():
    for category in ("spot", "inverse", "option"):
        assert get(a_rest(), "/v5/market/instruments-info", category=category)["result"]["list"] == []
    assert get(a_rest(), "/v5/market/instruments-info", category="dreams")["retCode"] == 10001


def test_a_listed_contract_that_nobody_trades_has_an_empty_past():
    for path, query in (("kline", {"interval": "1"}), ("open-interest", {"intervalTime": "5min"})):
        of = {"category": "linear", **query}
        assert get(a_rest(), f"/v5/market/{path}", symbol="BTCPERP", **of)["result"]["list"] == []
        assert get(a_rest(), f"/v5/market/{path}", symbol="NOPEUSDT", **of)["retCode"] == 10001
