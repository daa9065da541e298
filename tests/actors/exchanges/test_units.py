"""Contracts whose size is not what the list says."""

import json

from actors.exchanges.exchange import Instrument
from actors.exchanges.registry import UNIT_FIGURES
from actors.exchanges.units import UnitFigures, UnitsBook
from actors.exchanges.verdicts import units_problem
from tests.actors.exchanges.frames import recorded


def figures(name="X", coins=22_000.0, price=60_000.0, usd=1.32e9):
    return UnitFigures(instrument=name, coins=coins, price=price, usd=usd)


def rounds(book, *lists):
    told = []
    for rows in lists:
        book.learn(rows)
        told.append(tuple(book.conclude()))
    return told


def test_a_wrong_contract_size_shows_in_the_dollars():
    assert units_problem("BTC-USDT-SWAP", 22_000.0, 60_000.0, 1.321e9) == ""
    assert "the venue says 1.32e+10" in units_problem("BTC-USDT-SWAP", 22_000.0, 60_000.0, 1.32e10)


def test_a_contract_is_excluded_when_two_rounds_find_it_wrong_and_told_once():
    book, wrong = UnitsBook(), [figures(usd=1.32e10), figures("Y")]

    assert rounds(book, wrong, wrong, wrong) == [(), ("X",), ()]
    assert book.excluded == {"X"}


def test_one_disagreement_alone_excludes_nothing():
    book = UnitsBook()

    assert rounds(book, [figures(usd=1.4e9)], [figures()], [figures(usd=1.4e9)]) == [(), (), ()]


def test_a_contract_that_agrees_again_counts_again_and_one_that_nobody_tells_of_does_not():
    book, wrong = UnitsBook(), [figures("X", usd=1.0e10), figures("Y", usd=1.0e10)]
    rounds(book, wrong, wrong)

    rounds(book, [figures("X")])

    assert book.excluded == {"Y"}


def test_figures_come_in_parts_and_the_smallest_are_not_compared():
    book = UnitsBook()
    parts = [UnitFigures(instrument="X", coins=2.0, usd=1.0e6), UnitFigures(instrument="X", price=60_000.0)]
    small = [figures("S", coins=1.0, price=100.0, usd=150.0)]

    assert rounds(book, parts + small, parts + small) == [(), ("X",)]


def test_the_recorded_statistics_of_gate_agree_to_the_dollar():
    recorded_rows = recorded("gate/fixtures/open_interest_msgparser.jsonl").read_bytes().splitlines()[1]
    one = Instrument(venue="gate", instrument="BTC_USDT", asset="BTC", contract_size=0.0001)

    (query,) = UNIT_FIGURES["gate"]({"BTC_USDT": one})
    rows = query.read(recorded_rows, 0).rows

    assert rows
    assert [units_problem("BTC_USDT", row.coins, row.price, row.usd, within=1e-6) for row in rows] == [""] * len(rows)


def test_okx_is_asked_for_interest_and_prices_of_all():
    one = Instrument(venue="okx", instrument="BTC-USDT-SWAP", asset="BTC", contract_size=0.01)
    interest, marks = UNIT_FIGURES["okx"]({one.instrument: one})
    row = {"instId": one.instrument, "oi": "2200000", "oiCcy": "22000", "oiUsd": "1320000000", "ts": "1790000000000"}
    book = UnitsBook()

    for query, data in ((interest, row), (marks, {"instId": one.instrument, "markPx": "66000"})) * 2:
        book.learn(query.read(json.dumps({"code": "0", "data": [data]}).encode(), 0).rows)
        if query is marks:
            told = book.conclude()

    assert "22000 coins at 66000" in told[one.instrument]
