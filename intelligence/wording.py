"""An alert -> a few lines of text, within Telegram's limits and escaped.

At most eight lines, each with a job. The first 40 characters (what a notification shows) carry asset, kind, direction
and size. Nothing is promised and no direction is advised (detection.md 5.3, 13.15).
"""

from collections.abc import Iterable
from html import escape

from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.amounts import (
    at_least_usd,
    compact_duration,
    compact_percent,
    compact_price,
    compact_ratio,
    compact_usd,
)
from intelligence.flushed import flushed_share
from intelligence.market import Coverage, PriceKind
from intelligence.thresholds.words import made_of
from intelligence.time_of_day import date_stamp

MAX_LINES = 8
MAX_NOTICE_LINES = 30
SEEN_CHARS = 40  # of a notification on a locked phone
MAX_NAME_CHARS = 24  # of anything a venue named
MAX_MADE_CHARS = 160  # of what a threshold is made of
MAX_LINE_CHARS = 400  # of words brought by others: eight such lines stay below Telegram's 4096
FRESH_AGE_MS = 10_000
NO_DISTANCE = 5e-5  # as a part of the price; below that two decimals of a per cent say nothing
SEEN_AT_VENUES = {AlertKind.OPEN_INTEREST, AlertKind.VOLUME_SPIKE}  # what they are able to report is another thing
PRICE_KINDS = {
    PriceKind.FILL: "average fill",
    PriceKind.BANKRUPTCY: "bankruptcy price",
    PriceKind.ORDER: "order price",
}


def plain_text(
    alert: Alert, *, heading: str = "", age_ms: int | None = None, score: str = "", zone: str = "UTC"
) -> str:
    """The text for terminals and logs. `heading`: a word in front of everything (SIMULATION, REPLAY). `age_ms`: how old the
    event is when this is sent. `score`: how such alerts have done, a line. `zone`: of the clock, a name of the tz database.
    """
    return "\n".join(_lines(alert, heading=heading, age_ms=age_ms, score=score, zone=zone))


def telegram_html(
    alert: Alert, *, heading: str = "", age_ms: int | None = None, score: str = "", zone: str = "UTC"
) -> str:
    """The text for Telegram's parse mode HTML: the first line bold, the id for copying by a tap."""
    lines = _lines(alert, heading=heading, age_ms=age_ms, score=score, zone=zone)
    first, *rest = (escape(line, quote=False) for line in lines)
    if alert.kind is AlertKind.NOTICE:
        return "\n".join((f"<b>{first}</b>", *rest))
    alert_id = escape(_name(alert.alert_id), quote=False)
    if rest:
        rest[-1] = rest[-1].removesuffix(alert_id) + f"<code>{alert_id}</code>"
    return "\n".join((f"<b>{first}</b>", *rest))


def _lines(alert: Alert, *, heading: str, age_ms: int | None, score: str, zone: str) -> list[str]:
    if alert.kind is AlertKind.LIQUIDATION and alert.position_side is not None:
        told = _liquidation(alert, heading=heading)
    elif alert.kind is AlertKind.CASCADE and alert.position_side is not None:
        told = _cascade(alert, heading=heading)
    else:  # the detectors of the other kinds bring their own words
        told = [_cut(_printable(line), MAX_LINE_CHARS) for line in alert.text.splitlines()] or [
            f"{_name(alert.asset)} {alert.kind}"
        ]
        told[0] = _headed(heading) + told[0]
    if alert.kind is AlertKind.NOTICE:  # it brings whatever is to be said
        return told[:MAX_NOTICE_LINES]
    footer = [line for line in (_able(alert), score) if line]
    return [*told[: MAX_LINES - 1 - len(footer)], *footer, _stamp(alert, age_ms, zone)]


