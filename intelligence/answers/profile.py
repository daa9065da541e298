"""What /profile says: where the volume of the last quarter of an hour was traded."""

import math

from intelligence.amounts import compact_percent, compact_price, compact_usd
from intelligence.answers.layout import bold, escape, page, table, updated, venue, whys
from intelligence.asset_market import MarketView
from intelligence.time_of_day import clock_stamp
from intelligence.trade_window import VolumeProfile

LINES = 12
BAR_CHARS = 12


def profile_text(view: MarketView, clock: str = "UTC") -> str:
    profile = view.profile
    if profile is None:
        return page(bold(f"{view.asset}: no trades are known yet"), updated(view.at_ms, clock))
    low, high = compact_price(profile.value_area_low), compact_price(profile.value_area_high)
    total = math.fsum(usd for _, usd in profile.rows)
    price = view.last_price
    distance = "" if price is None else f", the last trade {compact_percent(price / profile.poc - 1)} from it"
    venues = ", ".join(sorted(map(venue, view.trade_health)))
    return page(
        bold(f"{view.asset} volume profile: POC {compact_price(profile.poc)}"),
        escape(f"Value area {low} to {high}: 70 %, grown two rows at a time{distance}"),
        table(_bars(profile, price)),
        escape(f"{compact_usd(total)} since {clock_stamp(max(profile.from_ms, view.trades_from_ms or 0), clock)}"),
        escape(f"Trades of {venues}") if venues else "",
        whys(sorted(view.trade_health.items())),
        updated(view.at_ms, clock),
    )


def _bars(profile: VolumeProfile, price: float | None) -> list[tuple[str, str]]:
    """Highest price first, as charts have it; neighbouring rows are joined. The arrow marks the last trade."""
    joined = -(-len(profile.rows) // LINES)
    rows = [profile.rows[at : at + joined] for at in range(0, len(profile.rows), joined)]
    sums = [math.fsum(usd for _, usd in several) for several in rows]
    largest = max(sums) or 1.0
    bars = []
    for several, usd in zip(rows, sums, strict=True):
        from_price = several[0][0]
        here = price is not None and from_price <= price < several[-1][0] + profile.row_width
        bar = "█" * round(BAR_CHARS * usd / largest)
        bars.append((f"{'>' if here else ' '}{compact_price(from_price)} {bar}", compact_usd(usd)))
    return bars[::-1]
