"""Which silence is worth a new socket."""

from intelligence.feed_health import FeedKind, HealthRules
from intelligence.resubscribing import reason_to_subscribe_anew
from intelligence.silent_feeds import Silent, Source

RULES = HealthRules(reconnect_probability=1e-6, reconnect_assets=3, reconnect_brisk_per_s=0.5)


def silent(asset, chance, *, per_s=0.1, kind=FeedKind.TRADES):
    instrument = f"{asset}USDT" if asset else ""
    return Silent(Source("bybit", "bybit-trades-1", kind, asset, instrument), 1_739_502_302_000, chance, per_s)


def asset_named(*found):
    reason = reason_to_subscribe_anew(found, RULES)
    return None if reason is None else reason.source.asset or "all"


def test_one_thin_contract_alone_is_not():
    assert asset_named(silent("SAND", 1e-7)) is None


def test_one_thin_contract_is_once_two_could_say_no_more():
    assert asset_named(silent("SAND", 1e-13)) == "SAND"


def test_a_brisk_contract_is():
    assert asset_named(silent("SAND", 1e-9), silent("BTC", 1e-7, per_s=0.9)) == "BTC"


def test_several_assets_together_are():
    assert asset_named(silent("SAND", 1e-7), silent("ADA", 1e-8), silent("DOT", 1e-7)) == "ADA"
    assert asset_named(silent("SAND", 1e-7), silent("SAND", 1e-8), silent("DOT", 1e-7)) is None


def test_all_of_a_kind_are():
    assert asset_named(silent("SAND", 1e-9), silent("", 5e-5, per_s=40.0)) == "all"


def test_mark_prices_of_one_contract_are_not():
    assert asset_named(silent("BTC", 1e-20, per_s=1.0, kind=FeedKind.MARK_PRICES)) is None
