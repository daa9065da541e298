"""Market time as a piecewise-linear function of CLOCK_MONOTONIC, which all processes of one host share."""

from bisect import bisect_right
from dataclasses import dataclass, field

Breakpoint = tuple[float, int, float]  # monotonic seconds, market time in ms, market seconds per real second


@dataclass(slots=True)
class ClockMap:
    """From each breakpoint on, market time advances at that breakpoint's rate, up to the next breakpoint."""

    breakpoints: list[Breakpoint] = field(default_factory=list)

    def market_ms(self, monotonic_s: float) -> int:
        index = max(0, bisect_right(self.breakpoints, monotonic_s, key=lambda point: point[0]) - 1)
        start_s, start_ms, rate = self.breakpoints[index]
        return start_ms + int(max(0.0, monotonic_s - start_s) * rate * 1000)

    def add(self, point: Breakpoint) -> None:
        if self.breakpoints and point[0] < self.breakpoints[-1][0]:
            raise ValueError(f"clock: breakpoint at {point[0]} s lies before the last, at {self.breakpoints[-1][0]} s")
        self.breakpoints.append(point)

    def as_json(self) -> list[list[float]]:
        return [list(point) for point in self.breakpoints]
