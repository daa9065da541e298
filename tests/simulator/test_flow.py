from collections import Counter, defaultdict

import pytest

from simulator.listings import VENUES
from simulator.market import Market
from tests.simulator.serving import START_MS, a_market


def traded(market: Market, steps: int) -> dict:
    """All trades by (venue, symbol)."""
    tapes = defaultdict(list)
    for _ in range(steps):
        market.step(0.1)
        for venue in VENUES:
            for symbol, prints in market.flow.prints(venue).items():
                tapes[venue, symbol] += prints
    return tapes


def test_as_many_trades_happen_as_were_asked_for():
    tapes = traded(a_market(trades_per_s=250.0), 100)

    forced = sum(row.is_forced for tape in tapes.values() for row in tape)
    assert sum(map(len, tapes.values())) - forced == 2500


def test_without_a_rate_only_forced_orders_trade():
    market = a_market(assets=20, trades_per_s=0)
    tapes = traded(market, 3000)

    prints = [row for tape in tapes.values() for row in tape]
    visible = [row for row in market.liquidations if row.venue != "binance_coin_m"]
    assert prints
    assert all(row.is_forced for row in prints)
    assert len(prints) == len(visible)


def test_a_liquidated_long_is_a_forced_sale_at_its_own_venue():
    market = a_market(assets=20)
    tapes = traded(market, 3000)

    liquidation = next(row for row in market.liquidations if row.venue != "binance_coin_m")
    trade = next(
        row
        for row in tapes[liquidation.venue, liquidation.symbol]
        if row.is_forced and row.time_ms == liquidation.time_ms and row.coins == liquidation.quantity
    )
    assert (trade.price, trade.is_buy) == (liquidation.price, not liquidation.is_long)


def test_trades_change_nothing_of_the_market_behind_them():
    quiet, busy = a_market(trades_per_s=0), a_market(trades_per_s=500.0)
    for _ in range(1000):
        quiet.step(0.1)
        busy.step(0.1)

    assert quiet.liquidations == busy.liquidations
    assert quiet.books["BTC"].price.mark == busy.books["BTC"].price.mark


def test_the_same_seed_gives_the_same_trades():
    assert traded(a_market(), 200) == traded(a_market(), 200)
    assert traded(a_market(), 50) != traded(a_market(seed=8), 50)


def test_trades_come_in_order_close_to_the_price_and_numbered_without_a_gap():
    market = a_market(trades_per_s=500.0)
    tapes = traded(market, 300)

    for (venue, symbol), tape in tapes.items():
        assert [row.ident for row in tape] == list(range(1, len(tape) + 1))
        assert [row.time_ms for row in tape] == sorted(row.time_ms for row in tape)
        assert START_MS <= tape[0].time_ms <= tape[-1].time_ms <= market.now_ms
        book = market.flow.contracts[venue, symbol].book
        assert all(row.price == pytest.approx(book.price.last, rel=0.03) for row in tape)


def test_large_assets_trade_more_often():
    tapes = traded(a_market(assets=40, trades_per_s=2000.0), 100)

    per_asset = Counter()
    market = a_market(assets=40)
    for key, tape in tapes.items():
        per_asset[market.flow.contracts[key].listing.asset] += len(tape)
    assert per_asset["BTC"] > 1.5 * per_asset["ETH"] > 2 * per_asset["SOL"] > 5 * per_asset["ARB"] > 0


@pytest.mark.parametrize("rate", [50.0, 2000.0])
def test_volume_follows_turnover_whatever_the_number_of_trades(rate):
    market = Market(seed=1, start_ms=START_MS, assets=4, trades_per_s=rate)
    traded(market, 1200)

    contract = market.flow.contracts["binance", "BTCUSDT"]
    volume = sum(candle.usd for candle in (*contract.candles.closed, contract.candles.current))
    expected = contract.book.asset.turnover_usd * contract.book.share("binance") * 120 / 86_400
    assert 0.5 < volume / expected < 2.5


def test_takers_lean_the_way_the_price_moves():
    market = a_market(assets=1, trades_per_s=2000.0)
    rising, falling = Counter(), Counter()
    for _ in range(600):
        before = market.books["BTC"].price.last
        market.step(0.1)
        side = rising if market.books["BTC"].price.last > before else falling
        for prints in market.flow.prints("binance").values():
            side.update(row.is_buy for row in prints)

    assert rising[True] > 1.1 * rising[False]
    assert falling[False] > 1.1 * falling[True]


def test_open_interest_changes_by_less_than_was_traded():
    market = a_market(trades_per_s=500.0)
    book = market.books["ETH"]
    for _ in range(10):
        before = book.open_coins["binance"].one_side
        coins = sum(row.coins for row in traded(market, 600)["binance", "ETHUSDT"])
        assert abs(book.open_coins["binance"].one_side - before) < coins
