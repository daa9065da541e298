"""Alerts against reference events, one to one (detection.md 12.3): the second alert of an event is false."""

from collections.abc import Sequence
from dataclasses import dataclass

BEFORE_MS = 60_000
AFTER_MS = 120_000


@dataclass(frozen=True, slots=True)
class Event:
    start_ms: int
    end_ms: int

    def window(self, *, whole: bool) -> tuple[int, int]:
        """When an alert of it may come: until its end for a cascade (`whole`), else shortly after its start."""
        return self.start_ms - BEFORE_MS, self.end_ms if whole else self.start_ms + AFTER_MS


@dataclass(frozen=True, slots=True)
class Matching:
    """`pairs`: place of the alert, place of the event. `leads_ms`: start of the event less delivery."""

    pairs: tuple[tuple[int, int], ...]
    alerts: int
    events: int
    leads_ms: tuple[int, ...]

    @property
    def precision(self) -> float:
        return len(self.pairs) / self.alerts if self.alerts else float("nan")

    @property
    def recall(self) -> float:
        return len(self.pairs) / self.events if self.events else float("nan")

    @property
    def f_half(self) -> float:
        """F0.5: precision counts twice as much as recall."""
        both = 0.25 * self.precision + self.recall
        return 1.25 * self.precision * self.recall / both if both > 0 else 0.0


def match(delivered_ms: Sequence[int], events: Sequence[Event], *, whole: bool) -> Matching:
    """As many pairs as can be: events by the end of their window, each with the earliest alert that is left in it."""
    alerts = sorted(range(len(delivered_ms)), key=delivered_ms.__getitem__)
    order = sorted(range(len(events)), key=lambda place: events[place].window(whole=whole)[1])
    pairs = []
    for place in order:
        first, last = events[place].window(whole=whole)
        found = next((alert for alert in alerts if first <= delivered_ms[alert] <= last), None)
        if found is not None:
            alerts.remove(found)
            pairs.append((found, place))
    return Matching(
        pairs=tuple(sorted(pairs)),
        alerts=len(delivered_ms),
        events=len(events),
        leads_ms=tuple(events[event].start_ms - delivered_ms[alert] for alert, event in pairs),
    )
