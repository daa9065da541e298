"""The mark price at which a venue takes a position over, against worked examples and recorded positions."""

import json
from math import inf

import pytest

from intelligence.margin_tiers import MarginTier, MarginTiers, liquidation_price
from intelligence.market import PositionSide

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
POSITIONS = "hyperliquid/positions/whales_btc_2026-01-04.json"


def tiers(*rows, venue="binance", unit="usd"):
    """Rows of cap and maintenance rate, and a deduction if there is one."""
    steps = tuple(
        MarginTier(cap=cap, maintenance_rate=rate, deduction_usd=told[0] if told else None) for cap, rate, *told in rows
    )
    return MarginTiers(venue=venue, instrument="X", asset="BTC", unit=unit, tiers=steps)


BINANCE = tiers((50_000, 0.004), (600_000, 0.005), (3e6, 0.0065), (12e6, 0.01))  # detection.md 2.3


def test_deductions_follow_from_the_tiers_below_where_none_are_told():
    assert [BINANCE.requirement(1.0, notional)[1] for notional in (40_000, 500_000, 2e6, 10e6)] == pytest.approx(
        [0, 50, 950, 11_450]
    )


def test_the_requirement_has_no_jump_at_the_end_of_a_tier():
    for cap in (50_000, 600_000, 3e6):
        (rate, deduction), (above, more) = (BINANCE.requirement(1.0, cap * part) for part in (1.0, 1.0 + 1e-12))
        assert cap * rate - deduction == pytest.approx(cap * above - more)


def test_distances_are_those_that_the_reference_worked_out():
    one_tier = tiers((inf, 0.004))
    away = {
        leverage: 1 - liquidation_price(one_tier, LONG, entry=100.0, leverage=leverage, coins=1.0) / 100.0
        for leverage in (100, 125)
    }
    ten = 1 - liquidation_price(tiers((inf, 0.02)), LONG, entry=100.0, leverage=10, coins=1.0) / 100.0

    assert away[100] == pytest.approx(0.0060, abs=5e-5)
    assert away[125] == pytest.approx(0.0040, abs=5e-5)
    assert ten == pytest.approx(0.0816, abs=5e-5)


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize("leverage", [3, 10, 20])
def test_margin_is_worth_the_requirement_at_that_price(side, leverage):
    entry, coins = 50_000.0, 50.0
    price = liquidation_price(BINANCE, side, entry=entry, leverage=leverage, coins=coins)
    sign = 1 if side is LONG else -1
    rate, deduction = BINANCE.requirement(coins, price)

    equity = entry * coins / leverage + sign * coins * (price - entry)
    assert equity == pytest.approx(coins * price * rate - deduction)


def test_tiers_counted_in_coins_ask_the_same_as_those_in_usd():
    usd = tiers((50_000, 0.004), (600_000, 0.005))
    coins = tiers((1.0, 0.004), (12.0, 0.005), unit="coins")

    assert coins.requirement(5.0, 50_000.0) == pytest.approx(usd.requirement(5.0, 50_000.0))


def test_a_venue_that_keeps_its_fee_back_takes_over_sooner():
    plain, okx = tiers((inf, 0.004)), tiers((inf, 0.004), venue="okx")

    assert liquidation_price(okx, LONG, entry=100.0, leverage=10, coins=1.0) > liquidation_price(
        plain, LONG, entry=100.0, leverage=10, coins=1.0
    )


def test_a_long_without_leverage_is_never_taken_over():
    assert liquidation_price(tiers((inf, 0.004)), LONG, entry=100.0, leverage=1, coins=1.0) == 0.0


def test_recorded_positions_without_added_margin_lie_within_5_basis_points(shared_data):
    """16 isolated BTC positions; the margin is not recorded, so it is worked out of the venue's own price. Five have what they
    began with, to 0.4 % of it; four of those are within 0.03 % of price, and one of 3x whose 0.12 % of margin went on funding is at
    0.06 %. The other eleven had margin added, taken or paid: 0.2 to 4.7 %.
    """
    hyperliquid = tiers((150e6, 0.0125), (inf, 0.025), venue="hyperliquid")
    apart = []
    for one in json.loads((shared_data / POSITIONS).read_bytes())["active_whales"]:
        position = one["position"]
        if position["leverage_type"] != "isolated":
            continue
        side, entry, leverage = (
            LONG if position["size"] > 0 else SHORT,
            position["entry_px"],
            position["leverage_value"],
        )
        ours = liquidation_price(hyperliquid, side, entry=entry, leverage=leverage, coins=abs(position["size"]))
        sign, theirs = 1 if side is LONG else -1, float(position["liquidation_px"])
        margin = sign * (entry - theirs * (1 - sign * 0.0125)) / entry * leverage
        apart.append((abs(margin - 1), abs(theirs / ours - 1)))

    unadjusted = sorted(price for margin, price in apart if margin < 0.004)
    assert len(apart) == 16
    assert len(unadjusted) == 5
    assert unadjusted[3] < 0.0003
    assert unadjusted[4] < 0.00063
