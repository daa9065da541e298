"""Where positions are liquidated: opened, closed, aged, passed by price, and learned from."""

import pytest

from intelligence.market import PositionSide
from intelligence.zones.book import PositionBook
from intelligence.zones.entries import Entry
from intelligence.zones.grid import Density, cell_of, kernel
from intelligence.zones.leverage import LEVERAGES, LiquidationRates
from intelligence.zones.rules import BookRule

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
HERE = cell_of(100.0)


def a_book(coins=1000.0, price=100.0):
    book = PositionBook(BookRule())
    book.begin(100.0)
    book.open(Entry(venue="bybit", coins=coins, price=price, spread=0.0), 0.02)
    return book


def expected(book, side, first=HERE - 440, after=HERE + 440):
    return sum(book.expected_coins(side, first, after))


def test_both_sides_grow_by_what_is_opened():
    book = a_book()

    assert expected(book, LONG) == pytest.approx(expected(book, SHORT), rel=0.01)
    assert expected(book, LONG) == pytest.approx(0.2 * 1000.0, rel=0.05)  # as much as is believed to be liquidated


def test_mirrored_moves_do_the_same_to_both_sides():
    falls, rises = a_book(), a_book()
    falls.sweep(100 * 0.88, 100.0)
    rises.sweep(100.0, 100 * 1.115)  # as far beyond the shorts of 10x as the fall beyond the longs

    assert expected(falls, LONG) == pytest.approx(expected(rises, SHORT), rel=0.05)
    assert expected(falls, SHORT) == pytest.approx(expected(rises, LONG), rel=0.01)


def test_closing_and_ageing_fade_what_is_there():
    closed, aged = a_book(), a_book()
    closed.close(0.25)
    aged.age(72 * 60)

    assert expected(closed, LONG) == pytest.approx(0.75 * expected(a_book(), LONG))
    assert expected(aged, LONG) == pytest.approx(0.25 * expected(a_book(), LONG), rel=0.01)


def test_what_is_passed_without_liquidations_is_believed_less_and_with_them_more():
    def after(seen_coins):
        book = a_book()
        book.rates.believe(10_000.0)
        for _ in range(seen_coins // 10):
            book.liquidated(LONG, 100 * 0.9 / 0.995, 10.0)
        book.liquidated(SHORT, 100 * 1.1 / 1.005, 1e-6)
        book.sweep(88.0, 100.0)
        book.rates.end_minute()
        return book.rates.rates[LEVERAGES.index(10)]

    believed = LiquidationRates(BookRule()).rates[LEVERAGES.index(10)]
    assert after(0) < believed < after(400)


def test_where_no_liquidation_was_ever_told_nothing_is_concluded_from_it():
    book = a_book()
    book.rates.believe(10_000.0)
    book.sweep(88.0, 100.0)
    book.rates.end_minute()

    assert book.rates.rates == LiquidationRates(BookRule()).rates


def test_a_liquidation_is_shared_among_the_kinds_that_were_there():
    rates = LiquidationRates(BookRule())
    rates.believe(10_000.0)
    there = [0.0] * len(rates.kinds)
    there[LEVERAGES.index(25)] = 500.0

    assert rates.liquidated(100.0, there)
    rates.end_minute()
    grown = [new / old for new, old in zip(rates.rates, LiquidationRates(BookRule()).rates, strict=True)]
    assert max(grown) == grown[LEVERAGES.index(25)]
    assert not rates.liquidated(100.0, [0.0] * len(rates.kinds))


def test_a_density_follows_the_price_and_forgets_what_leaves_it():
    density = Density(0)
    density.add(0, 10.0, kernel(20))
    density.add(-400, 10.0, (1.0,))
    density.move_to(300)

    assert density.at(0) == pytest.approx(10.0 * max(kernel(20)))
    assert density.at(-400) == 0.0


def test_a_kernel_neither_makes_nor_loses_coins():
    for tenths in (0, 5, 20, 200, 900):
        assert sum(kernel(tenths)) == pytest.approx(1.0)


def test_a_density_that_fades_for_long_stays_exact():
    density = Density(0)
    for _ in range(10_000):
        density.add(0, 1.0, (1.0,))
        density.fade(0.99)

    assert density.at(0) == pytest.approx(99.0)
