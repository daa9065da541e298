import pytest

from simulator.positions import bankruptcy_price, liquidation_price


def test_a_long_is_liquidated_below_its_entry_and_above_bankruptcy():
    price = liquidation_price(100.0, 10, 0.005, is_long=True)

    assert price == pytest.approx(90 / 0.995)
    assert bankruptcy_price(100.0, 10, is_long=True) < price < 100


def test_a_short_is_liquidated_above_its_entry_and_below_bankruptcy():
    price = liquidation_price(100.0, 10, 0.005, is_long=False)

    assert price == pytest.approx(110 / 1.005)
    assert 100 < price < bankruptcy_price(100.0, 10, is_long=False)


def test_the_distance_at_100x_is_the_one_of_the_exact_formula():
    price = liquidation_price(1.0, 100, 0.004, is_long=True)

    assert 1 - price == pytest.approx(0.0060, abs=5e-5)  # detection.md 10.2
