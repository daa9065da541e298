"""When a child that failed starts again, and when it has failed too often. Pure: time and chance are arguments."""

from dataclasses import dataclass, replace
from random import Random

from supervisors.spec import Profile, nominal_delay_s

SPREAD_S = 0.02  # per running sibling: spreads a failure that all of them share
SPREAD_MAX_S = 2.0


@dataclass(frozen=True, slots=True)
class Failures:
    """The failures of one child: `k` in a row, and the times (machine s) that count towards its limit."""

    k: int = 0
    times: tuple[float, ...] = ()


def book(failures: Failures, profile: Profile, *, now_s: float, ready_s: float | None) -> Failures:
    """Add an abnormal end at `now_s` of an incarnation that became ready at `ready_s` (None: never).

    A successful start resets nothing; only `stable_s` of running does.
    """
    stable = ready_s is not None and now_s - ready_s >= profile.stable_s
    times = tuple(at for at in failures.times if now_s - at < profile.window_s)
    return replace(failures, k=1 if stable else failures.k + 1, times=(*times, now_s))


def exhausted(failures: Failures, profile: Profile) -> bool:
    return len(failures.times) > profile.max_restarts


def delay_s(failures: Failures, profile: Profile, random: Random, *, siblings: int, retry_after_s: float) -> float:
    """Seconds from the exit to the restart: the nominal delay less jitter, never above the cap, never below
    `retry_after_s`.
    """
    if failures.k <= 1:
        delay = random.random() * min(SPREAD_MAX_S, SPREAD_S * siblings)
    else:
        delay = nominal_delay_s(profile, failures.k) * (1 - profile.jitter * random.random())
    return max(delay, retry_after_s)
