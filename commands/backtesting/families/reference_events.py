"""Alerts against what really happened: reference events, matched one to one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from commands.backtesting.plays import minutes_of
from intelligence.alerts import AlertKind
from intelligence.evaluation import baselines, reference
from intelligence.evaluation.bars import Floats
from intelligence.evaluation.family import LEAST_ALERTS, Family, Recording
from intelligence.evaluation.intervals import Share
from intelligence.evaluation.matching import Event, Matching
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.report import NOT_MEASURABLE, Cell, Table, figure
from intelligence.market import Liquidation


def matching_table(
    family: Family, told: Mapping[str, Sequence[Told]], events: Mapping[str, Sequence[Event]], kind: AlertKind
) -> Table:
    alerts = {asset: raised(told.get(asset, ()), kind) for asset in family.recordings}
    counts = {asset: len(found) for asset, found in family.places(alerts).items()}
    whole = kind is AlertKind.CASCADE
    rows = [_matching_row("ours", family.matched(_times(alerts), events, whole=whole))]
    for name, scores in (("price only", baselines.price_only), ("volume only (naive z)", baselines.naive_volume)):
        times = {
            asset: one.bars.end_ms(baselines.strongest(scores(one.bars), counts[asset], one.bars, one.first)).tolist()
            for asset, one in family.recordings.items()
            if counts[asset] and one.bars.usd.any()
        }
        if times:
            matched = family.matched({asset: times.get(asset, []) for asset in counts}, events, whole=whole)
            rows.append(_matching_row(name, matched))
    return Table(
        title="Reference events, matched one to one",
        columns=("alarm", "alerts", "events", "precision", "recall", "F0.5", "lead, median s", "lead above 0"),
        rows=tuple(rows),
        note="Events by the rules of detection.md 12.2, which are unlike the detectors'. Lead: start of the event less delivery.",
    )


def _times(alerts: Mapping[str, Sequence[Told]]) -> dict[str, list[int]]:
    return {asset: [one.at_ms for one in found] for asset, found in alerts.items()}


def _matching_row(name: str, found: Matching) -> tuple[Cell, ...]:
    if found.alerts < LEAST_ALERTS or not found.events:
        return name, found.alerts, found.events, *(NOT_MEASURABLE,) * 5
    leads = np.array(found.leads_ms) / 1000
    return (
        name,
        found.alerts,
        found.events,
        figure(Share(len(found.pairs), found.alerts)),
        figure(found.recall),
        figure(found.f_half),
        figure(float(np.median(leads)) if len(leads) else float("nan")),
        figure(float(np.mean(leads > 0)) if len(leads) else float("nan")),
    )


def events_of(
    recordings: Mapping[str, Recording], data: Path, source: str, kind: AlertKind
) -> dict[str, tuple[Event, ...]]:
    """Reference events of minutes; those of liquidations need their tape (`cascades_of`)."""
    if kind is AlertKind.VOLUME_SPIKE:
        return {asset: reference.volume_events(one.bars) for asset, one in recordings.items()}
    found = {}
    for asset, one in recordings.items():
        coins = [
            minute.open_interest[0].quantity if minute.open_interest else np.nan
            for minute in minutes_of(data, source, asset)
        ]
        filled = _filled(np.array(coins))
        found[asset] = reference.open_interest_events(one.bars, filled)
    return found


def cascades_of(
    recordings: Mapping[str, Recording], tapes: Mapping[str, Sequence[Liquidation]]
) -> dict[str, tuple[Event, ...]]:
    found = {}
    for asset, tape in tapes.items():
        times = np.array([one.exchange_ms for one in tape], dtype=np.int64)
        usd = np.array([one.notional_usd for one in tape])
        is_long = np.array([one.position_side.value == "long" for one in tape])
        sides = [
            reference.cascade_events(times, usd, is_long, recordings[asset].bars, long=long) for long in (True, False)
        ]
        found[asset] = tuple(sorted((event for side in sides for event in side), key=lambda one: one.start_ms))
    return found


def _filled(values: Floats) -> Floats:
    places = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    return np.asarray(values[places])
