"""How busy a quarter hour of the week usually is, against the asset's own average (detection.md 4.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

QUARTER_MS = 900_000
QUARTERS_A_DAY = 96
QUARTERS_A_WEEK = 7 * QUARTERS_A_DAY
ENOUGH_MINUTES = 60  # detection.md 4.2: with fewer a bucket is pooled over the weekdays, or over the weekend
SHRINK_MINUTES = 40  # detection.md 4.2: k
INDEX_LIMITS = (0.1, 10.0)  # ours: a quarter that usually stands still must not turn every trade into an event

Turnover = Callable[[int], float | None]  # USD of a quarter hour by its number since 1970, None where unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """`index`: the bucket's level in overall medians, `level_usd` / `overall_usd` within limits.

    `level_usd`: median turnover of the bucket, shrunk towards that of its hour; `minutes`: how many stand behind it.
    """

    index: float
    level_usd: float
    overall_usd: float
    minutes: int


def season_at(number: int, turnover: Turnover, *, days: int, overall_usd: float) -> Season | None:
    """The season of quarter hour `number` (since 1970) from earlier ones, at most `days` back; None where nothing is known.

    `overall_usd`: the median of all quarter hours, above 0.
    """
    bucket = _known(turnover, range(number - QUARTERS_A_WEEK, number - days * QUARTERS_A_DAY - 1, -QUARTERS_A_WEEK))
    hour = _hour(number, turnover, range(7, days + 1, 7))
    if 15 * len(bucket) < ENOUGH_MINUTES:
        weekend = is_weekend(number)
        alike = [day for day in range(1, days + 1) if is_weekend(number - day * QUARTERS_A_DAY) == weekend]
        bucket = _known(turnover, (number - day * QUARTERS_A_DAY for day in alike))
        hour = _hour(number, turnover, alike)
    if not hour:
        return None
    minutes = 15 * len(bucket)
    level = (minutes * median(bucket or [0.0]) + SHRINK_MINUTES * median(hour)) / (minutes + SHRINK_MINUTES)
    low, high = INDEX_LIMITS
    return Season(
        index=min(max(level / overall_usd, low), high), level_usd=level, overall_usd=overall_usd, minutes=minutes
    )


def _hour(number: int, turnover: Turnover, days_back: Iterable[int]) -> list[float]:
    first = number // 4 * 4
    quarters = (first + quarter - day * QUARTERS_A_DAY for day in days_back for quarter in range(4))
    return _known(turnover, quarters)


def _known(turnover: Turnover, numbers: Iterable[int]) -> list[float]:
    return [usd for number in numbers if (usd := turnover(number)) is not None]


def is_weekend(number: int) -> bool:
    """Whether a quarter hour lies on a Saturday or Sunday, UTC; 1970 began on a Thursday."""
    return (number // QUARTERS_A_DAY + 3) % 7 >= 5
