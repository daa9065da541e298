"""The bars that a family of alerts is judged on, and from which of them on its alerts count."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from commands.backtesting.plays import SOURCES, minutes_of
from intelligence.alerts import AlertKind
from intelligence.evaluation.bars import DAY_MIN, Bars, bars_of
from intelligence.evaluation.family import Recording
from intelligence.market import Liquidation
from intelligence.outcomes.consequence import OWN_HORIZON

AFTER_TAPE_MS = 3 * 3_600_000


def recordings_of(data: Path, source: str, kind: AlertKind) -> dict[str, Recording]:
    about = SOURCES[source]
    first = int(about.warm_up_days * DAY_MIN / about.step_min)
    return {
        asset: Recording.of(bars_of(minutes_of(data, source, asset), about.step_min), OWN_HORIZON[kind], first)
        for asset in about.assets
    }


def during(recordings: Mapping[str, Recording], tapes: Mapping[str, Sequence[Liquidation]]) -> dict[str, Recording]:
    """Only the days of the tapes count; bars end soon after them."""
    found = {}
    for asset, tape in tapes.items():
        outcomes = recordings[asset].outcomes
        bars = outcomes.bars
        first, last = bars.place_of(np.array([tape[0].exchange_ms, tape[-1].exchange_ms + AFTER_TAPE_MS]))
        found[asset] = Recording.of(_cut(bars, int(last)), outcomes.horizon_min, max(0, int(first)))
    return found


def _cut(bars: Bars, after: int) -> Bars:
    return Bars(
        asset=bars.asset,
        step_min=bars.step_min,
        from_ms=bars.from_ms[:after],
        high=bars.high[:after],
        low=bars.low[:after],
        close=bars.close[:after],
        usd=bars.usd[:after],
    )