def _liquidation(alert: Alert, *, heading: str) -> list[str]:
    size = compact_usd(alert.value)
    told = [
        _headline(alert, (f"{alert.position_side} liquidated {size}",), f" on {_venue(alert.venue)}", heading),
        _order(alert),
        _last_minute(alert),
        _threshold(alert),
    ]
    return [line for line in told if line]


def _cascade(alert: Alert, *, heading: str) -> list[str]:
    over = " over" if alert.stage is Stage.ENDED else ""
    what = f"cascade{over}: {alert.position_side}s,"
    if alert.coverage is Coverage.COMPLETE:
        sizes: tuple[str, ...] = (f"{what} {compact_usd(alert.value)}",)
    else:
        sizes = (f"{what} {at_least_usd(alert.value)}", f"{what} ≥{compact_usd(alert.value, down=True)}")
    lasted_ms = (alert.latest_ms or alert.exchange_ms) - (alert.started_ms or alert.exchange_ms)
    told = [
        _headline(alert, sizes, f" in {compact_duration(max(lasted_ms, 1_000))}", heading),
        f"{alert.count} orders, first on {_venue(alert.first_venue)}{_agreement(alert)}",
        _by_venue(alert),
        "; ".join(filter(None, (_move(alert), _flushed(alert)))),
        _threshold(alert, " a minute"),
        _stand_ins(alert),
    ]
    return [line for line in told if line]


def _headline(alert: Alert, sizes: tuple[str, ...], rest: str, heading: str) -> str:
    """Asset, kind, direction and size within what a notification shows, by the longest wording that fits.

    The last resort is to cut the asset's name; the record has it whole.
    """
    prefix = _headed(heading)
    asset = _name(alert.asset)
    for size in sizes:
        if len(f"{prefix}{asset} {size}") <= SEEN_CHARS:
            return f"{prefix}{asset} {size}{rest}"
    room = max(SEEN_CHARS - len(f"{prefix} {sizes[-1]}"), 4)
    return f"{prefix}{_cut(asset, room)} {sizes[-1]}{rest}"


def _headed(heading: str) -> str:
    return f"{heading} " if heading else ""


def _order(alert: Alert) -> str:
    if alert.price is None:
        return f"Order in {_name(alert.instrument or '')}"
    kind = f" ({PRICE_KINDS[alert.price_kind]})" if alert.price_kind is not None else ""
    fills = f", {alert.count} fills so far" if alert.count > 1 else ""
    return f"{_name(alert.instrument or '')} at {compact_price(alert.price)}{kind}{_distance(alert)}{fills}"


def _distance(alert: Alert) -> str:
    before = dict(alert.context).get("reference_price")
    if not isinstance(before, float) or alert.price is None:
        return ""
    distance = alert.price / before - 1
    if abs(distance) < NO_DISTANCE:
        return ", at the mark price"
    return f", {compact_percent(abs(distance))} {'below' if distance < 0 else 'above'} the mark price"


def _last_minute(alert: Alert) -> str:
    context = dict(alert.context)
    total, count = context.get("sum_60s_usd"), int(context.get("count_60s", 1))
    if not isinstance(total, float) or count <= 1:
        return ""  # the order itself is all there was
    complete = context.get("sum_60s_coverage") == Coverage.COMPLETE
    size = compact_usd(total) if complete else at_least_usd(total)
    return f"All {alert.position_side}s in 60 s, every venue: {size} in {count} orders"


def _agreement(alert: Alert) -> str:
    agreeing = dict(alert.context).get("venues_agreeing")
    if not isinstance(agreeing, str):
        return ""
    return f"; bursts agree on {_list(agreeing.split(', '))}"


def _by_venue(alert: Alert) -> str:
    told = []
    for share in alert.by_venue[:4]:
        complete = share.coverage is Coverage.COMPLETE
        size = compact_usd(share.notional_usd) if complete else at_least_usd(share.notional_usd)
        told.append(f"{_venue(share.venue)} {size} ({share.count})")
    if len(alert.by_venue) > 4:
        told.append(f"{len(alert.by_venue) - 4} more")
    return ", ".join(told)


