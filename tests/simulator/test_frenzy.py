"""A frenzy in the simulated market: what it does to volume, price and open interest, and that it comes on time."""

import math
from dataclasses import dataclass, field

import pytest

from simulator.frenzy import FIRST_AMONG, FIRST_S, LASTS_S
from simulator.market import Market, MarketRules
from tests.simulator.serving import START_MS

ASSETS = 12  # SOL, ADA and DOT are among them


def a_calm_market(**rules):
    return Market(seed=3, start_ms=START_MS, assets=ASSETS, rules=MarketRules(**({"frenzies": True} | rules)))


def open_coins(market):
    return {name: sum(coins.one_side for coins in book.open_coins.values()) for name, book in market.books.items()}


@dataclass
class Run:
    """Open coins of every asset before and after a run, and the coins that were traded in each second of it."""

    before: dict[str, float]
    after: dict[str, float] = field(default_factory=dict)
    traded: list[dict[str, float]] = field(default_factory=list)

    @property
    def crowded(self):
        """The asset whose open interest grew most."""
        return max(self.before, key=lambda name: self.after[name] / self.before[name])


@pytest.fixture(scope="module")
def run_with_a_frenzy():
    market = a_calm_market()
    run = Run(before=open_coins(market))
    for _ in range(int(FIRST_S[1] + LASTS_S[1]) + 10):
        market.step(1.0)
        second = dict.fromkeys(market.books, 0.0)
        for contract in market.flow.contracts.values():
            second[contract.book.asset.name] += math.fsum(trade.coins for trade in contract.prints)
        run.traded.append(second)
    run.after = open_coins(market)
    return run


def test_the_first_comes_to_a_liquid_asset_and_opens_a_fifth_or_more(run_with_a_frenzy):
    run = run_with_a_frenzy
    grown = {name: run.after[name] / run.before[name] for name in run.before}

    assert run.crowded in FIRST_AMONG
    assert 1.15 < grown.pop(run.crowded) < 1.6
    assert max(grown.values()) < 1.05


def test_no_more_is_opened_than_is_traded(run_with_a_frenzy):
    run, asset = run_with_a_frenzy, run_with_a_frenzy.crowded

    assert run.after[asset] - run.before[asset] < math.fsum(second[asset] for second in run.traded)


def test_its_volume_is_many_times_that_of_before(run_with_a_frenzy):
    run = run_with_a_frenzy
    coins = [second[run.crowded] for second in run.traded]
    calm, crowd = coins[: int(FIRST_S[0]) - 5], coins[int(FIRST_S[1]) + 5 : int(FIRST_S[0] + LASTS_S[0])]

    assert math.fsum(crowd) / len(crowd) > 10 * math.fsum(calm) / len(calm)


def test_until_the_first_begins_the_market_is_the_same_as_without():
    one, other = a_calm_market(), a_calm_market(frenzies=False)
    for market in (one, other):
        for _ in range(int(FIRST_S[0]) - 1):
            market.step(1.0)

    assert [book.price.last for book in one.books.values()] == [book.price.last for book in other.books.values()]
    assert one.liquidations == other.liquidations


def test_a_market_has_none_unless_it_is_asked_for():
    market = Market(seed=3, start_ms=START_MS, assets=ASSETS)
    for _ in range(int(FIRST_S[1]) + 20):
        market.step(1.0)

    assert {book.crowd for book in market.books.values()} == {1.0}
