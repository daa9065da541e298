"""Whether a silence can be chance: the expected-rate watchdog of one source (detection.md 13.4).

Events are counted as the periods that held any (feed_health.py), because they come in clumps, fills of one order above
all, and the law below is of independent ones.
"""

import math

ENOUGH = 20.0  # periods with events of the other venues that make them a measure by themselves


class FeedRate:
    """What one source brought and what the other venues brought of the same meanwhile, both forgotten by half-life.

    If events fall at a constant rate, the chance that none of n falls into the last g of T + g is (T / (T + g)) ** n:
    for a rate that is well known exp(-rate * g), and honest while little is known. T and g are measured in the events of
    the other venues, so that a market which is quiet everywhere makes no silence; in time where nobody else tells.
    `others` is their count so far, `at_ms` market time.
    """

    def __init__(self, half_life_ms: float, at_ms: int, others: int) -> None:
        self._half_life_ms = half_life_ms
        self._events = self._time_ms = self._others = 0.0
        self._since_ms, self._others_since = at_ms, others

    @property
    def is_heard(self) -> bool:
        return self._events > 0

    @property
    def usual_per_s(self) -> float:
        return 1000 * self._events / self._time_ms if self._time_ms else 0.0

    def hear(self, periods: int, at_ms: int, others: int) -> None:
        """Take in so many further periods with events, the last of them at `at_ms`."""
        gap_ms = max(0, at_ms - self._since_ms)
        kept = math.exp2(-gap_ms / self._half_life_ms)
        self._events = self._events * kept + periods
        self._time_ms = self._time_ms * kept + max(gap_ms, 1000 * periods)
        self._others = self._others * kept + (others - self._others_since)
        self._since_ms, self._others_since = max(at_ms, self._since_ms), others

    def resume(self, at_ms: int, others: int) -> None:
        """Begin the silence anew: until now nothing could come."""
        self._since_ms, self._others_since = max(at_ms, self._since_ms), others

    def silent_ms(self, now_ms: int) -> int:
        return now_ms - self._since_ms

    def others_meanwhile(self, others: int) -> int:
        return others - self._others_since

    def chance(self, now_ms: int, others: int) -> float:
        """Of a silence like this one while all is well."""
        meanwhile = self.others_meanwhile(others)
        by_time = self._share_before(self._time_ms, self.silent_ms(now_ms))
        return max(by_time, self._share_before(self._others, meanwhile)) if self._others + meanwhile > 0 else by_time

    def chance_by_others(self, others: int) -> float:
        """The same for what comes in bursts: what the others brought meanwhile is all the evidence there is."""
        return self._share_before(self._others, self.others_meanwhile(others)) if self._others >= ENOUGH else 1.0

    def _share_before(self, before: float, since: float) -> float:
        if since <= 0 or not self._events:
            return 1.0
        return float((before / (before + since)) ** self._events)
