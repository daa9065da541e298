"""How long to wait before the next try. Pure: chance is an argument."""

from dataclasses import dataclass

MAX_DOUBLINGS = 64  # beyond any cap; a power without end would overflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits in seconds: `base`, times `factor` for each further failure, up to `cap`, less up to half of it by chance."""

    base_s: float
    factor: float
    cap_s: float
    jitter: float = 0.5

    def nominal_s(self, attempt: int) -> float:
        """The wait after the `attempt`-th failure in a row (1, 2, ...) without jitter."""
        return float(min(self.cap_s, self.base_s * self.factor ** min(attempt - 1, MAX_DOUBLINGS)))

    def delay_s(self, attempt: int, chance: float, *, at_least_s: float = 0.0) -> float:
        """The wait with jitter; `chance` is uniform in [0, 1). Never above the cap, never below `at_least_s`."""
        return max(self.nominal_s(attempt) * (1 - self.jitter * chance), at_least_s)
