"""What a replay of the whole tree raised, and what of it would have been sent: the rows of its own outbox."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from actors.exchanges.registry import EXCHANGES
from actors.outbox_rows import TERMINAL
from actors.recording.files import RecordingReader
from commands.replaying import Replay
from config.loading import load_settings
from supervisors.trees.presentation import DATABASE, Presentation

POLICIES: Mapping[str, Mapping[str, Any]] = {
    "static": {"switches.dynamic_thresholds": False},
    "tiered, capped": {"thresholds.learned.enough_days": 10_000.0},
    "tiered, no cap": {"thresholds.learned.enough_days": 10_000.0, "thresholds.cold_start_cap": "off"},
    "learned": {},
}

# Of the terminal, whose chat has chosen nothing: so what anybody would get by default.
_DECIDED = """
    SELECT a.kind, a.asset, json_extract(a.record, '$.threshold_source'), d.reason, d.silent
    FROM alerts a LEFT JOIN deliveries d ON d.alert_id = a.alert_id AND d.stage = 'raised' AND d.target = ?
    WHERE a.exchange_ms >= ?
"""


class Family(NamedTuple):
    kind: str
    asset: str


@dataclass(slots=True)
class Pushes:
    """`held`: by the gate that held it back. `sources`: the policies that judged, for the chain falls back where it must."""

    raised: int = 0
    sent: int = 0
    loud: int = 0
    held: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)


def replayed(recording: Path, policy: str, data_dir: Path, scored_ms: int) -> dict[Family, Pushes]:
    """Replay a recording by a policy. In a process of its own: it silences the logs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with RecordingReader(recording) as reader:
        header = reader.header
        settings = load_settings(overrides=_overrides(header.venues, data_dir) | POLICIES[policy], environ={}).settings
        presentation = Presentation(replay=True, telegram=False, console=True, write=_accept)
        entries = reader.entries()
        first = next(entries)
        silent = frozenset(EXCHANGES) - (set(header.venues) - set(header.silent))
        replay = Replay(settings, presentation, first.at_ms, silent)
        replay.take(first)
        for entry in entries:
            replay.take(entry)
        if replay.failed:
            raise RuntimeError(f"the tree gave up: {replay.failed}")
        replay.end()
    with closing(sqlite3.connect(data_dir / DATABASE)) as database:
        return counted(database.execute(_DECIDED, (TERMINAL, scored_ms)))


def counted(rows: Iterable[tuple[str, str, str, str, int]]) -> dict[Family, Pushes]:
    """From rows of kind, asset, source of the threshold, the gate that held it ("" or None: none), and whether silent."""
    found: dict[Family, Pushes] = {}
    for kind, asset, source, gate, silent in rows:
        pushes = found.setdefault(Family(kind, asset), Pushes())
        pushes.raised += 1
        pushes.sources[source] += 1
        if gate:
            pushes.held[gate.partition(":")[0]] += 1
        else:
            pushes.sent += 1
            pushes.loud += not silent
    return found


def _overrides(venues: Iterable[str], data_dir: Path) -> dict[str, Any]:
    data_dir.mkdir(parents=True, exist_ok=True)
    return {
        **{f"venues.{venue}.enabled": venue in set(venues) for venue in EXCHANGES},
        "data_dir": str(data_dir),
        "telegram.token": "",
        "supervision.health_tick_s": 3600.0,
        "logs.level": "error",
    }


def _accept(_text: str) -> bool:
    return True
