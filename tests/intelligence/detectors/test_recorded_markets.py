"""The detectors on recorded days, as docs/evaluation.md quotes them: the known events are found, quiet days stay quiet."""

from datetime import datetime
from functools import cache

import pytest

from benchmarks.evaluation import open_interest, volume
from benchmarks.evaluation.__main__ import BUSIEST
from benchmarks.evaluation.recorded import KLINE_ASSETS, bybit_minutes
from benchmarks.evaluation.volume import Recording
from intelligence.detectors.volume_rule import VolumeRule

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@cache
def played(asset):
    """A month of minutes, and what was told of it after the first week."""
    recording = Recording(asset, bybit_minutes(asset), None)
    return recording, volume.ours(recording, VolumeRule())


def test_the_busiest_hours_of_june_are_found(shared_data):
    recording, told = played("BTC")
    hours_ms = [int(datetime.fromisoformat(f"{hour}:00+00:00").timestamp() * 1000) for hour in BUSIEST]

    found = volume.found_hours(recording, told, hours_ms)

    assert [how for _, how in found].count("missed") == 0
    assert [how for _, how in found].count("raised") >= 3


@pytest.mark.parametrize("asset", KLINE_ASSETS)
def test_no_asset_has_more_than_three_pushes_a_day(shared_data, asset):
    recording, told = played(asset)

    assert len(volume.raised(told)) / recording.days <= 3


def test_the_five_quietest_days_of_all_assets_together_raise_two_at_most(shared_data):
    quiet = 0
    for asset in KLINE_ASSETS:
        recording, told = played(asset)
        quiet += volume.on_days(recording, volume.raised(told), volume.quiet_days(recording.minutes))

    assert quiet <= 2


def test_the_explosion_of_open_interest_of_march_is_found(shared_data):
    result = open_interest.run("BTC", 0.998, 2.0)

    assert open_interest.known(result)[0].startswith("09:35 raised BTC open interest")
    assert result.raised / result.days < 0.5
