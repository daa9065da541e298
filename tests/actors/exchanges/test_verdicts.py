import pytest

from actors.exchanges.bybit_rest import BybitData
from actors.exchanges.exchange import FrameError
from actors.exchanges.verdicts import (
    as_order,
    as_quote,
    bitget_unit_votes,
    bybit_sides_votes,
    gate_sign_votes,
    hyperliquid_feed_votes,
    okx_cap_votes,
    verdict_of,
)
from intelligence.market import Liquidation
from tests.actors.exchanges.frames import decode, encoded, recorded
from tests.intelligence.builders import a_liquidation


def some(count=6, **changes):
    return [
        a_liquidation(instrument="X", exchange_ms=1_790_000_000_000 + 1_000 * n, quantity=1.5 + n, **changes)
        for n in range(count)
    ]


@pytest.mark.parametrize(("listed", "verdict"), [("long", "order"), ("short", "position")])
def test_the_sign_of_gate_is_settled_by_rows_that_rest_tells_too(listed, verdict):
    assert verdict_of(gate_sign_votes(some(position_side="long"), some(position_side=listed))) == verdict


def test_the_sign_of_gate_stays_open_without_enough_or_with_mixed_pairs():
    told = some(position_side="long")
    mixed = some(3, position_side="long") + some(position_side="short")[3:]

    assert verdict_of(gate_sign_votes(told, some(4, position_side="long"))) == ""
    assert verdict_of(gate_sign_votes(told, mixed)) == ""
    assert gate_sign_votes(told, some(position_side="long") + some(position_side="short")) == []


def test_a_side_of_gate_that_was_read_by_a_verdict_is_read_back():
    told = some(position_side="long")

    assert [as_order(row, "position").position_side for row in told] == ["short"] * 6
    assert [as_order(row, verdict) for row in told for verdict in ("order", "")] == [row for row in told for _ in "12"]


def bitget_rows(unit, price=200.0, count=6):
    """As the decoder reads them: by `quote`, whatever the unit is."""
    coins = [1.5 + n for n in range(count)]
    amounts = {"quote": [one * price for one in coins], "base": coins, "other": [7e9] * count}[unit]
    return [
        a_liquidation(instrument="X", exchange_ms=1_000 * n, price=price, quantity=one / price, notional_usd=one)
        for n, one in enumerate(amounts)
    ]


def bitget_twins(price=200.0, count=6):
    coins = [1.5 + n for n in range(count)]
    return [
        a_liquidation(instrument="X", exchange_ms=1_000 * n, price=price, quantity=one, notional_usd=one * price)
        for n, one in enumerate(coins)
    ]


@pytest.mark.parametrize(("unit", "verdict"), [("quote", "quote"), ("base", "base"), ("other", "")])
def test_the_unit_of_bitget_is_quote_where_dollars_agree_and_base_where_amounts_do(unit, verdict):
    assert verdict_of(bitget_unit_votes(bitget_rows(unit), bitget_twins())) == verdict


def test_the_unit_of_bitget_stays_open_with_few_twins_and_where_a_coin_is_a_dollar():
    assert verdict_of(bitget_unit_votes(bitget_rows("quote", count=4), bitget_twins())) == ""
    assert bitget_unit_votes(bitget_rows("quote", price=1.1), bitget_twins(price=1.1)) == []


def test_a_row_of_bitget_with_several_twins_says_nothing():
    others = [a_liquidation(instrument="X", exchange_ms=0, price=200.0, quantity=99.0, notional_usd=19_800.0)]

    assert len(bitget_unit_votes(bitget_rows("quote"), bitget_twins() + others)) == 5


def test_an_amount_of_bitget_that_was_read_as_coins_is_read_back_as_dollars():
    read_as_base = a_liquidation(quantity=3.0, price=200.0, notional_usd=600.0)

    row = as_quote(read_as_base, "base")

    assert (row.quantity, row.notional_usd) == (3.0 / 200.0, 3.0)
    assert as_quote(read_as_base, "quote") == read_as_base


def test_the_recorded_liquidations_of_bitget_are_round_numbers_of_coins_when_read_as_dollars():
    line = recorded("bitget/fixtures/liq_oi_bitget_futures_v3_tardis.jsonl").read_bytes().splitlines()[1]

    rows = [record for record in decode("bitget", line) if isinstance(record, Liquidation)]

    assert rows
    assert all(f"{row.quantity:.9f}" == f"{round(row.quantity, 2):.9f}" for row in rows)


def test_two_orders_of_one_contract_in_one_second_lift_the_cap_of_okx():
    spread, burst = some(), some(1) + some(1, price=61_000.0)

    assert okx_cap_votes(spread) == []
    assert okx_cap_votes(some(1) * 3) == []  # one order told again
    assert verdict_of(okx_cap_votes(burst), enough=1) == "lifted"


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [([2.0, 1.98, 2.01, 2, 2], "both"), ([1.0] * 5, "one"), ([2.0] * 4, ""), ([2, 2, 2, 2, 1], ""), ([3.0] * 5, "")],
)
def test_the_sides_of_bybit_show_in_the_ratio(ratios, verdict):
    assert verdict_of(bybit_sides_votes(ratios)) == verdict


def test_ratios_of_bybit_come_from_its_most_traded_symbols():
    row = {"symbol": "X", "lastPrice": "1", "openInterest": "10", "singleOpenInterest": "5", "turnover24h": "9"}
    small = {**row, "openInterest": "1", "singleOpenInterest": "1", "turnover24h": "1"}
    rows = [small, *[row] * 20, {**row, "singleOpenInterest": "0"}, {**row, "singleOpenInterest": None}]
    read = BybitData().single_ratios().read

    assert read(encoded({"retCode": 0, "result": {"list": rows}}), 0).rows == (2.0,) * 20
    with pytest.raises(FrameError):
        read(b"{}", 0)


def test_marks_on_public_trades_are_confirmed_by_known_liquidations():
    known = some(position_side="long")
    marked = some(position_side="long", uncertain="feed")

    assert verdict_of(hyperliquid_feed_votes(known + marked)) == "confirmed"
    assert verdict_of(hyperliquid_feed_votes(known + some(position_side="short", uncertain="feed"))) == ""
    assert verdict_of(hyperliquid_feed_votes(known + marked[:4])) == ""
