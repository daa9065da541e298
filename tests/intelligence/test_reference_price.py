from math import isclose, log

from intelligence.reference_price import ReferencePrice, ReferencePriceRule
from tests.intelligence.builders import T0, a_mark

RULE = ReferencePriceRule()


def fed(*marks):
    prices = ReferencePrice(RULE)
    for mark in marks:
        prices.observe(mark)
    return prices


def test_reference_price_is_the_median_over_venues():
    prices = fed(a_mark(0, 100.0), a_mark(1, 103.0, venue="okx"), a_mark(2, 101.0, venue="binance"))

    assert prices.price_at(T0) == 101.0


def test_a_venue_with_several_instruments_counts_once():
    prices = fed(
        a_mark(0, 100.0),
        a_mark(1, 100.0, instrument="SOLUSDC"),
        a_mark(2, 100.0, instrument="SOLPERP"),
        a_mark(3, 110.0, venue="okx"),
    )

    assert prices.price_at(T0) == 105.0


def test_a_venue_that_fell_silent_no_longer_counts():
    prices = fed(a_mark(0, 90.0, venue="okx"), a_mark(RULE.stale_ms + 1_000, 100.0))

    assert prices.price_at(T0 + RULE.stale_ms + 1_000) == 100.0


def test_no_price_is_known_before_the_first_mark_and_after_the_last_went_stale():
    prices = fed(a_mark(0))

    assert prices.price_at(T0 - 1) is None
    assert prices.price_at(T0 + RULE.stale_ms) == 140.0
    assert prices.price_at(T0 + RULE.stale_ms + 1_000) is None


def test_a_mark_overtaken_by_a_newer_one_of_its_instrument_changes_nothing():
    prices = fed(a_mark(500, 101.0), a_mark(400, 90.0))

    assert prices.price_at(T0) == 101.0


def test_a_mark_long_overtaken_by_other_venues_changes_nothing():
    prices = fed(a_mark(RULE.stale_ms + 5_000, 101.0), a_mark(0, 90.0, venue="okx"))

    assert prices.price_at(T0 + RULE.stale_ms + 5_000) == 101.0


def test_move_is_the_signed_log_return_over_the_window():
    prices = fed(a_mark(0, 100.0), a_mark(30_000, 99.5), a_mark(60_000, 99.0))

    assert isclose(prices.move(T0 + 60_000, 60_000), log(0.99))
    assert prices.move(T0 + 59_000, 60_000) is None


def test_history_reaches_back_five_minutes_and_stays_bounded():
    prices = fed(*(a_mark(second * 1_000, 100.0 + second) for second in range(5_000)))

    assert prices.price_at(T0 + 4_999_000 - RULE.history_ms) == 100.0 + 4_999 - 300
    assert len(prices._seconds) < 1_000
