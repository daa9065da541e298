import pytest

from simulator.prices import Price, StepSize, Volatility

STEP = StepSize.of(0.1)


def test_a_forced_sale_lowers_the_price_and_part_of_it_comes_back():
    price = Price(100.0, daily_volatility=0.05, beta=1.0, depth_usd=1e7)

    fill = price.take_forced_order(-100_000.0)
    lowest = price.last
    for _ in range(6000):
        price.move(STEP, 0.0, 0.0)

    assert lowest == pytest.approx(99.0, rel=1e-3)
    assert lowest < fill < 100
    assert lowest < price.last < 99.8


def test_the_mark_trails_the_last_price():
    price = Price(100.0, daily_volatility=0.05, beta=1.0, depth_usd=1e6)

    price.take_forced_order(-10_000.0)
    price.move(STEP, 0.0, 0.0)

    assert price.last < price.mark < 100


def test_a_large_move_raises_volatility_for_a_while():
    volatility = Volatility(0.05)
    usual = volatility.deviation

    volatility.observe(0.01)
    raised = volatility.deviation
    for _ in range(300):
        volatility.observe(usual)

    assert raised > 1.3 * usual
    assert volatility.deviation == pytest.approx(usual, rel=0.05)
