"""A1: alerts recomputed from the whole recording."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from commands.backtesting.plays import minutes_of
from intelligence.alerts import AlertKind
from intelligence.detectors.cascade import CascadeRule
from intelligence.evaluation.family import LEAST_ALERTS, Recording
from intelligence.evaluation.intervals import Share
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.recomputed import (
    Reasons,
    Recompute,
    of_cascades,
    of_open_interest,
    of_orders,
    of_volume,
    untrue,
)
from intelligence.evaluation.report import NOT_MEASURABLE, Table, figure
from intelligence.market import Liquidation

GOAL = 0.98  # detection.md 11

Untrue = Mapping[str, Mapping[str, Reasons]]  # by setting, then asset


def of_minutes(recordings: Mapping[str, Recording], data: Path, source: str, kind: AlertKind) -> dict[str, Recompute]:
    found = {}
    for asset, one in recordings.items():
        minutes = minutes_of(data, source, asset)
        if kind is AlertKind.VOLUME_SPIKE:
            found[asset] = of_volume(one.bars, np.array([minute.complete for minute in minutes]))
        else:
            coins = [minute.open_interest[0].quantity if minute.open_interest else np.nan for minute in minutes]
            found[asset] = of_open_interest(one.bars, np.array(coins))
    return found


def of_tapes(tapes: Mapping[str, Sequence[Liquidation]], kind: AlertKind) -> dict[str, Recompute]:
    cascades = kind is AlertKind.CASCADE
    return {asset: of_cascades(tape, CascadeRule()) if cascades else of_orders(tape) for asset, tape in tapes.items()}


def untrue_of(
    told: Mapping[str, Mapping[str, Sequence[Told]]], kind: AlertKind, recompute: Mapping[str, Recompute]
) -> Untrue:
    return {
        setting: {asset: untrue(by_asset.get(asset, ()), kind, again) for asset, again in recompute.items()}
        for setting, by_asset in told.items()
    }


def truth_table(
    told: Mapping[str, Mapping[str, Sequence[Told]]],
    kind: AlertKind,
    recordings: Mapping[str, Recording],
    found: Untrue,
) -> Table:
    rows = []
    for setting, by_asset in told.items():
        alerts = [
            found[setting][asset].get(one.alert_id, "")
            for asset, recording in recordings.items()
            for one in raised(by_asset.get(asset, ()), kind)
            if one.at_ms >= recording.from_ms
        ]
        reasons = Counter(filter(None, alerts))
        share = Share(len(alerts) - reasons.total(), len(alerts))
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
        rows.append((setting, len(alerts), figure(share) if share.of >= LEAST_ALERTS else NOT_MEASURABLE, why or "-"))
    return Table(
        title="A1: recomputed from the whole recording",
        columns=("setting", "alerts", "A1", "not true because of"),
        rows=tuple(rows),
        note=f"Goal {GOAL}. Figure: another one comes out; rule: it does not hold any more; feed: a minute of the window is not "
        "there; duplicate: an incident of that side was open.",
    )
