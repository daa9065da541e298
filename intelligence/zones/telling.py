"""A warning as an alert, and its words: what was measured, how far away, and how such warnings did so far."""

from intelligence.alerts import Alert, AlertKind, Severity, stable_id
from intelligence.amounts import compact_duration, compact_percent, compact_price, compact_usd
from intelligence.market import Coverage
from intelligence.zones.approach import DAY_MS, Approach
from intelligence.zones.record import Tally
from intelligence.zones.touch import Chance
from intelligence.zones.zone import Zone

ENOUGH_JUDGED = 5  # warnings before their record is told as one (ours)


def alert_of(approach: Approach, record: Tally, *, now_ms: int) -> Alert:
    """P2: it interrupts, because minutes later it is worth nothing. The size is of liquidations as feeds bring them, a
    lower bound. One zone has one alert a day.
    """
    zone = approach.zone
    chance = _nearest(zone)
    estimated = [("expected_usd", zone.expected_usd), ("least_usd", zone.least_usd), ("most_usd", zone.most_usd)]
    factors: list[tuple[str, float | str]] = [("zone_low", zone.low), ("zone_high", zone.high)]
    if chance is not None:
        estimated += [("p_touch", chance.probability), ("p_baseline", chance.baseline), ("p_react", zone.reacts)]
        factors += [("horizon_min", float(chance.minutes)), ("sigmas", chance.sigmas)]
    return Alert(
        alert_id=stable_id(AlertKind.ZONE_APPROACH, zone.asset, zone.zone_id, approach.at_ms // DAY_MS),
        kind=AlertKind.ZONE_APPROACH,
        asset=zone.asset,
        severity=Severity.P2,
        exchange_ms=approach.at_ms,
        detected_ms=now_ms,
        value=zone.expected_usd,
        threshold=approach.large_usd,
        threshold_source=approach.model,
        coverage=Coverage.CAPPED,
        text=approach_text(approach, record),
        position_side=zone.side,
        factors=tuple(factors),
        estimated=tuple(estimated),
        context=(("distance", approach.distance), ("zone_id", zone.zone_id), ("born_ms", float(zone.born_ms))),
        price=approach.price,
    )


def approach_text(approach: Approach, record: Tally) -> str:
    zone, away = approach.zone, approach.distance
    where = f"{compact_percent(abs(away))} {'below' if away < 0 else 'above'}"
    chance = _nearest(zone)
    lines = [
        f"{zone.asset} zone: {zone.side}s {compact_usd(zone.expected_usd)}, {where}",
        f"{_range(zone)}, price {compact_price(approach.price)}{_sigmas(chance)}",
        f"About that much expected there{_between(zone)}, warned of from {compact_usd(approach.large_usd)}; predicted {_age(zone)} ago",
        _chances(zone, chance),
        _record(record) if approach.model == "ours" else "By the given model, which does not tell chances",
    ]
    return "\n".join(line for line in lines if line)


def _nearest(zone: Zone) -> Chance | None:
    return zone.chances[0] if zone.chances else None


def _range(zone: Zone) -> str:
    if zone.low == zone.high:
        return compact_price(zone.low)
    return f"{compact_price(zone.low)} to {compact_price(zone.high)}"


def _sigmas(chance: Chance | None) -> str:
    return f", {chance.sigmas:.1f} sigma of {chance.minutes} min away" if chance else ""


def _between(zone: Zone) -> str:
    if zone.least_usd <= 0:
        return ""
    return f" ({compact_usd(zone.least_usd)} to {compact_usd(zone.most_usd)})"


def _age(zone: Zone) -> str:
    return compact_duration(max(zone.at_ms - zone.born_ms, 60_000))


def _chances(zone: Zone, chance: Chance | None) -> str:
    if chance is None:
        return ""
    touch = f"Touched within {chance.minutes} min: {chance.probability:.0%}, by chance {chance.baseline:.0%}"
    return f"{touch}; if so, liquidations there: {zone.reacts:.0%}"


def _record(record: Tally) -> str:
    if record.predicted < ENOUGH_JUDGED:
        return f"Too few such warnings yet to judge them ({record.predicted})"
    expected = record.baseline / record.predicted
    return f"Zones like this were reached {record.reached} of {record.predicted} times, baseline {expected:.2f}"
