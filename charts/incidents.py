"""The picture behind the text of an incident: its market, what it was judged by, and the line that was crossed. Pure."""

from collections.abc import Callable, Mapping
from math import copysign

from msgspec.structs import replace

from charts.assembly import chart_of
from charts.requests import ChartKind, ChartRequest, Line, Theme, Threshold
from intelligence.alerts import Alert, AlertKind
from intelligence.amounts import compact_duration, compact_usd
from intelligence.market import PositionSide
from intelligence.minute import MINUTE_MS
from intelligence.tape import MarketTape

INCIDENT_PERIOD_S = 3_600

_INCIDENTS = {
    AlertKind.CASCADE: "Cascade",
    AlertKind.OPEN_INTEREST: "Open interest",
    AlertKind.VOLUME_SPIKE: "Volume spike",
    AlertKind.MARKET_WIDE: "Market-wide, first",
}


def incident_chart(
    alert: Alert, tape: MarketTape, *, theme: Theme = Theme.DARK, zone: str = "UTC", heading: str = ""
) -> ChartRequest:
    """What happened around an alert: price, liquidations by side, open interest, and the line that was crossed."""
    request = chart_of(ChartKind.INCIDENT, tape, theme=theme, zone=zone, heading=heading)
    measure, unit = _MEASURES.get(alert.kind, _nothing)(alert, tape)
    return replace(
        request,
        title=f"{heading} {_INCIDENTS.get(alert.kind, alert.kind.value)}: {asset_shown(alert)}".strip(),
        threshold=_threshold(alert),
        measure=measure,
        measure_unit=unit,
        notes=(*request.notes, f"{alert.severity}, id {alert.alert_id}"),
    )


def asset_shown(alert: Alert) -> str:
    """The asset whose market the picture shows: of an incident of the whole market the one that moved first."""
    return str(dict(alert.context).get("first_mover", alert.asset))


def incident_period_s(alert: Alert) -> int:
    """An hour; where open interest changed, the window over which it did, so that the line of the threshold is exact."""
    if alert.kind is AlertKind.OPEN_INTEREST:
        return int(float(dict(alert.context).get("window_s", INCIDENT_PERIOD_S)))
    return INCIDENT_PERIOD_S


def _threshold(alert: Alert) -> Threshold:
    at_ms = alert.started_ms or alert.exchange_ms
    if alert.kind is AlertKind.OPEN_INTEREST:
        pct = copysign(alert.threshold, float(dict(alert.context).get("change_pct", 1.0)))
        return Threshold(at_ms=at_ms, label=f"threshold {pct:+.3g} %", open_interest_pct=pct)
    if alert.kind is AlertKind.VOLUME_SPIKE:
        return Threshold(at_ms=at_ms, label=f"threshold {compact_usd(alert.threshold)}", measure=alert.threshold)
    if alert.kind is AlertKind.MARKET_WIDE:
        return Threshold(at_ms=at_ms, label=f"threshold {alert.threshold:.0f} assets", measure=alert.threshold)
    if alert.kind in {AlertKind.CASCADE, AlertKind.LIQUIDATION}:
        usd = alert.threshold if alert.position_side is PositionSide.SHORT else -alert.threshold
        return Threshold(at_ms=at_ms, label=f"threshold {compact_usd(alert.threshold)} in 1 min", burst_usd=usd)
    return Threshold(at_ms=at_ms, label="")


def _volume(alert: Alert, tape: MarketTape) -> tuple[Line | None, str]:
    """What was traded in each window of minutes that the alert is about, at its end."""
    minutes = max(1, int(float(dict(alert.context).get("window_s", 60)) / 60))
    sums = [one.buy_usd + one.sell_usd for one in tape.minutes]
    points = tuple(
        (one.from_ms + MINUTE_MS, sum(sums[end - minutes : end]))
        for end, one in enumerate(tape.minutes, start=1)
        if end >= minutes and one.from_ms + MINUTE_MS <= tape.at_ms
    )
    name = f"traded in {compact_duration(minutes * MINUTE_MS)}, USD"
    return (Line(name=name, label="", points=points) if len(points) > 1 else None), "USD"


def _breadth(alert: Alert, tape: MarketTape) -> tuple[Line | None, str]:
    """How many assets had fired, one after the other."""
    joined = [float(word) for word in str(dict(alert.context).get("joined_s", "")).split(",") if word]
    begun_ms = alert.started_ms or alert.exchange_ms
    points: list[tuple[int, float]] = [(tape.from_ms, 0.0)]
    for n, after_s in enumerate(joined, start=1):
        at_ms = begun_ms + int(1_000 * after_s)
        points += [(at_ms, n - 1.0), (at_ms, float(n))]
    points.append((tape.at_ms, float(len(joined))))
    return (Line(name="assets with alerts of their own", label="", points=tuple(points)) if joined else None), ""


def _nothing(_alert: Alert, _tape: MarketTape) -> tuple[Line | None, str]:
    return None, ""


_MEASURES: Mapping[AlertKind, Callable[[Alert, MarketTape], tuple[Line | None, str]]] = {
    AlertKind.VOLUME_SPIKE: _volume,
    AlertKind.MARKET_WIDE: _breadth,
}
