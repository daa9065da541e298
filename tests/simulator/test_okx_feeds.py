import pytest

from simulator.listings import OKX
from simulator.venue import Call
from tests.simulator.serving import called, listing_of, nothing, run_of


@pytest.mark.parametrize("channel", ["trades", "trades-all"])
def test_sizes_of_trades_count_contracts(channel):
    _, frames, prints, market = run_of(OKX)
    rows = [row for message in frames[f"{channel}:BTC-USDT-SWAP"] for row in message["data"]]
    listing = listing_of(market, OKX, "BTC-USDT-SWAP")

    assert [(row["tradeId"], row["px"], row["side"], row["ts"]) for row in rows] == [
        (str(trade.ident), listing.price(trade.price), "buy" if trade.is_buy else "sell", str(trade.time_ms))
        for trade in prints["BTC-USDT-SWAP"]
    ]
    for row, trade in zip(rows, prints["BTC-USDT-SWAP"], strict=True):
        assert float(row["sz"]) * 0.01 == pytest.approx(trade.coins)


def test_candles_are_of_the_business_address_and_confirm_their_end():
    venue, frames, prints, _ = run_of(OKX, steps=1300)
    rows = [row for message in frames["candle1m:BTC-USDT-SWAP"] for row in message["data"]]
    closed = [row for row in rows if row[8] == "1"]

    assert closed
    for row in closed:
        start = int(row[0])
        coins = sum(trade.coins for trade in prints["BTC-USDT-SWAP"] if start <= trade.time_ms < start + 60_000)
        assert float(row[6]) == pytest.approx(coins, abs=1e-3)
        assert float(row[5]) * 0.01 == pytest.approx(coins, abs=1e-3)
    argument = {"channel": "candle1m", "instId": "BTC-USDT-SWAP"}
    assert venue.topic("/ws/v5/business", argument) is not None
    assert venue.topic("/ws/v5/public", argument) is None


def test_funding_and_tickers_come_at_their_own_pace():
    _, frames, _, _ = run_of(OKX, steps=1050)

    assert len(frames["funding-rate:BTC-USDT-SWAP"]) == 3
    assert len(frames["tickers:BTC-USDT-SWAP"]) > 900


def test_candles_by_rest_are_bounded_on_both_sides():
    venue, *_, market = run_of(OKX, steps=10)
    now = market.now_ms - market.now_ms % 60_000
    rows = called(venue, "/api/v5/market/candles", instId="BTC-USDT-SWAP", bar="1m", limit="300")["data"]
    older = called(venue, "/api/v5/market/candles", instId="BTC-USDT-SWAP", after=str(now), before=str(now - 300_000))[
        "data"
    ]

    assert (len(rows), int(rows[0][0]), rows[0][8], rows[1][8]) == (300, now, "0", "1")
    assert [int(row[0]) for row in older] == [now - 60_000, now - 120_000, now - 180_000, now - 240_000]
    assert called(venue, "/api/v5/market/candles", instId="NOPE")["code"] == "51000"


def test_history_of_open_interest_and_of_takers_comes_newest_first():
    venue, *_ = run_of(OKX, steps=10)
    points = called(
        venue, "/api/v5/rubik/stat/contracts/open-interest-history", instId="BTC-USDT-SWAP", period="5m", limit="20"
    )["data"]
    takers = called(venue, "/api/v5/rubik/stat/taker-volume-contract", instId="BTC-USDT-SWAP", unit="2", limit="3")[
        "data"
    ]

    assert len(points) == 20
    assert int(points[0][0]) - int(points[1][0]) == 300_000
    assert float(points[5][1]) * 0.01 == pytest.approx(float(points[5][2]), rel=1e-3)
    assert [len(row) for row in takers] == [3, 3, 3]


def test_tiers_are_given_for_up_to_five_families():
    venue, *_ = run_of(OKX, steps=1)
    asked = {"instType": "SWAP", "tdMode": "cross"}
    rows = called(venue, "/api/v5/public/position-tiers", **asked, instFamily="BTC-USDT,ETH-USDT")["data"]

    assert [row["instFamily"] for row in rows] == ["BTC-USDT"] * 3 + ["ETH-USDT"] * 3
    assert float(rows[0]["maxSz"]) == float(rows[1]["minSz"])
    assert called(venue, "/api/v5/public/position-tiers", **asked, instFamily="A,B,C,D,E,F")["code"] == "51000"


def test_each_address_has_its_own_limit():
    venue, *_ = run_of(OKX, steps=1)
    call = Call("/api/v5/rubik/stat/taker-volume-contract", {"instId": "BTC-USDT-SWAP"})

    assert [venue.rest(call, 1.0).status for _ in range(6)] == [200] * 5 + [429]
    assert venue.rest(Call("/api/v5/market/trades", {"instId": "BTC-USDT-SWAP"}), 1.0).status == 200


def test_old_liquidations_are_paged_backwards_by_family():
    venue, *_, market = run_of(OKX, steps=3000, wanted=nothing, assets=40, trades_per_s=5.0)
    truth = [row for row in (*market.earlier, *market.liquidations) if row.venue == OKX]
    symbol = max({row.symbol for row in truth}, key=lambda symbol: sum(row.symbol == symbol for row in truth))
    asked = {"instType": "SWAP", "uly": symbol.removesuffix("-SWAP"), "state": "filled", "limit": "3"}

    (first,) = called(venue, "/api/v5/public/liquidation-orders", **asked)["data"]
    times = [int(row["ts"]) for row in first["details"]]
    (older,) = called(venue, "/api/v5/public/liquidation-orders", **asked, after=str(times[-1]))["data"]
    assert times == sorted((row.time_ms for row in truth if row.symbol == symbol), reverse=True)[:3]
    assert all(int(row["ts"]) < times[-1] for row in older["details"])
    assert called(venue, "/api/v5/public/liquidation-orders", **asked | {"uly": "NOPE"})["code"] == "51000"
