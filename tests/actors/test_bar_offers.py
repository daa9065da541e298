"""Which venue brings the bars of which assets."""

from actors.backfill_jobs import FIRST
from actors.bar_offers import REFERENCES, Offers

ALTS = tuple(f"A{number:03}" for number in range(400))


def all_offer(venue, assets=ALTS, venues=REFERENCES):
    offers = Offers(venue)
    for one in venues:
        offers.change(one, frozenset(assets))
    return offers


def test_of_many_assets_each_venue_brings_what_its_budget_allows():
    brought = {venue: sum(not all_offer(venue).is_taken(asset) for asset in ALTS) for venue in REFERENCES}

    assert sum(brought.values()) == len(ALTS)
    assert 170 <= brought["bybit"] <= 230
    assert all(45 <= brought[venue] <= 90 for venue in ("binance", "gate", "bitget"))
    assert brought["okx"] == brought["hyperliquid"] == brought["deribit"] == 0


def test_the_most_important_assets_come_from_the_venue_of_highest_rank():
    assert [asset for asset in FIRST if all_offer("binance", FIRST).is_taken(asset)] == []


def test_an_asset_keeps_its_venue_when_another_one_offers_no_more():
    others = tuple(venue for venue in REFERENCES if venue != "gate")
    bybits = {asset for asset in ALTS if not all_offer("bybit").is_taken(asset)}

    assert bybits < {asset for asset in ALTS if not all_offer("bybit", venues=others).is_taken(asset)}


def test_what_none_of_them_lists_another_venue_brings():
    assert not all_offer("okx", venues=("okx", "deribit")).is_taken("A000")


def test_a_venue_that_has_told_nothing_is_only_hoped_for_where_it_would_bring_the_bars():
    offers = all_offer("bybit", venues=("bybit", "gate", "bitget"))

    assert 45 <= sum(offers.may_be_taken(asset, {"binance"}) for asset in ALTS) <= 90
