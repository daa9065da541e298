"""How far received times lie behind event times on one feed: the venue's clock against ours, and the way between."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from intelligence.feed_health import FeedKind

RECENT = 20  # samples that are looked at for a jump
KNOWN = 300  # samples before them; a new offset that has stood for as many is what is normal from then on
_LOW_SHARE = 0.05  # detection.md 3.5


class ClockSeen(NamedTuple):
    """A feed's offset, None before the first event, and how far it lies from that now; ms."""

    kind: FeedKind
    offset_ms: int | None
    drift_ms: int
    jumped: bool


class ClockOffset:
    """Running estimate of `t_r - t_e` in ms (detection.md 3.5). Give it some samples a second at most.

    The offset is the p5, because delays have a long tail upwards and none downwards. A jump upwards is one of the p5 too;
    a jump downwards counts when half of the recent samples show it, since an event or two with broken times are no clock.
    """

    def __init__(self, jump_ms: float) -> None:
        self._jump_ms = jump_ms
        self._known: deque[int] = deque(maxlen=KNOWN)
        self._recent: deque[int] = deque(maxlen=RECENT)
        self._jumped_for = 0

    def take(self, delay_ms: int) -> None:
        if len(self._recent) == RECENT and not self.jumped:
            self._known.append(self._recent[0])
        self._recent.append(delay_ms)
        self._jumped_for = self._jumped_for + 1 if self.jumped else 0
        if self._jumped_for > KNOWN:
            self._known.clear()
            self._known.extend(self._recent)

    @property
    def offset_ms(self) -> int | None:
        """What is normal here; None without a sample."""
        samples = self._known or self._recent
        return _quantile(samples, _LOW_SHARE) if samples else None

    @property
    def drift_ms(self) -> int:
        """How far the recent samples lie from the offset; positive is later. 0 while too few are known."""
        if len(self._known) < RECENT or len(self._recent) < RECENT:
            return 0
        offset_ms = _quantile(self._known, _LOW_SHARE)
        later_ms = _quantile(self._recent, _LOW_SHARE) - offset_ms
        return later_ms if later_ms > 0 else min(0, _quantile(self._recent, 0.5) - offset_ms)

    @property
    def jumped(self) -> bool:
        return abs(self.drift_ms) > self._jump_ms


def _quantile(samples: Sequence[int], share: float) -> int:
    return sorted(samples)[int(share * len(samples))]
