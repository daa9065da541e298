import pytest

from intelligence.assets import unit_of


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
