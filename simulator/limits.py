"""Counting against a venue's rate limits."""

from collections import deque


class SlidingLimit:
    """At most `limit` units in any `window_s` seconds."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self._window_s = window_s
        self._taken: deque[tuple[float, int]] = deque()
        self.used = 0

    def allow(self, now_s: float, units: int = 1) -> bool:
        """Take `units`; refused ones are not counted."""
        while self._taken and self._taken[0][0] <= now_s - self._window_s:
            self.used -= self._taken.popleft()[1]
        if self.used + units > self.limit:
            return False
        self._taken.append((now_s, units))
        self.used += units
        return True
