"""Which contracts are kept out, over several looks at the prices."""

from intelligence.assets import Quote
from intelligence.mappings import Contract, Mappings

VENUES = ("binance", "bybit", "okx")


def quote(venue, asset="WEN", price=1.0, *, multiplier=1.0, turnover_usd=1e6):
    return Quote(venue, asset, asset, multiplier, price, turnover_usd)


def look(mappings, *quotes, unheard=(), gone=()):
    listed = {Contract(one.venue, one.instrument) for one in quotes} | set(mappings.rejected)
    return mappings.judge(quotes, listed - set(gone), unheard)


def names(judgement):
    return [(one.quote.venue, one.quote.instrument) for one in judgement.rejected]


AGREED = (quote("binance"), quote("bybit"), quote("okx", price=1.02))
PARTED = (quote("binance"), quote("bybit"), quote("okx", price=1.10))


def test_a_contract_at_odds_from_the_first_look_on_is_out_at_once():
    mappings = Mappings()

    assert names(look(mappings, *PARTED)) == [("okx", "WEN")]
    assert set(mappings.rejected) == {("okx", "WEN")}


def test_a_contract_that_was_right_goes_only_when_two_looks_in_a_row_find_it_wrong():
    mappings = Mappings()
    look(mappings, *AGREED)

    assert [names(look(mappings, *one)) for one in (PARTED, AGREED, PARTED, PARTED)] == [[], [], [], [("okx", "WEN")]]


def test_it_is_told_once_and_is_back_as_soon_as_it_agrees():
    mappings = Mappings()
    look(mappings, *PARTED)

    assert names(look(mappings, *PARTED)) == []
    assert look(mappings, *AGREED).accepted == (("okx", "WEN"),)
    assert mappings.rejected == {}


def test_an_asset_that_a_silent_venue_lists_keeps_its_verdicts():
    mappings = Mappings()
    look(mappings, *PARTED)

    judged = look(mappings, quote("okx", price=1.10), quote("binance", "BTC"), unheard={"WEN"})

    assert (judged.rejected, judged.accepted) == ((), ())
    assert set(mappings.rejected) == {("okx", "WEN")}


def test_a_venue_whose_prices_are_all_wrong_rejects_nobody():
    """A frozen list of prices: the others, of smaller turnover where only two list an asset, must not go for it."""
    frozen = [quote("binance", f"A{number}", 1.5, turnover_usd=1e9) for number in range(10)]
    others = [quote(venue, f"A{number}") for number in range(10) for venue in ("bybit", "okx")[: 1 + number % 2]]
    mappings = Mappings()

    judged = look(mappings, *frozen, *others, *PARTED[1:], quote("gate", price=1.0))

    assert names(judged) == [("okx", "WEN")]
    assert judged.out_of_line == {"binance": 5}


def test_a_scaled_name_that_no_other_venue_shows_stays():
    assert names(look(Mappings(), quote("bybit", "CAT", multiplier=1000.0))) == []


def test_a_delisted_contract_is_forgotten():
    mappings = Mappings()
    look(mappings, *PARTED)

    look(mappings, *AGREED[:2], gone={("okx", "WEN")})

    assert mappings.rejected == {}


def test_a_successor_goes_on_with_what_was_kept_out():
    before = Mappings()
    look(before, *PARTED)

    after = Mappings(before.rejected.values())

    assert after.rejected == before.rejected
    assert names(look(after, *PARTED)) == []
