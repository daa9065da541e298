import pytest

from actors.exchanges.bybit_rest import single_ratios
from actors.exchanges.exchange import FrameError
from actors.exchanges.verdicts import (
    bitget_unit_of_steps,
    bitget_unit_verdict,
    bybit_sides_verdict,
    gate_sign_verdict,
    hyperliquid_feed_verdict,
    okx_cap_verdict,
    units_problem,
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
    assert gate_sign_verdict(some(position_side="long"), some(position_side=listed)) == verdict


def test_the_sign_of_gate_stays_open_without_enough_or_with_mixed_pairs():
    told = some(position_side="long")
    mixed = some(3, position_side="long") + some(position_side="short")[3:]

    assert gate_sign_verdict(told, some(4, position_side="long")) == ""
    assert gate_sign_verdict(told, mixed) == ""
    assert gate_sign_verdict(told, some(position_side="long") + some(position_side="short")) == ""


def test_the_unit_of_bitget_is_quote_where_dollars_agree_and_base_where_amounts_do():
    rest = some(price=200.0)
    rest = [a_liquidation(**fields(row), notional_usd=row.quantity * 200) for row in rest]
    as_quote = [a_liquidation(**fields(row), notional_usd=row.notional_usd) for row in rest]
    as_base = [a_liquidation(**fields(row), notional_usd=row.quantity) for row in rest]
    neither = [a_liquidation(**fields(row), notional_usd=7e9) for row in rest]

    assert bitget_unit_verdict(as_quote, rest) == "quote"
    assert bitget_unit_verdict(as_base, rest) == "base"
    assert bitget_unit_verdict(neither, rest) == ""
    assert bitget_unit_verdict(as_quote[:4], rest) == ""


def fields(row):
    return {
        "instrument": row.instrument,
        "exchange_ms": row.exchange_ms,
        "quantity": row.quantity,
        "position_side": row.position_side,
    }


def read_as_quote(amounts, price):
    return [a_liquidation(quantity=amount / price, notional_usd=amount) for amount in amounts]


def test_the_unit_of_bitget_shows_in_round_numbers_of_coins():
    coins = [83.1, 286.5, 12.0, 7.25, 1.5]
    price = 0.500280739469

    assert bitget_unit_of_steps(read_as_quote([one * price for one in coins], price)) == "quote"
    assert bitget_unit_of_steps(read_as_quote(coins, price)) == "base"
    assert bitget_unit_of_steps(read_as_quote(coins, 1.0)) == ""


def test_every_recorded_liquidation_of_bitget_says_quote():
    line = recorded("bitget/fixtures/liq_oi_bitget_futures_v3_tardis.jsonl").read_bytes().splitlines()[1]

    rows = [record for record in decode("bitget", line) if isinstance(record, Liquidation)]

    assert bitget_unit_of_steps(rows * 3) == "quote"


def test_two_orders_of_one_contract_in_one_second_lift_the_cap_of_okx():
    spread, burst = some(), some(1) + some(1, price=61_000.0)

    assert okx_cap_verdict(spread) == ""
    assert okx_cap_verdict(some(1) * 3) == ""  # one order told again
    assert okx_cap_verdict(burst) == "lifted"


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [([2.0, 1.98, 2.01, 2, 2], "both"), ([1.0] * 5, "one"), ([2.0] * 4, ""), ([2, 2, 2, 2, 1], ""), ([3.0] * 5, "")],
)
def test_the_sides_of_bybit_show_in_the_ratio(ratios, verdict):
    assert bybit_sides_verdict(ratios) == verdict


def test_ratios_of_bybit_come_from_its_tickers():
    row = {"symbol": "BTCUSDT", "lastPrice": "1", "turnover24h": "1", "openInterest": "10"}
    rows = [{**row, "singleOpenInterest": "5"}, row, {**row, "singleOpenInterest": "0"}]

    assert single_ratios(encoded({"retCode": 0, "result": {"list": rows}})) == [2.0]
    with pytest.raises(FrameError):
        single_ratios(b"{}")


def test_a_wrong_contract_size_shows_in_the_dollars():
    assert units_problem("BTC-USDT-SWAP", 22_000.0, 60_000.0, 1.321e9) == ""
    assert "the venue says 1.32e+10" in units_problem("BTC-USDT-SWAP", 22_000.0, 60_000.0, 1.32e10)


def test_marks_on_public_trades_are_confirmed_by_known_liquidations():
    rows = some(position_side="long")
    known = {(row.instrument, row.exchange_ms): row.position_side for row in rows}

    assert hyperliquid_feed_verdict(rows, known) == "confirmed"
    assert hyperliquid_feed_verdict(some(position_side="short"), known) == ""
    assert hyperliquid_feed_verdict(rows[:4], known) == ""
