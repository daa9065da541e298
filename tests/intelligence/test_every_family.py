"""What every family of alerts must say, by the detectors themselves: issue 5, part 2, sentence by sentence."""

import re
from functools import cache

import pytest

from intelligence.alerts import AlertKind, Stage
from intelligence.market import Coverage, PositionSide
from intelligence.wording import MAX_LINES, SEEN_CHARS, plain_text
from intelligence.zones.record import Tally
from intelligence.zones.telling import alert_of
from tests.intelligence.builders import T0, VENUES, a_burst, a_detection, a_mark, feed, of_kind
from tests.intelligence.detectors import test_market_wide, test_open_interest, test_volume_spike
from tests.intelligence.volume_minutes import WARM, burst
from tests.intelligence.zones.test_telling import an_approach

SCORE = "A2 of such alerts, 30 d: 71 % [61-80], base 20 %, n=84"  # how such alerts have done, which notifiers add


@cache
def alerts():
    """An alert of each family as its detector brings it."""
    prices = [*(a_mark(at_ms, 140.0) for at_ms in range(-61_000, 0, 1_000)), a_mark(0, 139.0)]
    found = feed(a_detection(), [*prices, *a_burst(coverage=Coverage.CAPPED), 180_000])
    detector = test_volume_spike.warm_detector()
    minutes = [burst(WARM + step, step, venues=("binance", "bybit")) for step in range(20)]
    told = (detector.take(minute, minute.to_ms + 3_000, VENUES) for minute in minutes)
    _, market = test_market_wide.opened()
    return {
        "liquidation": of_kind(found, AlertKind.LIQUIDATION)[0],
        "cascade": of_kind(found, AlertKind.CASCADE)[0],
        "cascade over": of_kind(found, AlertKind.CASCADE, Stage.ENDED)[0],
        "open interest": test_open_interest.run(test_open_interest.steps("binance", "bybit"))[0],
        "volume spike": next(alert for alert in told if alert is not None),
        "market-wide": market[-1].alert,
        "zone": alert_of(an_approach(), Tally(predicted=9, reached=5, baseline=4.0), now_ms=T0),
    }


FAMILIES = ("liquidation", "cascade", "cascade over", "open interest", "volume spike", "market-wide", "zone")
# What the first 40 characters say: asset, kind, direction, size.
SEEN = {
    "liquidation": ("SOL", "liquidated", "long", "$30K"),
    "cascade": ("SOL", "cascade", "longs", "$"),
    "cascade over": ("SOL", "cascade over", "longs", "$"),
    "open interest": ("SOL", "open interest", "+25.0", "25.0 %"),
    "volume spike": ("SOL", "volume", "bought 34 % net", "x usual"),
    "market-wide": ("Market-wide", "Market-wide", "longs", "5 of 30 assets"),
    "zone": ("SOL", "zone", "longs", "$100K"),
}
WINDOWED = {"cascade": "a minute", "open interest": "% in 5 min", "volume spike": "in 5 min", "market-wide": "in 5 min"}


def text(family, **how):
    return plain_text(alerts()[family], **how)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_forty_characters_carry_asset_kind_direction_and_size(family):
    seen = text(family, heading="")[:SEEN_CHARS]

    assert [word for word in SEEN[family] if word not in seen] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_has_more_than_eight_lines_and_none_is_empty_or_said_twice(family):
    lines = text(family, age_ms=900, score=SCORE).splitlines()

    assert len(lines) <= MAX_LINES
    assert len(set(lines)) == len(lines)
    assert all(lines)


@pytest.mark.parametrize("family", [one for one in FAMILIES if one != "zone"])
def test_threshold_with_its_unit_and_source_and_the_venues_are_said_whatever_else_is(family):
    lines = text(family, age_ms=900, score=SCORE).splitlines()

    (threshold,) = [line for line in lines if " its threshold " in line]
    assert re.search(r"^\d+(\.\d)?x its threshold (\$[\d.]+[KMB]?|[\d.]+ %|\d+ assets)", threshold)
    assert "static" in threshold
    assert any(re.search(r"\d of \d (able to report|venues)", line) for line in lines)
    assert SCORE in lines


@pytest.mark.parametrize("family", WINDOWED)
def test_a_threshold_of_a_window_says_which(family):
    assert WINDOWED[family] in next(line for line in text(family).splitlines() if " its threshold " in line)


def test_a_predicted_zone_says_from_which_size_on_it_is_told_and_by_which_record():
    lines = text("zone").splitlines()

    assert any("warned of from $50K" in line for line in lines)
    assert any("were reached 5 of 9 times" in line for line in lines)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_line_has_severity_local_time_age_and_id(family):
    alert = alerts()[family]

    last = text(family, age_ms=900, zone="Europe/Berlin").splitlines()[-1]

    assert re.fullmatch(rf"P[123], 2023-11-1\d \d\d:\d\d:\d\d CET \(0\.9 s ago\), id {alert.alert_id}", last)


def test_a_side_that_sold_or_was_short_is_said_so():
    detector = test_volume_spike.warm_detector()
    sold = {"buy_usd": 2.4e6, "sell_usd": 5.6e6}
    minutes = [burst(WARM + step, step, **sold) for step in range(20)]
    alert = next(found for minute in minutes if (found := detector.take(minute, minute.to_ms + 3_000, VENUES)))
    cascades = [
        test_market_wide.a_cascade(asset, index, position_side=PositionSide.SHORT)
        for index, asset in enumerate(test_market_wide.ASSETS[:5])
    ]
    market = test_market_wide.feed(test_market_wide.a_detector(), cascades)[-1].alert

    assert "sold 34 % net" in plain_text(alert)[:SEEN_CHARS]
    assert plain_text(market).startswith("Market-wide: shorts of 5 of 30 assets")
