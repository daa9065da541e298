import json

from simulator.assets import ASSETS
from simulator.listings import VENUES, listings_of
from simulator.okx_rest import OkxRest, instrument_rows, refusal, tape_rows
from simulator.source import MarketSource
from tests.simulator.serving import START_MS, a_market


def a_rest() -> OkxRest:
    listings = [listings_of(asset, VENUES)["okx"] for asset in ASSETS[:9]]
    return OkxRest(MarketSource(a_market(assets=9)), instrument_rows(listings))


def get(rest, path, now_s=0.0, **query):
    return json.loads(rest.answer(path, query, now_s).body)


def test_instruments_carry_contract_values_and_what_a_reader_must_leave_out():
    rows = {row["instId"]: row for row in get(a_rest(), "/api/v5/public/instruments", instType="SWAP")["data"]}

    assert rows["PEPE-USDT-SWAP"]["ctVal"] == "10000000"
    assert rows["BTC-USDT-SWAP"]["ctVal"] == "0.01"
    assert (rows["BTC-USD-SWAP"]["ctType"], rows["BTC-USD-SWAP"]["ctVal"]) == ("inverse", "100")
    assert rows["LUNA-USDT-SWAP"]["state"] == "suspend"
    assert rows["NEWCOIN-USDT-SWAP"]["ruleType"] == "pre_market"
    assert rows["BTC-USDC-SWAP"]["settleCcy"] == "USDC"


def test_a_tapes_instruments_keep_their_nature():
    rows = {row["instId"]: row for row in tape_rows(["DOGE-USDT-SWAP", "ETH-USD-SWAP"])}

    assert rows["DOGE-USDT-SWAP"]["ctVal"] == "1000"
    assert (rows["ETH-USD-SWAP"]["ctType"], rows["ETH-USD-SWAP"]["ctVal"]) == ("inverse", "10")


def test_figures_of_all_swaps_come_in_one_call():
    rest = a_rest()

    assert get(rest, "/api/v5/public/time")["data"] == [{"ts": str(START_MS)}]
    for path in ("/api/v5/market/tickers", "/api/v5/public/mark-price", "/api/v5/public/open-interest"):
        assert len(get(rest, path, instType="SWAP")["data"]) == 9
    assert len(get(rest, "/api/v5/public/funding-rate", instId="ANY")["data"]) == 9
    assert len(get(rest, "/api/v5/public/funding-rate", instId="BTC-USDT-SWAP")["data"]) == 1


def test_wrong_calls_get_a_code():
    rest = a_rest()

    assert get(rest, "/api/v5/public/instruments")["code"] == "51000"
    assert get(rest, "/api/v5/public/mark-price", instType="SWAP", instId="NOPE")["code"] == "51001"
    assert rest.answer("/api/v5/nothing", {}, 0.0).status == 404


def test_more_calls_than_allowed_in_two_seconds_are_refused():
    rest = a_rest()
    codes = [get(rest, "/api/v5/public/time")["code"] for _ in range(11)]

    assert codes == ["0"] * 10 + ["50011"]
    assert get(rest, "/api/v5/public/time", now_s=2.0)["code"] == "0"


def test_refusals_are_in_the_venues_words():
    assert json.loads(refusal(429).body)["code"] == "50011"
    assert json.loads(refusal(500).body)["code"] == "50001"


def test_a_listed_contract_that_nobody_trades_has_an_empty_past():
    for path in ("/api/v5/market/candles", "/api/v5/rubik/stat/contracts/open-interest-history"):
        assert get(a_rest(), path, instId="BTC-USDC-SWAP") == {"code": "0", "msg": "", "data": []}
        assert get(a_rest(), path, instId="NOPE-USDC-SWAP")["code"] == "51000"
