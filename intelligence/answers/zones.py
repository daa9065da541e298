"""What /zones says: where liquidations of an asset are predicted, how likely price gets there, and how predictions did so far."""

from intelligence.amounts import compact_duration, compact_price, compact_usd
from intelligence.answers.layout import age, bold, escape, page, signed_percent, table, updated
from intelligence.zones.view import ZonesView
from intelligence.zones.zone import Zone

SHOWN = 3  # of a side
HORIZON_MIN = 240


def zones_text(view: ZonesView, clock: str = "UTC") -> str:
    if not view.zones:
        return page(
            bold(f"{view.asset}: no zone is predicted yet"),
            escape(f"Watched for {compact_duration(60_000 * view.seen_minutes)}; open interest has to move first."),
            updated(view.at_ms, clock),
        )
    above, below = nearest(view)
    rows = [
        ("away", "about", "4 h", "age"),
        *(_row(zone, view) for zone in reversed(above)),
        (compact_price(view.price), "", "", ""),
        *(_row(zone, view) for zone in below),
    ]
    return page(
        bold(f"{view.asset} predicted liquidation zones"),
        table(rows),
        escape("Above: shorts, below: longs. About: USD of liquidations as feeds bring them; 4 h: chance of a touch."),
        escape(_record(view)),
        escape(_reaction(view)),
        escape("Warnings come from the given model while ours learns." if view.model == "given" else ""),
        updated(view.at_ms, clock),
    )


def nearest(view: ZonesView) -> tuple[list[Zone], list[Zone]]:
    """The nearest zones above the price and below it, that of each side first to which it comes first."""
    above = sorted((zone for zone in view.zones if zone.side == "short"), key=lambda zone: zone.near)[:SHOWN]
    below = sorted((zone for zone in view.zones if zone.side == "long"), key=lambda zone: -zone.near)[:SHOWN]
    return above, below


def _row(zone: Zone, view: ZonesView) -> tuple[str, ...]:
    chance = zone.within(HORIZON_MIN)
    return (
        signed_percent(zone.near / view.price - 1),
        compact_usd(zone.expected_usd),
        f"{chance.probability:.0%}" if chance else "?",
        age(zone.at_ms - zone.born_ms),
    )


def _record(view: ZonesView) -> str:
    told = []
    for name, tally in (("Predicted within a day", view.record), ("Warned within 15 min", view.warned)):
        if tally.predicted:
            chance = tally.baseline / tally.predicted
            told.append(f"{name}: reached {tally.reached} of {tally.predicted}, by chance {chance:.2f}.")
    return " ".join(told) or "No prediction has been judged yet: that takes a day."


def _reaction(view: ZonesView) -> str:
    if view.reaction is None:
        return ""
    return f"Liquidated where price went: {view.reaction:.1f} times as much in zones as beside them."
