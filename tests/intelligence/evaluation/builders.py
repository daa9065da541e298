"""A market for the evaluation, and alerts in it."""

import numpy as np

from intelligence.alerts import AlertKind, Stage
from intelligence.evaluation.bars import Bars
from intelligence.evaluation.played import Told

DAY = 1_440
MINUTE_MS = 60_000


def walk(days=25, seed=1, sigma=0.001):
    """A market that moves alike at every minute."""
    draw = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(draw.normal(0, sigma, days * DAY)))
    before = np.concatenate(([100.0], close[:-1]))
    return Bars(
        asset="BTC",
        step_min=1,
        from_ms=np.arange(days * DAY, dtype=np.int64) * MINUTE_MS,
        high=np.maximum(before, close),
        low=np.minimum(before, close),
        close=close,
        usd=draw.lognormal(0, 1, days * DAY),
    )


def told_at(minute, **overrides):
    """A volume spike of five minutes, told at the end of that minute."""
    at_ms = (minute + 1) * MINUTE_MS
    fields = {
        "alert_id": f"a{minute}",
        "at_ms": at_ms,
        "started_ms": at_ms,
        "latest_ms": at_ms,
        "window_ms": 5 * MINUTE_MS,
        "stage": Stage.RAISED,
        "kind": AlertKind.VOLUME_SPIKE,
        "side": None,
        "value": 3.0,
        "threshold": 2.0,
        "strength": 3.0,
        "text": "",
    }
    return Told(**(fields | overrides))
