"""From predicted zones, and what a symbol stream knows, to a picture. Pure."""

from msgspec.structs import replace

from charts.assembly import chart_of
from charts.requests import ChartKind, ChartRequest, Rate, Theme, ZoneBand
from intelligence.amounts import compact_duration, compact_usd
from intelligence.answers.layout import age
from intelligence.answers.zones import HORIZON_MIN, nearest
from intelligence.market import PositionSide
from intelligence.tape import MarketTape
from intelligence.zones.view import ZonesView
from intelligence.zones.zone import Zone


def zones_chart(
    view: ZonesView, tape: MarketTape, *, theme: Theme = Theme.DARK, zone: str = "UTC", heading: str = ""
) -> ChartRequest:
    """The zones that /zones lists, over the price, and their record beside what chance gives."""
    request = chart_of(ChartKind.ZONES, tape, theme=theme, zone=zone, heading=heading)
    above, below = nearest(view)
    notes = () if view.reaction is None else (f"{view.reaction:.1f} x as much liquidated in zones as beside them",)
    return replace(
        request,
        subtitle=f"USD expected, chance of a touch within {compact_duration(HORIZON_MIN * 60_000)}, age",
        zones=tuple(_band(one, view.at_ms) for one in (*above, *below)),
        rates=_rates(view),
        notes=notes,
    )


def _band(zone: Zone, at_ms: int) -> ZoneBand:
    chance = zone.within(HORIZON_MIN)
    words = (
        compact_usd(zone.expected_usd),
        f"{chance.probability:.0%}" if chance else "?",
        age(at_ms - zone.born_ms),
    )
    longs = zone.side is PositionSide.LONG
    return ZoneBand(low=zone.low, high=zone.high, longs=longs, from_ms=zone.born_ms, label=", ".join(words))


def _rates(view: ZonesView) -> tuple[Rate, ...]:
    told = (("Predicted within a day", view.record), ("Warned within 15 min", view.warned))
    return tuple(
        Rate(name, tally.reached, tally.predicted, tally.baseline / tally.predicted)
        for name, tally in told
        if tally.predicted
    )
