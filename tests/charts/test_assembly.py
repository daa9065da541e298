"""From what a symbol stream knows to what a picture shows."""

import msgspec
import pytest

from charts.assembly import chart_of, step_ms_of
from charts.incidents import asset_shown, incident_chart, incident_period_s
from charts.requests import ChartKind
from intelligence.alerts import AlertKind
from intelligence.day_flow import FlowMinute
from intelligence.market import PositionSide
from tests.charts.samples import MINUTE_MS, NOW_MS, a_tape, an_incident


@pytest.mark.parametrize("hours", [0.25, 1, 4, 12, 24])
def test_candles_are_few_enough_to_be_seen(hours):
    assert hours * 3_600_000 / step_ms_of(int(hours * 3_600)) <= 72


def test_candles_of_a_step_hold_the_highest_and_lowest_of_its_minutes():
    tape = a_tape(14_400)
    (candle,) = [
        one for one in chart_of(ChartKind.CANDLES, tape).candles if one.from_ms == NOW_MS - NOW_MS % 300_000 - 300_000
    ]
    within = [one for one in tape.minutes if candle.from_ms <= one.from_ms < candle.from_ms + 300_000]

    assert candle.high == max(one.high for one in within)
    assert candle.low == min(one.low for one in within)
    assert (candle.open, candle.close) == (within[0].open, within[-1].close)


def test_before_the_first_trade_candles_are_made_of_closes_and_say_so():
    request = chart_of(ChartKind.CANDLES, a_tape(14_400, live_minutes=60))

    assert request.candles[0].from_ms <= NOW_MS - 14_400_000 + 300_000
    assert any("closes of Binance BTCUSDT" in note for note in request.notes)


def test_cvd_is_of_all_venues_where_their_trades_reach_back():
    tape = a_tape(14_400)
    (line,) = chart_of(ChartKind.CVD, tape).lines

    assert line.points[-1][1] == pytest.approx(sum(one.buy_usd - one.sell_usd for one in tape.minutes))


def test_cvd_of_a_longer_time_is_one_contracts_and_says_so():
    assert "only Binance BTCUSDT" in chart_of(ChartKind.CVD, a_tape(86_400)).subtitle


def test_liquidations_by_side_lose_nothing_in_bursts_and_in_the_heat_map():
    tape = a_tape(14_400)
    longs = pytest.approx(sum(cell.long_usd for cell in tape.cells))

    assert sum(one.long_usd for one in chart_of(ChartKind.CANDLES, tape).bursts) == longs
    assert sum(one.long_usd for one in chart_of(ChartKind.LIQUIDATIONS, tape).cells) == longs


def test_liquidations_are_said_to_be_a_lower_bound_and_since_when_they_are_heard():
    tape = msgspec.structs.replace(a_tape(14_400), liquidations_from_ms=NOW_MS - 60 * MINUTE_MS)

    assert chart_of(ChartKind.CANDLES, tape).notes[-1] == "liquidations: lower bound, heard since 12:42"


def test_open_interest_of_each_venue_begins_at_zero_per_cent_and_is_never_added():
    lines = chart_of(ChartKind.OPEN_INTEREST, a_tape(86_400)).lines

    assert [line.points[0][1] for line in lines] == [0.0] * 7
    assert len({line.name for line in lines}) == 7


def test_contracts_of_one_venue_are_added_from_when_on_each_is_known():
    tape = msgspec.structs.replace(
        a_tape(3_600),
        open_interest=(
            (("okx", "BTC-USDT-SWAP"), ((1_000, 10.0), (3_000, 20.0))),
            (("okx", "BTC-USDC-SWAP"), ((2_000, 30.0),)),
        ),
    )
    (line,) = chart_of(ChartKind.OPEN_INTEREST, tape).lines

    assert line.points == ((2_000, 0.0), (3_000, pytest.approx(25.0)))


@pytest.mark.parametrize(("side", "sign"), [(PositionSide.LONG, -1), (PositionSide.SHORT, 1)])
def test_threshold_of_a_cascade_stands_on_the_side_that_was_liquidated(side, sign):
    alert = an_incident(position_side=side)

    assert incident_chart(alert, a_tape(3_600)).threshold.burst_usd == sign * alert.threshold


def test_threshold_of_open_interest_is_measured_over_its_window():
    alert = an_incident(AlertKind.OPEN_INTEREST)

    assert incident_period_s(alert) == 3_600
    assert incident_chart(alert, a_tape(3_600)).threshold.open_interest_pct == -6.0


def test_threshold_of_a_volume_spike_is_measured_over_its_window():
    tape = a_tape(3_600)
    request = incident_chart(an_incident(AlertKind.VOLUME_SPIKE), tape)

    assert (request.measure.name, request.threshold.measure) == ("traded in 5 min, USD", 60e6)
    first_ms, first_usd = request.measure.points[0]
    assert first_ms == tape.minutes[4].from_ms + 60_000
    assert first_usd == pytest.approx(sum(one.buy_usd + one.sell_usd for one in tape.minutes[:5]))


def test_threshold_of_the_market_is_a_number_of_assets_that_fired_one_after_the_other():
    request = incident_chart(an_incident(AlertKind.MARKET_WIDE), a_tape(3_600))

    assert request.threshold.measure == 8.0
    assert max(value for _, value in request.measure.points) == 12.0
    assert request.title == "Market-wide, first: BTC"


def test_cvd_of_a_longer_time_is_of_all_venues_where_their_minutes_are_known():
    tape = a_tape(86_400)
    flow = tuple(FlowMinute(bar.open_ms, 3e6, 2e6, bar.close) for bar in tape.bars)
    request = chart_of(ChartKind.CVD, msgspec.structs.replace(tape, flow=flow))

    assert "only" not in request.subtitle
    assert request.lines[0].points[0][1] == 1e6


def test_the_profile_of_hours_is_made_of_the_closes_of_minutes_and_says_so():
    tape = a_tape(86_400)
    alone = chart_of(ChartKind.PROFILE, tape)
    flow = tuple(FlowMinute(bar.open_ms, 3e6, 2e6, bar.close) for bar in tape.bars)
    together = chart_of(ChartKind.PROFILE, msgspec.structs.replace(tape, flow=flow))

    assert alone.subtitle.endswith("minute closes of Binance BTCUSDT")
    assert together.subtitle.endswith("minute closes, 7 venues")
    assert sum(usd for _, usd in together.profile.rows) == pytest.approx(5e6 * len(flow))


def test_an_incident_of_the_market_shows_the_asset_that_moved_first():
    assert asset_shown(an_incident(AlertKind.MARKET_WIDE)) == "BTC"


def test_a_picture_carries_its_heading():
    assert chart_of(ChartKind.CVD, a_tape(3_600), heading="SIMULATION").title.startswith("SIMULATION BTC")
