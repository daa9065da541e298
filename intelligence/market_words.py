"""The words of the alerts that look at a market rather than at orders: open interest, volume, many assets at once.

A few lines each, the first within what a notification shows. Facts that were measured; nothing promised, no direction
advised (detection.md 13.15). `wording` adds the stamp, cuts and escapes.
"""

from intelligence.alerts import Alert, Stage
from intelligence.amounts import at_least_usd, compact_duration, compact_percent, compact_ratio, compact_usd
from intelligence.thresholds.words import made_of

_Facts = dict[str, float | str]
LEANING = 0.1  # ours: of takers' net in the volume, below which the price tells the direction
HIT = 2.0  # ours: so many times the other side's liquidations make an incident of the market one of a side


def open_interest_text(alert: Alert) -> str:
    facts = dict(alert.context)
    window = compact_duration(int(_number(facts, "window_s")) * 1000)
    over = " over" if alert.stage is Stage.ENDED else ""
    lines = [
        f"{alert.asset} open interest{over} {_number(facts, 'change_pct'):+.1f} % in {window}",
        f"{_signed_usd(_number(facts, 'change_usd'))} of {compact_usd(_number(facts, 'oi_usd'))}, counted in coins",
        _by_venue(facts),
        _beside(facts),
        f"{compact_ratio(alert.value / alert.threshold)} its threshold {alert.threshold:.2g} % in {window}, {made_of(alert.threshold_source, alert.factors)}",
    ]
    return "\n".join(line for line in lines if line)


def _by_venue(facts: _Facts) -> str:
    prefix = "change_pct_"
    changes = {name.removeprefix(prefix): value for name, value in facts.items() if name.startswith(prefix)}
    told = [f"{_title(venue)} {value:+.1f} %" for venue, value in changes.items() if isinstance(value, float)]
    return ", ".join(told)


def _beside(facts: _Facts) -> str:
    """What else was seen in the window; not said where it was not."""
    if "price_move" not in facts:
        return ""
    told = [f"price {100 * _number(facts, 'price_move'):+.2f} %", takers(_number(facts, "taker_imbalance"))]
    return "Meanwhile " + ", ".join(filter(None, (*told, _liquidated(facts))))


def _liquidated(facts: _Facts) -> str:
    sums = ((side, _number(facts, f"{side}_liquidated_usd")) for side in ("long", "short"))
    return ", ".join(f"{side}s liquidated {at_least_usd(usd)}" for side, usd in sums if usd)


def takers(imbalance: float) -> str:
    """Which side was the more impatient, when one was."""
    if abs(imbalance) < 0.01:
        return ""
    return f"takers {'bought' if imbalance > 0 else 'sold'} {compact_percent(abs(imbalance))} net of volume"


def _signed_usd(usd: float) -> str:
    return f"{'+' if usd >= 0 else ''}{compact_usd(usd)}"


def _number(facts: _Facts, name: str) -> float:
    value = facts.get(name, 0.0)
    return 0.0 if isinstance(value, str) else value


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _title(venue: str) -> str:
    return venue.upper() if len(venue) <= 3 else venue[:1].upper() + venue[1:]


def volume_spike_text(alert: Alert) -> str:
    facts = dict(alert.context)
    window = compact_duration(int(_number(facts, "window_s")) * 1000)
    over = " over" if alert.stage is Stage.ENDED else ""
    times = f"{compact_ratio(_number(facts, 'rvol'))} usual" if "rvol" in facts else "where none is usual"
    sigmas = f" ({abs(_number(facts, 'move_sigmas')):.1f} sigma)" if "move_sigmas" in facts else ""
    limit = compact_usd(alert.threshold)
    moved = f"Price {100 * _number(facts, 'price_move'):+.2f} %{sigmas}"
    lines = [
        f"{alert.asset} volume{over} {times}, {_lean(facts)}, in {window}",
        ", ".join(filter(None, (f"{compact_usd(alert.value)} traded", _block(facts)))),
        f"{moved}, ranges {compact_ratio(_number(facts, 'range_lift'))} those of the week for this time of day",
        _sentence(_liquidated(facts)),
        f"{compact_ratio(alert.value / alert.threshold)} its threshold {limit} in {window}, {made_of(alert.threshold_source, alert.factors)}",
    ]
    return "\n".join(line for line in lines if line)


def _lean(facts: _Facts) -> str:
    """The direction: which side took, where one outweighs the other, else where the price went."""
    imbalance = _number(facts, "imbalance")
    if abs(imbalance) < LEANING:
        return f"price {100 * _number(facts, 'price_move'):+.2f} %"
    return f"{'bought' if imbalance > 0 else 'sold'} {100 * abs(imbalance):.0f} % net"


def _block(facts: _Facts) -> str:
    share = _number(facts, "largest_share")
    return f"one block: a single trade is {compact_percent(share)} of it" if "one_block" in facts else ""


def market_wide_text(alert: Alert) -> str:
    facts = dict(alert.context)
    watched = int(_number(dict(alert.factors), "watched"))
    over = " over" if alert.stage is Stage.ENDED else ""
    lasted_ms = (alert.latest_ms or alert.exchange_ms) - (alert.started_ms or alert.exchange_ms)
    first = f"First {facts.get('first_mover')}, {str(facts.get('first_kind')).replace('_', ' ')}"
    venue = f" on {_title(alert.first_venue)}" if alert.first_venue else ""
    window = compact_duration(int(_number(dict(alert.factors), "window_s")) * 1000)
    ratio = compact_ratio(alert.value / alert.threshold)
    lines = [
        f"Market-wide{over}: {_side(facts)}{alert.value:.0f} of {watched} assets in {compact_duration(max(lasted_ms, 1_000))}",
        f"Furthest above their thresholds: {facts.get('leaders')}",
        f"{first}{venue}; {alert.count} alerts of assets, {_number(facts, 'folded'):.0f} told here alone",
        _sentence(_liquidated(facts)),
        f"{ratio} its threshold {alert.threshold:.0f} assets in {window}, {alert.threshold_source}",
    ]
    return "\n".join(line for line in lines if line)


def _side(facts: _Facts) -> str:
    """The side that was liquidated, where it is one."""
    longs, shorts = (_number(facts, f"{side}_liquidated_usd") for side in ("long", "short"))
    if max(longs, shorts) <= HIT * min(longs, shorts):
        return ""
    return f"{'longs' if longs > shorts else 'shorts'} of "
