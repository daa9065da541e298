"""A market made up for pictures: the same numbers each time. `python -m tests.charts.samples` draws docs/images anew."""

import random
from math import exp, floor, log
from pathlib import Path

from charts.assembly import chart_of
from charts.incidents import incident_chart, incident_period_s
from charts.requests import ChartKind, ChartRequest, Theme
from charts.zone_assembly import zones_chart
from intelligence.alerts import Alert, AlertKind, Severity
from intelligence.history import AssetHistory, Bar
from intelligence.market import Coverage, PositionSide
from intelligence.slots import SlotRing
from intelligence.tape import BAND, TAPE_MINUTES, MarketTape, PackedTape, TapeCell, TapeMinute
from intelligence.trade_window import TradeWindow
from intelligence.zones.given import GivenTally
from intelligence.zones.record import Tally
from intelligence.zones.touch import Chance
from intelligence.zones.view import ZonesView
from intelligence.zones.zone import Zone
from tests.intelligence.builders import T0, an_open_interest

NOW_MS = 1_768_311_738_000  # 2026-01-13 13:42:18 UTC
MINUTE_MS = 60_000
VENUES = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")
KINDS = tuple(kind for kind in ChartKind if kind not in {ChartKind.INCIDENT, ChartKind.ZONES})
THRESHOLDS = {AlertKind.OPEN_INTEREST: 6.0, AlertKind.VOLUME_SPIKE: 60e6, AlertKind.MARKET_WIDE: 8.0}
HOURS = {
    ChartKind.CANDLES: 4,
    ChartKind.OPEN_INTEREST: 24,
    ChartKind.CVD: 4,
    ChartKind.LIQUIDATIONS: 24,
    ChartKind.PROFILE: 0.25,
}


def a_tape(
    period_s: int = 14_400, *, price: float = 59_800.0, asset: str = "BTC", live_minutes: int = 240
) -> MarketTape:
    """A calm market that falls in a cascade 6 minutes before its end."""
    chance = random.Random(7)
    end_ms = NOW_MS - NOW_MS % MINUTE_MS
    from_ms = end_ms - period_s // 60 * MINUTE_MS
    minutes, cells, level = [], [], log(price)
    for at_ms in range(from_ms, NOW_MS, MINUTE_MS):
        before_end = (end_ms - at_ms) // MINUTE_MS
        falls = 3 <= before_end <= 6
        opened = level
        level += chance.gauss(-0.004 if falls else 0.0, 0.0006)
        high = max(opened, level) + abs(chance.gauss(0, 0.0004))
        low = min(opened, level) - abs(chance.gauss(0, 0.0004))
        volume = chance.uniform(2e6, 6e6) * (6 if falls else 1)
        share = min(max(0.5 + 40 * (level - opened) + chance.gauss(0, 0.05), 0.05), 0.95)
        prices = [exp(one) for one in (opened, high, low, level)]
        minutes.append(TapeMinute(at_ms, *prices, volume * share, volume * (1 - share)))
        for _ in range(14 if falls else chance.choice((0, 0, 0, 1, 2))):
            band = floor((level + chance.gauss(0, 0.001)) / BAND)
            usd = chance.paretovariate(1.3) * (60_000 if falls else 6_000)
            long = falls or chance.random() < 0.5
            cells.append(TapeCell(at_ms, exp(band * BAND), usd if long else 0.0, 0.0 if long else usd))
    closed = [Bar(one.from_ms, one.close, 50.0, None, 25.0 + chance.gauss(0, 4)) for one in minutes]
    return MarketTape(
        asset=asset,
        from_ms=from_ms,
        at_ms=NOW_MS,
        minutes=tuple(minutes[-live_minutes:]),
        reference=("binance", f"{asset}USDT"),
        bars=tuple(closed) if period_s > 60 * live_minutes else (),
        open_interest=tuple(
            ((venue, f"{asset}USDT"), _interest(chance, from_ms, 80_000 / (rank + 1)))
            for rank, venue in enumerate(VENUES)
        ),
        cells=tuple(cells),
        liquidations_from_ms=from_ms,
        profile=_profile(minutes),
        venues=VENUES,
    )


def a_packed_tape(period_s: int = 3_600) -> PackedTape:
    """The same as a stream would tell it."""
    tape, ring, history = a_tape(period_s), SlotRing(MINUTE_MS, TAPE_MINUTES, columns=6), AssetHistory()
    *closed, open_minute = tape.minutes
    for minute in closed:
        ring.put(minute.from_ms, minute[1:])
    for (venue, instrument), points in tape.open_interest:
        for at_ms, coins in points:
            history.take_open_interest(an_open_interest(at_ms - T0, coins, venue=venue, instrument=instrument))
    return PackedTape(
        asset=tape.asset,
        from_ms=tape.from_ms,
        at_ms=tape.at_ms,
        closed_minutes=ring.kept(),
        open_minutes=(open_minute,),
        past=history.kept(),
        cells=tape.cells,
        liquidations_from_ms=tape.liquidations_from_ms,
        profile=tape.profile,
        venues=tape.venues,
    )


