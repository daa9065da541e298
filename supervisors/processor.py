"""How much of a processor a part of the tree takes, over a sliding window. Pure."""

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

LOOKS = 12  # in a window


class Allowance(NamedTuple):
    """`share` of one processor, on average over `window_s`."""

    share: float
    window_s: float


class Consumption:
    """Told now and then how long everybody has computed since their start, by whoever names them once and for all."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._seen: dict[Hashable, float] = {}
        self._total_s = 0.0
        self._looks: deque[tuple[float, float]] = deque()

    def due(self, now_s: float) -> bool:
        """Whether it is time to look again."""
        return not self._looks or now_s - self._looks[-1][0] >= self._allowance.window_s / LOOKS

    def excess(self, now_s: float, used_s: Mapping[Any, float]) -> float:
        """The share that is taken, where it is more than is allowed, else 0. Nothing is said before a window is over."""
        self._total_s += sum(used - self._seen.get(who, 0.0) for who, used in used_s.items())
        self._seen = dict(used_s)
        self._looks.append((now_s, self._total_s))
        while len(self._looks) > 1 and now_s - self._looks[1][0] >= self._allowance.window_s:
            self._looks.popleft()
        since_s, before_s = self._looks[0]
        if now_s - since_s < self._allowance.window_s:
            return 0.0
        share = (self._total_s - before_s) / (now_s - since_s)
        return share if share > self._allowance.share else 0.0
