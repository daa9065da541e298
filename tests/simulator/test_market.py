from collections import defaultdict

import pytest

from simulator.listings import DEFAULT_VENUES, VENUES
from simulator.market import Market, MarketRules
from tests.simulator.serving import START_MS, a_market

STATIC_USD = {"BTC": 100_000, "ETH": 50_000, "SOL": 25_000}


def steps(market: Market, count: int) -> Market:
    for _ in range(count):
        market.step(0.1)
    return market


def test_the_same_seed_and_steps_give_the_same_market():
    one, other = steps(a_market(seed=3), 2000), steps(a_market(seed=3), 2000)

    assert one.liquidations
    assert one.liquidations == other.liquidations
    assert [book.price.mark for book in one.books.values()] == [book.price.mark for book in other.books.values()]


def test_another_seed_gives_another_market():
    assert steps(a_market(seed=3), 500).books["BTC"].price.mark != steps(a_market(seed=4), 500).books["BTC"].price.mark


def test_a_position_is_liquidated_when_the_mark_price_reaches_its_liquidation_price():
    market = steps(a_market(assets=20), 3000)

    assert market.liquidations
    for row in market.liquidations:
        if row.is_long:
            assert row.mark_price <= row.liquidation_price * (1 + 1e-12)
            assert row.bankruptcy_price < row.liquidation_price
        else:
            assert row.mark_price >= row.liquidation_price * (1 - 1e-12)
            assert row.bankruptcy_price > row.liquidation_price


def test_no_open_position_is_beyond_its_liquidation_price():
    market = steps(a_market(assets=20), 3000)

    for book in market.books.values():
        mark = book.price.mark
        assert all(
            p.trigger < mark if p.is_long else p.trigger > mark for p in book.positions if p.opened_ms < market.now_ms
        )


def test_time_is_that_of_the_steps():
    market = steps(a_market(), 123)

    assert market.now_ms == START_MS + 12_300


def test_open_interest_counts_the_larger_side_and_the_hedged_books_once():
    market = steps(a_market(), 1000)
    book = market.books["ETH"]

    for venue, coins in book.open_coins.items():
        longs = sum(p.quantity for p in book.positions if p.venue == venue and p.is_long)
        shorts = sum(p.quantity for p in book.positions if p.venue == venue and not p.is_long)
        assert coins.longs == pytest.approx(longs)
        assert coins.shorts == pytest.approx(shorts)
        assert coins.one_side == coins.hedged + max(coins.longs, coins.shorts)


def test_without_news_the_market_is_calmer():
    calm = Market(seed=1, start_ms=START_MS, rules=MarketRules(news=False))
    usual = Market(seed=1, start_ms=START_MS)

    assert len(steps(calm, 3000).liquidations) < len(steps(usual, 3000).liquidations)


def test_venues_that_are_not_asked_for_hold_no_positions():
    market = a_market(venues=("bybit",))

    assert {p.venue for book in market.books.values() for p in book.positions} == {"bybit"}


def test_old_liquidations_lie_before_the_start():
    market = a_market(assets=30)

    assert market.earlier
    assert all(row.time_ms < START_MS for row in market.earlier)


@pytest.mark.parametrize(
    ("seed", "venues"), [*((seed, DEFAULT_VENUES) for seed in (1, 2, 4, 7, 11)), (1, VENUES), (4, VENUES)]
)
def test_ten_minutes_show_large_liquidations_soon_and_a_cascade_that_ends(seed, venues):
    market = steps(Market(seed=seed, start_ms=START_MS, venues=venues), 6000)
    threshold = defaultdict(lambda: 10_000, STATIC_USD)
    large_s = [
        (row.time_ms - START_MS) / 1000 for row in market.liquidations if row.notional_usd >= threshold[row.asset]
    ]
    cascades = {crowd: times for crowd in _crowds(market) if (times := _cascade_s(market, *crowd, threshold[crowd[0]]))}

    assert large_s[0] < 100
    assert 5 <= len(large_s) <= 60
    assert any(first < 350 and last < 480 for first, last in cascades.values())


def _crowds(market):
    return sorted({(row.asset, row.is_long) for row in market.liquidations})


def _cascade_s(market, asset, is_long, threshold):
    """First and last second at which the last minute held 5 liquidations worth 5 thresholds, None if it never did."""
    rows = [row for row in market.liquidations if (row.asset, row.is_long) == (asset, is_long)]
    met = []
    for row in rows:
        minute = [other for other in rows if row.time_ms - 60_000 < other.time_ms <= row.time_ms]
        if len(minute) >= 5 and sum(other.notional_usd for other in minute) >= 5 * threshold:
            met.append((row.time_ms - START_MS) / 1000)
    return (met[0], met[-1]) if met else None


def test_closed_positions_do_not_pile_up_behind_the_open_ones():
    market = a_market(assets=2, rules=MarketRules(positions_per_asset=60, mean_holding_s=2.0, news=False))
    for _ in range(3000):
        market.step(0.1)

    for book in market.books.values():
        assert len(book.longs) + len(book.shorts) <= 2 * len(book.positions) + 101
        assert {entry[2] for entry in (*book.longs, *book.shorts)} >= set(book.positions)


def test_open_interest_of_the_run_is_kept_at_whole_five_minutes():
    market = a_market(assets=3)
    for _ in range(310):
        market.step(1.0)

    at_ms = market.now_ms - market.now_ms % 300_000
    coins, price = market.open_point("BTC", "okx", at_ms)
    assert coins == pytest.approx(market.books["BTC"].open_coins["okx"].one_side, rel=0.05)
    assert price == pytest.approx(market.books["BTC"].price.mark, rel=0.05)
    assert market.open_point("BTC", "okx", at_ms + 1) is None
