import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.answers.funding import funding_text, rate_8h
from intelligence.answers.layout import table
from intelligence.answers.liquidations import liquidations_text, market_liquidations_text, nearest_span_s
from intelligence.answers.open_interest import open_interest_text
from intelligence.answers.price import price_text
from intelligence.answers.profile import profile_text
from intelligence.answers.volume import cvd_text, volume_text
from intelligence.asset_market import AssetMarket
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.history import Bar, History
from intelligence.market import Coverage, PositionSide
from tests.intelligence.builders import T0, a_liquidation, a_mark, an_open_interest
from tests.telegram_stand import tdlib

HOUR_MS = 3_600_000
PAGES = {
    "price": price_text,
    "volume": volume_text,
    "cvd": cvd_text,
    "oi": open_interest_text,
    "profile": profile_text,
    "liquidations": lambda view, _h, s: liquidations_text(view, s),
    "funding": lambda view, _h, _s: funding_text(view),
}


def a_market(asset="SOL", *, marks=(), interests=(), liquidations=(), trades=(), feeds=None):
    market = AssetMarket(asset)
    if feeds is not None:
        market.feeds(feeds)
    for mark in marks:
        market.mark(mark)
    for record in interests:
        market.open_interest(record)
    market.liquidations(liquidations)
    if trades:
        market.trades(*zip(*trades, strict=True), received_ms=T0)
    return market


def all_healthy(*venues):
    return {(venue, kind): FeedHealth(Health.HEALTHY) for venue in venues for kind in FeedKind}


def a_history(closes=(), *, points=None, step_ms=60_000, interval="1m", usd=1_000.0):
    """Bars that end at T0, oldest first, half of each bought by takers."""
    opened = (T0 - step_ms * (len(closes) - index) for index in range(len(closes)))
    bars = tuple(
        Bar(at_ms, close, usd / close, usd, usd / close / 2) for at_ms, close in zip(opened, closes, strict=True)
    )
    return History(reference=("binance", "SOLUSDT"), bars={interval: bars}, open_interest=points or {})


def first(text):
    return tdlib.parse(text, "HTML").plain.splitlines()[0]


def plain(text):
    verdict = tdlib.parse(text, "HTML")
    assert verdict.error == ""
    return verdict.plain


# -- price ------------------------------------------------------------------------------------------------------------


def test_price_is_the_median_of_what_comes_and_a_stale_venue_is_shown_apart_with_its_reason():
    feeds = all_healthy("binance", "bybit") | {
        ("okx", FeedKind.MARK_PRICES): FeedHealth(Health.STALE, "silent for 90 s")
    }
    marks = [a_mark(venue=venue, price=price) for venue, price in (("binance", 140.0), ("bybit", 142.0), ("okx", 99.0))]

    text = plain(price_text(a_market(marks=marks, feeds=feeds).view(T0 + 2_000), None))

    assert text.startswith("SOL $141.00")
    assert "OKX      $99.00 2 s!" in text
    assert "! OKX stale: silent for 90 s" in text
    assert "Venues lie 1.42 % apart" in text


def test_price_tells_what_it_did_since_the_bar_that_was_over_then():
    history = a_history([100.0] * 61)
    view = a_market(marks=[a_mark(price=110.0)]).view(T0)

    assert "1 h +10.00 %" in price_text(view, history)
    assert "24 h" not in price_text(view, history)


def test_price_says_nothing_of_a_span_with_a_gap_at_its_beginning():
    view = a_market(marks=[a_mark(price=110.0)]).view(T0 + 10 * HOUR_MS)

    assert "not known yet" in price_text(view, a_history([100.0] * 61), 3_600)


# -- volume and CVD ---------------------------------------------------------------------------------------------------


def test_volume_and_cvd_of_a_quarter_of_an_hour_over_all_venues():
    trades = [(T0 - 900_000, 100.0, 0.0), (T0, 100.0, 3.0), (T0, 100.0, -1.0)]
    view = a_market(trades=trades).view(T0)

    assert first(volume_text(view, None)) == "SOL volume $400, takers bought 50 % net in 15 min"
    assert first(cvd_text(view, None)) == "SOL CVD +$200, takers bought 50 % net in 15 min"