def _move(alert: Alert) -> str:
    if alert.price is None or alert.move is None:
        return "Price move not known"
    sigmas = dict(alert.context).get("largest_move_60s_sigmas")
    unknown = "sigma_60s" in dict(alert.factors)
    beside = f" (up to {sigmas:.1f} sigma a minute)" if isinstance(sigmas, float) and sigmas > 0 and not unknown else ""
    return f"Price {compact_price(alert.price)}, {100 * alert.move:+.2f} % since the first order{beside}"


def _flushed(alert: Alert) -> str:
    """What the end of an incident knows besides: open interest, and how soon it was seen."""
    told = []
    if (share := flushed_share(alert)) is not None:
        venues = str(dict(alert.context)["open_interest_venues"]).split(", ")
        told.append(f"open interest {100 * share:+.2f} % in coins on {_list(venues)}")
    estimated = dict(alert.estimated)
    if "low_usd" in estimated:
        told.append(
            f"with what capped feeds left out {compact_usd(estimated['low_usd'])} to {compact_usd(estimated['high_usd'])}"
        )
    if isinstance(latency_s := dict(alert.context).get("latency_s"), float):
        told.append(f"seen {max(latency_s, 0.0):.1f} s after its first order")
    return _cut("; ".join(told), MAX_LINE_CHARS)


def _threshold(alert: Alert, window: str = "") -> str:
    ratio = compact_ratio(alert.value / alert.threshold)
    made = _printable(made_of(_name(alert.threshold_source), alert.factors))
    return f"{ratio} its threshold {compact_usd(alert.threshold)}{window}, {_cut(made, MAX_MADE_CHARS)}"


def _able(alert: Alert) -> str:
    if not alert.venues_configured or (alert.kind in SEEN_AT_VENUES and not alert.venues_able):
        return ""
    able, configured = len(alert.venues_able), len(alert.venues_configured)
    missing = [venue for venue in alert.venues_configured if venue not in alert.venues_able]
    without = f", not {_list(missing)}" if missing else ""
    if alert.kind in SEEN_AT_VENUES:
        return f"Seen on {able} of {configured} venues{without}"
    return f"{able} of {configured} able to report{without}"


def _stand_ins(alert: Alert) -> str:
    factors = dict(alert.factors)
    told = []
    if "p90_order_usd" in factors:
        told.append("usual order size (the single threshold stands in)")
    if "sigma_60s" in factors:
        told.append("usual move (0.1 % stands in)")
    if "move_test" in factors:
        told.append("price a minute before (move not checked, P2 at most)")
    return f"Not known yet: {', '.join(told)}" if told else ""


def _stamp(alert: Alert, age_ms: int | None, zone: str) -> str:
    at_ms = alert.ended_ms or alert.latest_ms or alert.exchange_ms
    return f"{alert.severity}, {date_stamp(at_ms, zone)}{_age(age_ms)}, id {_name(alert.alert_id)}"


def _age(age_ms: int | None) -> str:
    """By tenths of a second while it is fresh."""
    if age_ms is None:
        return ""
    fresh = 0 <= age_ms < FRESH_AGE_MS
    return f" ({f'{age_ms / 1000:.1f} s' if fresh else compact_duration(max(age_ms, 0))} ago)"


def _list(venues: Iterable[str]) -> str:
    names = [_venue(venue) for venue in venues]
    return " and ".join(names) if len(names) < 3 else ", ".join(names[:6])


def _venue(venue: str | None) -> str:
    name = _name(venue or "unknown")
    return name.upper() if len(name) <= 3 else name[0].upper() + name[1:]


def _name(text: str) -> str:
    return _cut(_printable(text), MAX_NAME_CHARS)


def _printable(text: str) -> str:
    """Without line breaks, controls and marks that turn the direction of writing."""
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1]}…"
