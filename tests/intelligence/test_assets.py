import pytest

from intelligence.assets import Quote, judge_mappings, unit_of


@pytest.mark.parametrize(
    ("base", "asset", "multiplier"),
    [
        ("BTC", "BTC", 1),
        ("1000PEPE", "PEPE", 1_000),
        ("10000SATS", "SATS", 10_000),
        ("100000WHY", "WHY", 100_000),
        ("1000000MOG", "MOG", 1_000_000),
        ("10000000AIDOGE", "AIDOGE", 10_000_000),
        ("1MBABYDOGE", "BABYDOGE", 1_000_000),
        ("1000NEIROCTO", "NEIROCTO", 1_000),
        ("SHIB1000", "SHIB", 1_000),
        ("SHIB10000", "SHIB", 10_000),
        ("kPEPE", "PEPE", 1_000),
        ("kSHIB", "SHIB", 1_000),
    ],
)
def test_a_scaled_name_is_read_as_the_coin_and_its_multiplier(base, asset, multiplier):
    assert unit_of(base) == (asset, multiplier)


@pytest.mark.parametrize(
    "base",
    [
        "1INCH",
        "0G",
        "2Z",
        "4",
        "4STOCK",
        "1000X",
        "X1000",
        "1MX",
        "KAS",
        "kX",
        "kaspa",
        "LUNA2",
        "1000",
        "",
        "币安人生",
    ],
)
def test_digits_and_letters_that_belong_to_a_name_stay(base):
    assert unit_of(base) == (base, 1)


def test_a_leading_m_is_a_million_only_where_the_venue_lists_the_name():
    listed = frozenset({"MBABYDOGE"})

    assert unit_of("MBABYDOGE", in_millions=listed) == ("BABYDOGE", 1_000_000)
    assert unit_of("MANA", in_millions=listed) == ("MANA", 1)
    assert unit_of("MBABYDOGE") == ("MBABYDOGE", 1)


def test_the_longest_multiplier_is_taken():
    assert unit_of("10000NEX") == ("NEX", 10_000)


def quote(venue, asset="PEPE", *, multiplier=1.0, price=0.00001, turnover_usd=1e6):
    return Quote(venue, f"{asset}@{venue}", asset, multiplier, price, turnover_usd)


def judged(*quotes):
    accepted, rejected = judge_mappings(quotes)
    return [one.venue for one in accepted], [(one.quote.venue, one.reason) for one in rejected]


def test_a_scale_stands_where_the_scaled_prices_agree():
    assert judged(quote("binance", multiplier=1000, price=0.0000102), quote("okx")) == (["binance", "okx"], [])


def test_a_name_that_is_something_else_elsewhere_is_rejected():
    quotes = quote("binance", "WEN"), quote("bybit", "WEN"), quote("bitget", "WEN", price=12.5, turnover_usd=1e9)

    assert judged(*quotes) == (["binance", "bybit"], [("bitget", "price")])


def test_between_two_that_disagree_the_larger_turnover_counts():
    quotes = quote("okx", "TST", price=1.0), quote("gate", "TST", price=1.04, turnover_usd=2e6)

    assert judged(*quotes) == (["gate"], [("okx", "price")])


def test_a_scale_that_no_other_venue_shows_is_unproven_and_a_plain_name_may_stand_alone():
    alone = quote("bybit", "CAT", multiplier=1000)
    twice = quote("bybit", "CAT", multiplier=1000), quote("bybit", "CAT", multiplier=1000)

    assert judged(alone) == ([], [("bybit", "unproven")])
    assert judged(*twice)[0] == []
    assert judged(quote("bybit", "BTC")) == (["bybit"], [])


def test_a_wrong_scale_is_off_by_its_factor():
    quotes = quote("binance", "NEIRO", multiplier=1000, price=1e-6), quote("okx", "NEIRO"), quote("gate", "NEIRO")

    assert judged(*quotes) == (["okx", "gate"], [("binance", "price")])
