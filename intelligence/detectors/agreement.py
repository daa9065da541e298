"""Whether two venues show a burst of liquidations at the same time (detection.md 5.2)."""

from intelligence.detectors.flow import BURST_MS, LiquidationFlow
from intelligence.market import PositionSide


class VenueAgreement:
    """Bursts of one side by venue: sums of 10 s not below the venue's level, in micro-dollars.

    `default_level` stands for venues whose own level is not known. Only venues able to report count.
    """

    def __init__(
        self,
        side: PositionSide,
        flow: LiquidationFlow,
        *,
        default_level: int,
        levels: dict[str, int],
        agree_ms: int,
    ) -> None:
        self._side, self._flow = side, flow
        self._default_level, self._levels, self._agree_ms = default_level, levels, agree_ms
        self._bursts: dict[str, int] = {}  # venue: when it last showed one
        self._agreed_ms: int | None = None
        self._agreed: frozenset[str] = frozenset()

    def judge_by(self, *, default_level: int, levels: dict[str, int]) -> None:
        """Count bursts from now on by other levels; those that were seen stay seen."""
        self._default_level, self._levels = default_level, levels

    def note(self, venue: str, from_ms: int, able: tuple[str, ...]) -> frozenset[str]:
        """Judge a venue from a new order's time on; the venues that agree because of it."""
        agreeing: frozenset[str] = frozenset()
        if venue not in able:
            return agreeing
        window, level = self._flow.of_venue(self._side, venue), self._levels.get(venue, self._default_level)
        for at_ms in window.times_from(from_ms):
            if window.total(at_ms, BURST_MS) >= level:
                self._bursts[venue] = max(self._bursts.get(venue, at_ms), at_ms)
                agreeing |= self._agree(venue, at_ms, able)
        return agreeing

    def since(self, after_ms: int) -> frozenset[str]:
        """The venues that last agreed, if that was later than `after_ms`."""
        return self._agreed if self._agreed_ms is not None and self._agreed_ms > after_ms else frozenset()

    def _agree(self, venue: str, at_ms: int, able: tuple[str, ...]) -> frozenset[str]:
        others = {
            other
            for other, burst_ms in self._bursts.items()
            if other != venue and other in able and abs(burst_ms - at_ms) <= self._agree_ms
        }
        if not others:
            return frozenset()
        self._agreed_ms, self._agreed = at_ms, frozenset((venue, *others))
        return self._agreed
