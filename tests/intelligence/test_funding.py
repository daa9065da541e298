"""Funding as context: one unit for all venues, extreme by size or by the asset's own history."""

import pytest

from intelligence.funding import FundingTracker
from tests.intelligence.builders import T0, a_mark

HOUR = 3_600_000
BEFORE_THE_HOUR = 45 * 60_000  # after T0, which is 14 minutes past


def tell(tracker, rate, at_ms=0, **overrides):
    tracker.take(a_mark(at_ms, funding_rate=rate, **overrides))


def test_a_mark_without_a_rate_says_nothing():
    tracker = FundingTracker()
    tracker.take(a_mark())

    assert tracker.view(T0) is None


def test_an_hourly_rate_is_compared_as_that_of_eight_hours():
    tracker = FundingTracker(intervals_h={"hyperliquid": 1.0})
    tell(tracker, 0.0000125, venue="hyperliquid")

    assert tracker.view(T0).rate_8h == pytest.approx(0.0001)


def test_two_payment_times_show_the_interval():
    tracker = FundingTracker()
    tell(tracker, 0.0001, next_funding_ms=T0 + HOUR)
    tell(tracker, 0.0001, at_ms=HOUR + 1, next_funding_ms=T0 + 5 * HOUR)

    assert tracker.view(T0 + HOUR).rate_8h == pytest.approx(0.0002)


def test_the_median_of_the_venues_speaks():
    tracker = FundingTracker()
    for venue, rate in (("binance", 0.0001), ("bybit", 0.0002), ("okx", 0.005)):
        tell(tracker, rate, venue=venue)

    view = tracker.view(T0)

    assert view.rate_8h == 0.0002
    assert dict(view.by_venue)["okx"] == 0.005


def test_a_tenth_of_a_per_cent_in_eight_hours_is_extreme():
    tracker = FundingTracker()
    tell(tracker, -0.001)

    view = tracker.view(T0)

    assert view.extreme
    assert view.payer == "shorts"


def test_an_ordinary_rate_is_not_extreme():
    tracker = FundingTracker()
    tell(tracker, 0.0001)

    assert not tracker.view(T0).extreme


def test_far_from_its_own_history_is_extreme_where_it_is_material():
    tracker = FundingTracker()
    for hour in range(100):
        tell(tracker, 0.0001 + 0.00001 * (hour % 5), at_ms=hour * HOUR + BEFORE_THE_HOUR)
    tell(tracker, 0.0004, at_ms=100 * HOUR + BEFORE_THE_HOUR)

    view = tracker.view(T0 + 100 * HOUR + BEFORE_THE_HOUR)

    assert view.z > 5
    assert view.extreme


def test_an_old_rate_does_not_count():
    tracker = FundingTracker()
    tell(tracker, 0.001)

    assert tracker.view(T0 + HOUR) is None
