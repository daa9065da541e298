import pytest

from simulator.assets import ASSETS
from simulator.listings import VENUES, listings_of

BY_NAME = {asset.name: listings_of(asset, VENUES) for asset in ASSETS}


@pytest.mark.parametrize(
    ("asset", "venue", "symbol", "coins_per_unit"),
    [
        ("PEPE", "binance", "1000PEPEUSDT", 1000),
        ("PEPE", "bybit", "1000PEPEUSDT", 1000),
        ("PEPE", "okx", "PEPE-USDT-SWAP", 10_000_000),
        ("SHIB", "binance", "1000SHIBUSDT", 1000),
        ("SHIB", "bybit", "SHIB1000USDT", 1000),
        ("SATS", "bybit", "10000SATSUSDT", 10_000),
        ("BTC", "okx", "BTC-USDT-SWAP", 0.01),
        ("1INCH", "binance", "1INCHUSDT", 1),
    ],
)
def test_multipliers_follow_the_venues_naming(asset, venue, symbol, coins_per_unit):
    listing = BY_NAME[asset][venue]

    assert listing.symbol == symbol
    assert listing.coins_per_unit == coins_per_unit


def test_there_are_more_than_fifty_assets_and_the_given_defaults_are_among_the_default_fifty():
    assert len(ASSETS) >= 50
    assert {"BTC", "ETH", "SOL", "ADA", "DOT"} <= {asset.name for asset in ASSETS[:50]}


@pytest.mark.parametrize("asset", ASSETS[:64], ids=lambda asset: asset.name)
def test_prices_and_sizes_of_every_contract_survive_the_wire(asset):
    for listing in BY_NAME[asset.name].values():
        coins = listing.quantised(20_000 / asset.price_usd)

        assert float(listing.size(coins)) * listing.coins_per_unit == pytest.approx(coins, rel=1e-9)
        assert coins * asset.price_usd == pytest.approx(20_000, rel=0.01)
        assert float(listing.price(asset.price_usd)) / listing.multiplier == pytest.approx(asset.price_usd, rel=1e-4)
        assert "e" not in listing.price(asset.price_usd) + listing.size(coins) + listing.tick + listing.step
