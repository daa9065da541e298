"""A2 of one setting by asset, session, part of the week and volatility: where a family is good and where it is silent."""

from collections.abc import Mapping, Sequence

import numpy as np

from intelligence.alerts import AlertKind
from intelligence.evaluation.bars import Flags, Ints
from intelligence.evaluation.family import LEAST_ALERTS, Family, Recording
from intelligence.evaluation.intervals import bootstrap_mean
from intelligence.evaluation.played import Told, raised
from intelligence.evaluation.report import NOT_MEASURABLE, Cell, Table, figure
from intelligence.thresholds.sessions import SessionRule


def parts_table(family: Family, told: Mapping[str, Sequence[Told]], kind: AlertKind, setting: str) -> Table:
    """A2 of one setting by asset, session, part of the week and volatility."""
    groups: dict[str, list[Flags]] = {}
    days: dict[str, list[Ints]] = {}
    for asset, recording in family.recordings.items():
        places = family.places({asset: raised(told.get(asset, ()), kind)})[asset]
        judged = recording.outcomes.judge(places)
        for name, inside in _parts(asset, recording, judged.places):
            groups.setdefault(name, []).append(judged.plain[inside])
            days.setdefault(name, []).append(recording.bars.day_of(judged.places[inside]))
    rows: list[tuple[Cell, ...]] = []
    for name, parts in groups.items():
        hits = np.concatenate(parts)
        enough = len(hits) >= LEAST_ALERTS
        rows.append(
            (name, len(hits), figure(bootstrap_mean(hits, np.concatenate(days[name]))) if enough else NOT_MEASURABLE)
        )
    return Table(title=f"By part, {setting}", columns=("part", "alerts", "A2"), rows=tuple(rows))


def _parts(asset: str, recording: Recording, places: Ints) -> list[tuple[str, Flags]]:
    bars, volatility = recording.bars, recording.outcomes.volatility
    edges = np.quantile(volatility[recording.first :], (1 / 3, 2 / 3))
    tercile = np.searchsorted(edges, volatility[places])
    rule = SessionRule()
    sessions = np.array([str(rule.at(int(at_ms))) for at_ms in bars.end_ms(places)], dtype=object)
    parts = [(asset, np.ones(len(places), dtype=bool))]
    parts += [(f"session {name}", np.asarray(sessions == name)) for name in sorted(set(sessions))]
    parts += [(f"volatility {name}", tercile == place) for place, name in enumerate(("low", "middle", "high"))]
    return parts
