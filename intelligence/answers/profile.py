"""What /profile says: at which prices the volume was traded."""

import math
from typing import NamedTuple

from intelligence.amounts import compact_percent, compact_price, compact_usd
from intelligence.answers.layout import bold, escape, page, span, table, trades_of, updated, venue, whys
from intelligence.asset_market import MarketView
from intelligence.day_flow import ENOUGH_SHARE, first_minute_ms
from intelligence.history import History
from intelligence.time_of_day import clock_stamp
from intelligence.trade_window import WINDOW_S, VolumeProfile, profile_of_closes

DAY_S = 86_400
LINES = 12
BAR_CHARS = 12


class _Found(NamedTuple):
    """A profile, whose it is, and whether it stands on one contract alone."""

    profile: VolumeProfile | None
    made_of: str
    alone: bool = False


def profile_text(
    view: MarketView, history: History | None = None, span_s: int | None = None, clock: str = "UTC"
) -> str:
    """`span_s`: the period asked for, a quarter of an hour where there is none."""
    longer = span_s is not None and span_s > WINDOW_S
    profile, made_of, alone = _of_minutes(view, history, min(span_s or 0, DAY_S)) if longer else _of_trades(view)
    if profile is None:
        return page(bold(f"{view.asset}: no trades are known yet"), updated(view.at_ms, clock))
    low, high = compact_price(profile.value_area_low), compact_price(profile.value_area_high)
    total = math.fsum(usd for _, usd in profile.rows)
    price = view.last_price
    distance = "" if price is None else f", the last trade {compact_percent(price / profile.poc - 1)} from it"
    period = span(min(span_s or WINDOW_S, DAY_S)) if longer else span(WINDOW_S)
    from_ms = profile.from_ms if longer else max(profile.from_ms, view.trades_from_ms or 0)
    return page(
        bold(f"{view.asset} volume profile of {period}: POC {compact_price(profile.poc)}"),
        escape(f"Value area {low} to {high}: 70 %, grown two rows at a time{distance}"),
        table(_bars(profile, price)),
        escape(f"{compact_usd(total)} since {clock_stamp(from_ms, clock)}"),
        escape(made_of),
        "" if alone else whys(sorted(view.trade_health.items())),
        updated(view.at_ms, clock),
    )


def _of_trades(view: MarketView) -> _Found:
    return _Found(view.profile, trades_of(view))


def _of_minutes(view: MarketView, history: History | None, span_s: int) -> _Found:
    """Over all venues where nearly every minute was received whole, else of the reference contract, else what is known."""
    from_ms = first_minute_ms(span_s, view.at_ms)
    known = view.day_flow.rows(from_ms)
    ours = [(one.close, one.buy_usd + one.sell_usd) for one in known if one.close > 0]
    bars = [bar for bar in history.bars.get("1m", ()) if bar.open_ms >= from_ms] if history else []
    theirs = [(bar.close, bar.close * bar.coins if bar.usd is None else bar.usd) for bar in bars]
    if (
        history
        and history.reference
        and not view.day_flow.over(span_s, view.at_ms).is_whole
        and len(theirs) > len(ours)
    ):
        name = f"{venue(history.reference[0])} {history.reference[1]}"
        made_of = f"{name} alone, each minute counted at its close{_known(len(theirs), span_s)}"
        return _Found(profile_of_closes(theirs, bars[0].open_ms), made_of, alone=True)
    venues = ", ".join(sorted(map(venue, view.trade_health)))
    whose = f"Trades of {venues}, each" if venues else "Each"
    first_ms = known[0].from_ms if known else from_ms
    made_of = f"{whose} minute counted at its close{_known(len(ours), span_s)}"
    return _Found(profile_of_closes(ours, first_ms), made_of)


def _known(minutes: int, span_s: int) -> str:
    wanted = span_s // 60
    return "" if minutes >= ENOUGH_SHARE * wanted else f"; {minutes} of {wanted} are known"


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
