"""The detectors on recorded days, as docs/evaluation.md quotes them: the known events are found, quiet days stay quiet."""

from datetime import datetime
from functools import cache
from math import log

import pytest

from commands.backtesting.plays import SOURCES
from commands.backtesting.recorded import BYBIT_ASSETS, DATA, Recordings
from intelligence.alerts import Stage
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.evaluation.played import open_interest_changes, raised, volume_spikes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BUSIEST = ("2025-06-13T00", "2025-06-22T13", "2025-06-22T14", "2025-06-23T22", "2025-06-05T20")  # the data's README
WARM_UP = 7 * 1_440
DAY_MS = 86_400_000
EXPLOSION_MS = range(1_772_616_900_000, 1_772_619_000_001)  # 2026-03-04 09:35 to 10:10, where the rise begins and ends


@cache
def played(asset):
    """A month of minutes after the first week, and what was told of it."""
    minutes = Recordings(DATA).bybit_minutes(asset)
    after_ms = minutes[WARM_UP].from_ms
    return minutes[WARM_UP:], [one for one in volume_spikes(minutes, VolumeRule()) if one.at_ms > after_ms]


def quiet_days(minutes, count=5):
    """Numbers since 1970 of the whole UTC days with the smallest price range."""
    days = {}
    for minute in minutes:
        days.setdefault(minute.from_ms // DAY_MS, []).append(minute)
    whole = {day: inside for day, inside in days.items() if len(inside) == 1_440}
    return sorted(whole, key=lambda day: price_range(whole[day]))[:count]


def price_range(minutes):
    return log(max(minute.high for minute in minutes) / min(minute.low for minute in minutes))


def how_found(told, hour_ms):
    """How an hour is found: raised in it, updated in it, open all through it, or missed."""
    inside = {one.stage for one in told if hour_ms < one.at_ms <= hour_ms + 3_600_000}
    before = [one.stage for one in told if one.at_ms <= hour_ms]
    if Stage.RAISED in inside:
        return "raised"
    if Stage.UPDATED in inside:
        return "updated"
    return "incident open" if before and before[-1] is not Stage.ENDED else "missed"


def test_the_busiest_hours_of_june_are_found(shared_data):
    _, told = played("BTC")

    found = [how_found(told, int(datetime.fromisoformat(f"{hour}:00+00:00").timestamp() * 1000)) for hour in BUSIEST]

    assert found.count("missed") == 0
    assert found.count("raised") >= 3


@pytest.mark.parametrize("asset", BYBIT_ASSETS)
def test_no_asset_has_more_than_three_pushes_a_day(shared_data, asset):
    minutes, told = played(asset)

    assert len(raised(told)) / (len(minutes) / 1_440) <= 3


def test_the_five_quietest_days_of_all_assets_together_raise_two_at_most(shared_data):
    quiet = 0
    for asset in BYBIT_ASSETS:
        minutes, told = played(asset)
        days = quiet_days(minutes)
        quiet += sum((one.at_ms - 60_000) // DAY_MS in days for one in raised(told))

    assert quiet <= 2


def test_the_explosion_of_open_interest_of_march_is_found(shared_data):
    minutes = Recordings(shared_data).binance_open_interest("BTC")
    warm_up = int(SOURCES["binance-oi"].warm_up_days * 288)

    told = open_interest_changes(minutes, 0.998, floor_pct=2.0, step_min=5, warm_up=warm_up)

    known = [one for one in told if one.at_ms in EXPLOSION_MS]
    assert "BTC open interest" in known[0].text
    assert known[0].stage == "raised"
    counted = [one for one in raised(told) if one.at_ms > minutes[warm_up].to_ms]
    assert len(counted) / ((len(minutes) - warm_up) / 288) < 0.5