def _interest(chance, from_ms, coins):
    points = []
    for at_ms in range(from_ms, NOW_MS, 5 * MINUTE_MS if NOW_MS - from_ms > 4_000_000 else MINUTE_MS):
        coins *= exp(chance.gauss(-0.02 if NOW_MS - at_ms < 6 * MINUTE_MS else 0.0002, 0.0008))
        points.append((at_ms, coins))
    return tuple(points)


def _profile(minutes):
    window, chance = TradeWindow(), random.Random(3)
    for minute in minutes[-15:]:
        for second in range(0, 60, 2):
            price = chance.triangular(minute.low, minute.high, minute.close)
            window.add([minute.from_ms + second * 1000], [price], [minute.buy_usd / price / 30], now_ms=NOW_MS)
    return window.profile(NOW_MS)


def an_incident(kind: AlertKind = AlertKind.CASCADE, **values) -> Alert:
    context = {
        AlertKind.OPEN_INTEREST: (("window_s", 3600), ("change_pct", -8.3)),
        AlertKind.MARKET_WIDE: (("first_mover", "BTC"), ("joined_s", "0,2,5,9,14,20,31,44,60,90,140,200")),
        AlertKind.VOLUME_SPIKE: (("window_s", 300),),
    }.get(kind, ())
    given = {
        "alert_id": "k3jd82mfa0qp",
        "kind": kind,
        "asset": "MARKET" if kind is AlertKind.MARKET_WIDE else "BTC",
        "severity": Severity.P1,
        "exchange_ms": NOW_MS - 6 * MINUTE_MS,
        "detected_ms": NOW_MS - 5 * MINUTE_MS,
        "value": 1_350_000.0,
        "threshold": THRESHOLDS.get(kind, 500_000.0),
        "threshold_source": "static",
        "coverage": Coverage.CAPPED,
        "text": "",
        "position_side": PositionSide.LONG if kind is AlertKind.CASCADE else None,
        "started_ms": NOW_MS - 6 * MINUTE_MS,
        "context": context,
    }
    return Alert(**(given | values))


def an_incident_request(kind: AlertKind, theme: Theme = Theme.DARK) -> ChartRequest:
    alert = an_incident(kind)
    return incident_chart(alert, a_tape(incident_period_s(alert)), theme=theme, heading="SIMULATION")


def a_view(price: float = 59_800.0, **values) -> ZonesView:
    """Zones on both sides of the price, the nearest of them close together."""
    places = ((1.004, 0.0006), (1.0052, 0.0004), (1.015, 0.002), (0.993, 0.0012), (0.985, 0.0007), (0.978, 0.003))
    given = {
        "asset": "BTC",
        "at_ms": NOW_MS,
        "price": price,
        "open_usd": 8e9,
        "model": "ours",
        "zones": tuple(_zone(number, price * at, price * wide) for number, (at, wide) in enumerate(places)),
        "given": (),
        "record": Tally(predicted=71, reached=43, baseline=36.9),
        "warned": Tally(predicted=20, reached=15, baseline=16.8),
        "reaction": 1.4,
        "given_tally": GivenTally(),
        "seen_minutes": 3_000,
        "unexplained": 2,
    }
    return ZonesView(**(given | values))


def _zone(number: int, low: float, wide: float) -> Zone:
    usd, age_ms = 4e6 / (number + 1), (number + 1) * 37 * MINUTE_MS
    return Zone(
        zone_id=f"z{number}",
        asset="BTC",
        side=PositionSide.SHORT if number < 3 else PositionSide.LONG,
        low=low,
        high=low + wide,
        expected_usd=usd,
        least_usd=usd / 10,
        most_usd=usd * 3,
        born_ms=NOW_MS - age_ms,
        expires_ms=NOW_MS + 86_400_000 - age_ms,
        at_ms=NOW_MS,
        chances=(
            Chance(minutes=240, sigmas=1.0, probability=0.71 / (number % 3 + 1), baseline=0.7 / (number % 3 + 1)),
        ),
    )


def a_request(kind: ChartKind, theme: Theme = Theme.DARK, **values) -> ChartRequest:
    if kind is ChartKind.INCIDENT:
        alert = an_incident()
        return incident_chart(alert, a_tape(incident_period_s(alert), **values), theme=theme, heading="SIMULATION")
    if kind is ChartKind.ZONES:
        tape = a_tape(**values)
        return zones_chart(a_view(tape.minutes[-1].close), tape, theme=theme, heading="SIMULATION")
    return chart_of(kind, a_tape(int(HOURS.get(kind, 1) * 3600), **values), theme=theme, heading="SIMULATION")


if __name__ == "__main__":
    from charts.drawing import draw

    for kind in ChartKind:
        for theme in Theme:
            file = Path("docs/images") / f"chart-{kind}-{theme}.png"
            file.write_bytes(draw(a_request(kind, theme)))
    for kind in (AlertKind.OPEN_INTEREST, AlertKind.VOLUME_SPIKE, AlertKind.MARKET_WIDE):
        for theme in Theme:
            file = Path("docs/images") / f"chart-incident-{kind}-{theme}.png"
            file.write_bytes(draw(an_incident_request(kind, theme)))