def test_longer_volume_is_of_one_contract_by_its_bars_and_says_so():
    view = a_market(trades=[(T0, 100.0, 3.0)]).view(T0)

    text = plain(volume_text(view, a_history([100.0] * 60), 3_600))

    assert text.startswith("SOL volume $60K, takers even in 1 h on Binance alone")
    assert "* Binance SOLUSDT alone, until 22:14:00 UTC" in text


def an_hour_of_minutes(*, lost=0):
    """Each brings $300 bought and $100 sold; the oldest `lost` were not received."""
    market, from_ms = AssetMarket("SOL"), T0 - HOUR_MS
    market.begin_minutes(from_ms)
    for minute in range(lost, 61):
        at_ms = from_ms + 60_000 * minute
        market.trades([at_ms, at_ms], [100.0, 100.0], [3.0, -1.0], received_ms=at_ms)
        market.close_minutes(at_ms, None)
    return market.view(T0)


def test_longer_volume_is_of_all_venues_where_its_minutes_were_received():
    text = plain(volume_text(an_hour_of_minutes(), a_history([100.0] * 60), 3_600))

    assert text.startswith("SOL volume $24.4K, takers bought 50 % net in 1 h\n")


def test_a_contract_alone_stands_in_where_too_many_minutes_are_missing():
    view = an_hour_of_minutes(lost=20)

    assert "in 1 h on Binance alone" in first(volume_text(view, a_history([100.0] * 60), 3_600))
    assert first(volume_text(view, None, 3_600)).startswith("SOL volume ≥$16")


def test_the_profile_of_an_hour_is_of_all_venues_minute_by_minute():
    text = plain(profile_text(an_hour_of_minutes(), a_history([100.0] * 60), 3_600))

    assert text.startswith("SOL volume profile of 1 h: POC $100.0")
    assert "Each minute counted at its close" in text
    assert "$23.6K since 21:14:00 UTC" in text


def test_the_profile_is_of_one_contract_where_minutes_are_missing():
    view = an_hour_of_minutes(lost=20)

    assert "Binance SOLUSDT alone, each minute" in plain(profile_text(view, a_history([100.0] * 60), 3_600))
    assert "$15.2K since 21:34:00 UTC" in plain(profile_text(view, None, 3_600))


def test_bars_may_end_some_minutes_ago_but_not_long_ago():
    history = a_history([100.0] * 60)
    market = a_market(trades=[(T0, 100.0, 3.0)])

    assert "1 h" in volume_text(market.view(T0 + 900_000), history)
    assert "1 h" not in volume_text(market.view(T0 + 1_800_000), history)


def test_volume_that_began_a_minute_ago_is_called_a_lower_bound():
    text = plain(volume_text(a_market(trades=[(T0, 100.0, 3.0)]).view(T0 + 60_000), None))

    assert text.startswith("SOL volume ≥$300, takers bought 100 % net in 15 min")
    assert "≥ a lower bound: trades are known since 22:14:00 UTC" in text


def test_span_with_missing_bars_is_not_told():
    view = a_market(trades=[(T0, 100.0, 3.0)]).view(T0)

    assert first(volume_text(view, a_history([100.0] * 30), 3_600)) == "SOL volume not known over 1 h"


# -- open interest ----------------------------------------------------------------------------------------------------


def test_open_interest_changes_in_coins_and_is_never_added():
    points = {("bybit", "SOL-P"): ((T0 - 900_000, 500.0),), ("okx", "SOL-P"): ((T0 - 900_000, 1_000.0),)}
    interests = [an_open_interest(), an_open_interest(venue="okx", uncertain="sides")]

    text = plain(open_interest_text(a_market(interests=interests, marks=[a_mark()]).view(T0), a_history(points=points)))

    assert text.startswith("SOL open interest +50.0 % in 15 min\nMedian of 2 contracts")
    assert "Bybit $140K +100.0 % 0 s" in text
    assert "* OKX: it is not known whether both sides are counted" in text
    assert "$280K" not in text


def test_open_interest_without_a_past_says_that_no_change_is_known():
    view = a_market(interests=[an_open_interest()]).view(T0)

    assert first(open_interest_text(view, None)) == "SOL open interest no change known over 15 min"


def test_a_point_long_before_the_span_does_not_stand_for_its_beginning():
    points = {("bybit", "SOL-P"): ((T0 - 9_000_000, 500.0),)}

    assert "no change known" in open_interest_text(
        a_market(interests=[an_open_interest()]).view(T0), a_history(points=points)
    )


# -- liquidations -----------------------------------------------------------------------------------------------------


