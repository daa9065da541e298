import pytest

from intelligence.thresholds.static import StaticThresholds


@pytest.mark.parametrize(
    ("asset", "single_usd"), [("BTC", 100_000), ("ETH", 50_000), ("SOL", 25_000), ("DOGE", 10_000), ("PEPE", 10_000)]
)
def test_given_thresholds_hold_and_a_cascade_is_five_times_the_single_one(asset, single_usd):
    thresholds = StaticThresholds()

    assert thresholds.single(asset).value == single_usd
    assert thresholds.cascade(asset).value == 5 * single_usd


def test_a_threshold_names_its_source_and_what_it_was_made_of():
    cascade = StaticThresholds(single_usd={"BTC": 7.0}, cascade_multiple=3.0).cascade("BTC")

    assert (cascade.value, cascade.source) == (21.0, "static")
    assert cascade.factors == (("single_usd", 7.0), ("multiple", 3.0))
