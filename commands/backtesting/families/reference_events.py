"""Alerts against what really happened: reference events, matched one to one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from commands.backtesting.plays import minutes_of
from intelligence.alerts import AlertKind, Stage
from intelligence.evaluation import baselines, reference
from intelligence.evaluation.bars import Floats
from intelligence.evaluation.family import LEAST_ALERTS, Family, Recording
from intelligence.evaluation.intervals import Share
from intelligence.evaluation.matching import Event, Matching
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.report import NOT_MEASURABLE, Cell, Figure, Table, figure
from intelligence.market import Liquidation
from intelligence.minute import MINUTE_MS

BASELINES = (("price only", baselines.price_only, False), ("volume only (naive z)", baselines.naive_volume, True))
COLUMNS = (
    "alarm",
    "alerts",
    "events",
    "precision",
    "recall",
    "F0.5",
    "lead, median s",
    "lead, p10 s",
    "lead above 0",
    "open, median min",
)


def matching_table(
    family: Family, told: Mapping[str, Sequence[Told]], events: Mapping[str, Sequence[Event]], kind: AlertKind
) -> Table:
    alerts = {asset: raised(told.get(asset, ()), kind) for asset in family.recordings}
    counts = {asset: len(found) for asset, found in family.places(alerts).items()}
    whole = kind is AlertKind.CASCADE
    reset = [minutes for asset in family.recordings for minutes in _open_min(told.get(asset, ()), kind)]
    rows = [(*_row("ours", family.matched(_times(alerts), events, whole=whole)), _median(reset))]
    for name, scores, by_volume in BASELINES:
        times = {
            asset: one.bars.end_ms(baselines.strongest(scores(one.bars), counts[asset], one.bars, one.first)).tolist()
            for asset, one in family.recordings.items()
            if counts[asset] and (one.bars.usd.any() or not by_volume)
        }
        if times:
            matched = family.matched({asset: times.get(asset, []) for asset in counts}, events, whole=whole)
            rows.append((*_row(name, matched), ""))
    return Table(
        title="Reference events, matched one to one",
        columns=COLUMNS,
        rows=tuple(rows),
        note="Events by the rules of detection.md 12.2, which are unlike the detectors'. Lead: start of the event less delivery. "
        "Open: from raised to ended.",
    )


def _open_min(told: Sequence[Told], kind: AlertKind) -> Iterator[float]:
    """How long each incident that has ended was open."""
    since_ms: dict[str, int] = {}
    for one in told:
        if one.kind is kind and one.stage is Stage.RAISED:
            since_ms[one.alert_id] = one.at_ms
        elif one.stage is Stage.ENDED and one.alert_id in since_ms:
            yield (one.at_ms - since_ms.pop(one.alert_id)) / MINUTE_MS


def _median(values: Sequence[float]) -> Figure:
    return figure(float(np.median(values)) if len(values) else float("nan"))


def _times(alerts: Mapping[str, Sequence[Told]]) -> dict[str, list[int]]:
    return {asset: [one.at_ms for one in found] for asset, found in alerts.items()}


def _row(name: str, found: Matching) -> tuple[Cell, ...]:
    """All but the last column."""
    if found.alerts < LEAST_ALERTS or not found.events:
        return name, found.alerts, found.events, *(NOT_MEASURABLE,) * 6
    leads = np.array(found.leads_ms) / 1000
    return (
        name,
        found.alerts,
        found.events,
        figure(Share(len(found.pairs), found.alerts)),
        figure(found.recall),
        figure(found.f_half),
        _median(leads.tolist()),
        figure(float(np.quantile(leads, 0.1)) if len(leads) else float("nan")),
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