def test_capped_feeds_make_lower_bounds():
    liquidations = [
        a_liquidation(usd=30_555.0, venue="binance", coverage=Coverage.CAPPED),
        a_liquidation(usd=10_000.0, position_side=PositionSide.SHORT),
    ]

    text = plain(liquidations_text(a_market(liquidations=liquidations).view(T0)))

    assert text.startswith("SOL liquidated in 1 h: longs ≥$30.5K, shorts $10K")
    assert "Binance≥ $30.5K     $0 1" in text


def test_liquidations_in_doubt_stand_apart():
    market = a_market()
    market.doubtful_liquidations([a_liquidation(venue="gate", uncertain="position_side")], after_reconnect=False)

    text = liquidations_text(market.view(T0))

    assert first(text) == "SOL liquidated in 1 h: nothing seen"
    assert "Not counted, in doubt: Gate $30K (position_side)" in text


@pytest.mark.parametrize(("asked", "told"), [(1, 60), (60, 60), (61, 300), (7_200, 14_400), (999_999, 86_400)])
def test_the_span_that_holds_what_was_asked_for_is_told(asked, told):
    assert nearest_span_s(asked) == told


def test_the_market_has_its_largest_first():
    sums = {
        asset: a_market(liquidations=[a_liquidation(usd=usd)]).view(T0).liquidations
        for asset, usd in (("SOL", 1e4), ("BTC", 3e4), ("QUIET", 0.0))
    }

    lines = plain(market_liquidations_text(sums, T0)).splitlines()

    assert lines[0] == "Liquidated in 1 d: $40K in 2 assets"
    assert [line.split()[0] for line in lines[2:4]] == ["BTC", "SOL"]


# -- funding ----------------------------------------------------------------------------------------------------------


def test_funding_of_an_hour_and_of_eight_compare():
    hourly, usual = a_mark(venue="hyperliquid", funding_rate=0.0001), a_mark(funding_rate=0.0008)

    assert rate_8h(hourly) == rate_8h(usual)
    assert first(funding_text(a_market(marks=[hourly, usual]).view(T0))) == "SOL funding +0.0800 % in 8 h, longs pay"


def test_negative_funding_is_paid_by_shorts():
    assert "shorts pay, extreme" in funding_text(a_market(marks=[a_mark(funding_rate=-0.002)]).view(T0))


# -- all --------------------------------------------------------------------------------------------------------------


def a_full_market(asset="SOL"):
    venues = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")
    return a_market(
        asset,
        marks=[
            a_mark(venue=venue, asset=asset, price=64_301.9, funding_rate=-0.00012, next_funding_ms=T0 + HOUR_MS)
            for venue in venues
        ],
        interests=[
            an_open_interest(venue=venue, instrument=f"{venue}-{n}", coins=98_123.4) for venue in venues for n in "ab"
        ],
        liquidations=[a_liquidation(usd=1_234_567.0, venue=venue, coverage=Coverage.CAPPED) for venue in venues],
        trades=[(T0, 64_000.0 + 20.0 * step, (-1.0) ** step * 100.0) for step in range(60)],
        feeds=all_healthy(*venues),
    )


@pytest.mark.parametrize("page", PAGES)
def test_tables_fit_a_phone(page):
    text = PAGES[page](a_full_market().view(T0 + 61_000), None, None)

    rows = text.partition("<pre>")[2].partition("</pre>")[0].splitlines()
    assert rows
    assert max(map(len, rows)) <= 36


@pytest.mark.parametrize("page", PAGES)
def test_a_market_of_which_nothing_is_known_is_answered(page):
    text = plain(PAGES[page](AssetMarket("SOL").view(T0), None, None))

    assert text.startswith("SOL")
    assert "Updated 22:14:00 UTC" in text


@pytest.mark.parametrize("page", PAGES)
@given(
    asset=st.text(min_size=1, max_size=30),
    at_ms=st.integers(T0, T0 + 10 * 86_400_000),
    span_s=st.sampled_from([None, 1, 60, 900, 3_600, 86_400, 2_592_000]),
)
def test_every_page_is_html_that_telegram_takes(page, asset, at_ms, span_s):
    verdict = tdlib.parse(PAGES[page](a_full_market(asset).view(at_ms), a_history([1.0] * 100), span_s), "HTML")

    assert (verdict.error, verdict.units <= 4096) == ("", True)


def test_table_is_empty_without_rows():
    assert table([]) == ""
