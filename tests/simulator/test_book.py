import pytest

from simulator.assets import ASSETS
from simulator.book import Book, OpenCoins
from simulator.listings import listings_of
from simulator.positions import Position
from simulator.prices import Price, StepSize
from tests.simulator.serving import START_MS

STEP = StepSize.of(0.1)


def a_book(*triggers: float, is_long: bool = True, usd: float = 5_000.0) -> Book:
    """A still market at 100 USD, 1 % deep for 10,000 USD, with one position for each trigger."""
    asset = next(asset for asset in ASSETS if asset.name == "SOL")
    book = Book(
        asset=asset,
        listings=listings_of(asset, ["bybit"]),
        price=Price(100.0, daily_volatility=0.0, beta=1.0, depth_usd=1e6),
        basis={"bybit": 0.0},
        funding_rate=0.0,
        long_share=0.5,
        open_coins={"bybit": OpenCoins(hedged=1000.0)},
    )
    for number, trigger in enumerate(triggers):
        book.add(a_position(number, trigger, is_long=is_long, quantity=usd / 100))
    return book


def a_position(position_id: int, trigger: float, *, is_long: bool, quantity: float) -> Position:
    return Position(
        position_id=position_id,
        venue="bybit",
        is_long=is_long,
        entry=100.0,
        quantity=quantity,
        leverage=50,
        maintenance_rate=0.01,
        liquidation_price=trigger,
        bankruptcy_price=98.0 if is_long else 102.0,
        trigger=trigger,
        opened_ms=START_MS,
    )


def liquidated(book: Book, *, moves_price: bool, steps: int = 300) -> list[int]:
    found = []
    for _ in range(steps):
        book.price.move(STEP, 0.0, 0.0)
        found += [book.liquidate(row, START_MS, moves_price=moves_price).position_id for row in book.take_reached()]
    return found


def test_one_liquidation_reaches_the_next_by_its_push_on_the_price():
    ladder = (99.9, 99.6, 99.3, 99.0, 90.0)

    pushed, unmoved = a_book(*ladder), a_book(*ladder)
    for book in (pushed, unmoved):
        book.price.fair = 99.85

    assert liquidated(pushed, moves_price=True) == [0, 1, 2, 3]
    assert liquidated(unmoved, moves_price=False) == [0]


def test_shorts_are_reached_from_below_nearest_first():
    book = a_book(101.0, 100.2, 100.5, is_long=False)
    book.price.fair = 100.6

    assert liquidated(book, moves_price=False) == [1, 2]


def test_a_closed_position_is_never_liquidated():
    book = a_book(99.9, 99.8)
    book.remove(book.positions[0])
    book.price.fair = 99.0

    assert liquidated(book, moves_price=False) == [1]


def test_a_liquidation_closes_open_contracts():
    book = a_book(99.9, 99.8)
    before = book.open_coins["bybit"].one_side
    book.price.fair = 99.85

    liquidated(book, moves_price=False)

    assert before - book.open_coins["bybit"].one_side == pytest.approx(50.0)


def test_what_a_move_would_liquidate_is_counted_by_side():
    book = a_book(99.0, 98.0, 95.0)

    assert book.liquidations_within(0.03, is_long=True) == pytest.approx(10_000)
    assert book.liquidations_within(0.03, is_long=False) == 0
