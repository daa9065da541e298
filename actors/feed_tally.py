"""What a connection counts of its feeds: when each instrument was heard, and how far event times lie behind ours."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from intelligence.clock_offset import ClockOffset, ClockSeen
from intelligence.feed_health import FeedKind

_DELAYS = 64  # samples that wait for the next report
_PERIOD_MS = {kind: kind.period_ms for kind in FeedKind}


class Heard(NamedTuple):
    """Periods with events so far of one instrument, where it is empty of any, and when the last one began."""

    kind: FeedKind
    instrument: str
    asset: str
    periods: int
    last_ms: int


class FeedTally:
    """Of one connection, over all its sockets. `note` is called by reader threads once a read and kind; the rest is the
    actor's; `kinds` are those whose clocks are kept. Counts only grow, so two readers at once (a renewal) cost a period at the worst.
    """

    def __init__(self, kinds: Iterable[FeedKind] = (), jump_ms: float = math.inf) -> None:
        kinds = tuple(kinds)
        self._periods: dict[FeedKind, dict[str, list[int]]] = {kind: {} for kind in FeedKind}
        self._delays: dict[FeedKind, deque[int]] = {kind: deque(maxlen=_DELAYS) for kind in FeedKind}
        self._clocks = {kind: ClockOffset(jump_ms) for kind in kinds}
        self._told: dict[tuple[FeedKind, str], int] = {}

    def note(self, kind: FeedKind, instruments: Iterable[str], received_ms: int, exchange_ms: int) -> None:
        """Count one read. `exchange_ms`: an event's in it."""
        period = received_ms // _PERIOD_MS[kind]
        periods = self._periods[kind]
        fresh = False
        for instrument in instruments:
            known = periods.get(instrument)
            if known is None:
                periods[instrument] = [period, 1]
            elif known[0] != period:
                known[0] = period
                known[1] += 1
            else:
                continue
            fresh = True
        if fresh:
            self._note_whole(kind, period, received_ms - exchange_ms)

    def _note_whole(self, kind: FeedKind, period: int, delay_ms: int) -> None:
        """Count a period once for all instruments: what stops them stops all, so a hundred prove no more than one."""
        whole = self._periods[kind].setdefault("", [0, 0])
        if whole[0] != period:
            whole[0] = period
            whole[1] += 1
            self._delays[kind].append(delay_ms)

    def heard(self, assets: Mapping[str, str]) -> tuple[Heard, ...]:
        """Whatever was heard since the last call; `assets` by instrument."""
        found = []
        for kind, periods in self._periods.items():
            for instrument, (period, count) in tuple(periods.items()):
                asset = assets.get(instrument, "")
                if self._told.get((kind, instrument)) != count and (asset or not instrument):
                    self._told[kind, instrument] = count
                    found.append(Heard(kind, instrument, asset, count, period * _PERIOD_MS[kind]))
        return tuple(found)

    def clocks(self) -> tuple[ClockSeen, ...]:
        """The state of every feed's clock after what came since the last call."""
        for kind, clock in self._clocks.items():
            delays = self._delays[kind]
            while delays:
                clock.take(delays.popleft())
        return tuple(ClockSeen(kind, one.offset_ms, one.drift_ms, one.jumped) for kind, one in self._clocks.items())
