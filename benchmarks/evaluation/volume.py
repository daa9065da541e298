"""Volume spikes on recorded minutes: ours and the naive one of detection.md 12.10, at the same number of pushes."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum, log, log1p
from statistics import median

from benchmarks.evaluation.outcome import APART, Outcomes, Share
from intelligence.alerts import Stage
from intelligence.detectors.volume_spike import VolumeRule, VolumeSpikeDetector
from intelligence.minute import Minute

DAY = 1_440
WARM_UP = 7 * DAY
RATES = (0.5, 1.0, 2.0, 4.0)  # pushes an asset and day
MINUTE_MS = 60_000

Told = dict[int, Stage]  # by place of the minute


@dataclass(frozen=True, slots=True)
class Recording:
    """An asset's minutes with what followed each of them."""

    asset: str
    minutes: Sequence[Minute]
    outcomes: Outcomes

    @property
    def days(self) -> float:
        return (len(self.minutes) - WARM_UP) / DAY


@dataclass(frozen=True, slots=True)
class Score:
    """Over the assets: pushes an asset and day, and A2 pooled and by asset."""

    pushes: float
    plain: Share
    strict: Share
    by_asset: tuple[tuple[str, Share], ...]

    @property
    def mean(self) -> float:
        """The mean over assets, as 12.10 gives it."""
        return fsum(share.value for _, share in self.by_asset) / len(self.by_asset)


def ours(recording: Recording, rule: VolumeRule) -> Told:
    """Everything our detector tells after the warm-up."""
    detector = VolumeSpikeDetector(recording.asset, rule)
    told = {}
    for place, minute in enumerate(recording.minutes):
        alert = detector.take(minute, minute.to_ms)
        if alert is not None and place >= WARM_UP:
            told[place] = alert.stage
    return told


def raised(told: Told) -> list[int]:
    return [place for place, stage in told.items() if stage is Stage.RAISED]


def found_hours(recording: Recording, told: Told, hours_ms: Sequence[int]) -> list[tuple[int, str]]:
    """How each hour is found: raised in it, updated in it, open all through it, or missed."""
    by_minute = {recording.minutes[place].to_ms: stage for place, stage in told.items()}
    found = []
    for hour_ms in hours_ms:
        inside = [stage for to_ms, stage in by_minute.items() if hour_ms < to_ms <= hour_ms + 60 * MINUTE_MS]
        before = [stage for to_ms, stage in sorted(by_minute.items()) if to_ms <= hour_ms]
        if Stage.RAISED in inside:
            found.append((hour_ms, "raised"))
        elif Stage.UPDATED in inside:
            found.append((hour_ms, "updated"))
        else:
            open_now = bool(before) and before[-1] is not Stage.ENDED
            found.append((hour_ms, "incident open" if open_now else "missed"))
    return found


def quiet_days(minutes: Sequence[Minute], count: int = 5) -> list[int]:
    """Numbers since 1970 of the whole UTC days after the warm-up with the smallest range."""
    days: dict[int, list[Minute]] = {}
    for minute in minutes[WARM_UP:]:
        days.setdefault(minute.from_ms // (DAY * MINUTE_MS), []).append(minute)
    whole = {day: inside for day, inside in days.items() if len(inside) == DAY}
    return sorted(whole, key=lambda day: _day_range(whole[day]))[:count]


def on_days(recording: Recording, places: Sequence[int], days: Sequence[int]) -> int:
    return sum(recording.minutes[place].from_ms // (DAY * MINUTE_MS) in days for place in places)


def score(recordings: Sequence[Recording], places: Sequence[Sequence[int]]) -> Score:
    plain = [_share(one.outcomes.judge(at, strict=False)) for one, at in zip(recordings, places, strict=True)]
    strict = [_share(one.outcomes.judge(at, strict=True)) for one, at in zip(recordings, places, strict=True)]
    return Score(
        pushes=sum(map(len, places)) / sum(one.days for one in recordings),
        plain=_pooled(plain),
        strict=_pooled(strict),
        by_asset=tuple((one.asset, share) for one, share in zip(recordings, plain, strict=True)),
    )


def ours_at(recordings: Sequence[Recording], rate: float, rule: Callable[[float], VolumeRule]) -> tuple[float, Score]:
    """Our detector with the one lift for all assets that comes nearest to that rate; the lift and the score."""
    low, high = 1.2, 8.0
    for _ in range(6):
        middle = (low + high) / 2
        places = [raised(ours(one, rule(middle))) for one in recordings]
        if sum(map(len, places)) / sum(one.days for one in recordings) > rate:
            low = middle
        else:
            high = middle
    return middle, score(recordings, places)


def naive_at(recordings: Sequence[Recording], rate: float) -> Score:
    """Robust z of the 5-minute volume against the trailing week, at most once an hour, each asset at that very rate."""
    places = [at_rate(naive_scores(one.minutes), one, rate) for one in recordings]
    return score(recordings, places)


def naive_scores(minutes: Sequence[Minute]) -> list[float]:
    recent: deque[float] = deque(maxlen=5)
    week: deque[float] = deque()
    ranked: list[float] = []
    scores, centre, spread = [], 0.0, 0.0
    for place, minute in enumerate(minutes):
        recent.append(minute.total_usd)
        logarithm = log1p(fsum(recent))
        if place >= DAY and place % 30 == 0:
            centre = median(ranked)
            spread = median(sorted(abs(value - centre) for value in ranked[:: 1 + len(ranked) // 2000]))
        scores.append(0.6745 * (logarithm - centre) / spread if spread else 0.0)
        week.append(logarithm)
        insort(ranked, logarithm)
        if len(week) > WARM_UP:
            del ranked[bisect_left(ranked, week.popleft())]
    return scores


def at_rate(scores: Sequence[float], recording: Recording, rate: float) -> list[int]:
    """The places above the lowest limit that keeps to the rate, an hour apart."""
    limits = sorted(set(scores[WARM_UP:]))
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if len(_above(scores, limits[middle])) > rate * recording.days:
            low = middle + 1
        else:
            high = middle
    return _above(scores, limits[low])


def _above(scores: Sequence[float], limit: float) -> list[int]:
    found: list[int] = []
    for place in range(WARM_UP, len(scores)):
        if scores[place] >= limit and (not found or place - found[-1] >= APART):
            found.append(place)
    return found


def _share(hits: Sequence[bool]) -> Share:
    return Share(sum(hits), len(hits))


def _pooled(shares: Sequence[Share]) -> Share:
    return Share(sum(share.hits for share in shares), sum(share.of for share in shares))


def _day_range(minutes: Sequence[Minute]) -> float:
    highs = [minute.high for minute in minutes if minute.high is not None]
    lows = [minute.low for minute in minutes if minute.low is not None]
    return log(max(highs) / min(lows))
