"""What pictures are drawn from: bounded, of the last hours, and complete up to now."""

from msgspec.structs import replace

from intelligence.asset_market import AssetMarket
from intelligence.history import BarSpan
from intelligence.market import Kline, PositionSide
from intelligence.tape import MAX_CELLS, TAPE_MINUTES, Tape
from tests.intelligence.builders import T0, a_liquidation, a_minute, an_open_interest

MINUTE_MS = 60_000


def a_market(minutes=10):
    """A market whose trades cross T0 and go on for so many minutes."""
    market = AssetMarket("SOL")
    market.begin_minutes(T0)
    for second in range(minutes * 60):
        at_ms = T0 + second * 1000
        market.trades([at_ms], [140.0 + second % 60], [1.0], received_ms=at_ms)
        market.close_minutes(at_ms, None)
    return market


def a_bar(index):
    return Kline(
        venue="binance",
        instrument="SOLUSDT",
        asset="SOL",
        exchange_ms=T0 + index * MINUTE_MS,
        received_ms=T0 + 3_600_000,
        interval="1m",
        open=139.0,
        high=141.0,
        low=138.0,
        close=140.0,
        quantity=10.0,
        taker_buy_quantity=4.0,
        closed=True,
    )


def test_minutes_go_on_into_the_one_that_is_open():
    tape = a_market(10).tape(T0 + 600_000, 3_600).unpacked()

    assert [minute.from_ms for minute in tape.minutes] == [T0 + index * MINUTE_MS for index in range(10)]
    assert tape.minutes[-1][1:5] == (140.0, 199.0, 140.0, 199.0)
    assert tape.minutes[-1].buy_usd == sum(140.0 + second for second in range(60))


def test_tape_begins_with_its_period():
    tape = a_market(10).tape(T0 + 600_000, 240).unpacked()

    assert [minute.from_ms for minute in tape.minutes] == [T0 + index * MINUTE_MS for index in (6, 7, 8, 9)]


def test_bars_come_along_where_trades_do_not_reach_back():
    market = a_market(5)
    market.take_history(
        BarSpan(
            venue="binance",
            instrument="SOLUSDT",
            interval="1m",
            from_ms=T0 - 600_000,
            until_ms=T0,
            received_ms=T0 + 300_000,
            rows=tuple(a_bar(index) for index in range(-10, 0)),
        )
    )

    tape = market.tape(T0 + 300_000, 900).unpacked()

    assert tape.reference == ("binance", "SOLUSDT")
    assert [bar.open_ms for bar in tape.bars] == [T0 + index * MINUTE_MS for index in range(-10, 0)]
    assert market.tape(T0 + 300_000, 300).unpacked().bars == ()


def test_liquidations_of_the_open_minute_are_there():
    market = a_market(2)
    market.liquidations((a_liquidation(119_000, usd=5_000.0, position_side=PositionSide.SHORT),))

    (cell,) = market.tape(T0 + 120_000, 300).cells

    assert (cell.from_ms, cell.long_usd, cell.short_usd) == (T0 + MINUTE_MS, 0.0, 5_000.0)
    assert cell.low <= a_liquidation(119_000).price < cell.low * 1.0011


def test_liquidations_of_one_minute_and_band_are_one_cell():
    tape = Tape()
    tape.take(a_minute(liquidations=(a_liquidation(0, usd=1_000.0), a_liquidation(1, usd=2_000.0))))

    (cell,) = tape.cells(0, ())

    assert cell.long_usd == 3_000.0


def test_open_interest_of_each_contract_is_within_the_period():
    market = a_market(2)
    market.open_interest(an_open_interest(-600_000, 1.0))
    market.open_interest(an_open_interest(60_000, 2.0))

    (contract, points) = market.tape(T0 + 120_000, 300).unpacked().open_interest[0]

    assert contract == ("bybit", "SOL-P")
    assert points == ((T0 + 60_000, 2.0),)


def test_memory_is_bounded():
    tape = Tape()
    for index in range(TAPE_MINUTES + 50):
        burst = tuple(replace(a_liquidation(index * MINUTE_MS), price=100.0 * 1.002**step) for step in range(20))
        tape.take(a_minute(index, liquidations=burst))

    assert len(tape.cells(0, ())) == MAX_CELLS
    newest = max(cell.from_ms for cell in tape.cells(0, ()))
    assert newest == T0 + (TAPE_MINUTES + 49) * MINUTE_MS
