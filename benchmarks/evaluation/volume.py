"""Volume spikes on recorded minutes: ours and the naive one of detection.md 12.10, at the same number of pushes."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, log, log1p, sqrt
from statistics import median

from benchmarks.evaluation.outcome import APART, Outcomes, Share
from intelligence.alerts import Stage
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.detectors.volume_spike import VolumeSpikeDetector
from intelligence.minute import Minute
from intelligence.thresholds.records import Policy, Threshold

DAY = 1_440
WARM_UP = 7 * DAY
MINUTE_MS = 60_000
QUARTER = 15

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


def ours(recording: Recording, rule: VolumeRule, quantile: float | None = None) -> Told:
    """Everything our detector tells after the warm-up. `quantile`: its threshold is that of all 15-minute windows before, in
    place of three times their median; renewed hourly.
    """
    detector = VolumeSpikeDetector(recording.asset, rule)
    recent: deque[float] = deque(maxlen=QUARTER)
    windows: list[float] = []
    told = {}
    for place, minute in enumerate(recording.minutes):
        recent.append(minute.total_usd)
        if quantile is not None and place >= WARM_UP and place % 60 == 0:
            value = windows[int(quantile * (len(windows) - 1))]
            detector.threshold = Threshold(value=value, source=Policy.LEARNED, samples=len(windows))
        if place % QUARTER == QUARTER - 1:
            insort(windows, fsum(recent))
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


def at_the_same_number(
    recordings: Sequence[Recording], scores: Callable[[Sequence[Minute]], list[float]], places: Sequence[Sequence[int]]
) -> Score:
    """Another detector, given by its score of each minute, with as many pushes on each asset as these."""
    found = [_strongest(scores(one.minutes), len(at)) for one, at in zip(recordings, places, strict=True)]
    return score(recordings, found)


def naive_scores(minutes: Sequence[Minute]) -> list[float]:
    """Robust z of the 5-minute volume against the trailing week (detection.md 12.10)."""
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


def price_scores(minutes: Sequence[Minute]) -> list[float]:
    """The 1-minute return in sigmas of the hour before it: the alarm most products fail to beat (12.5)."""
    scores, total, recent = [], 0.0, deque([0.0] * APART)
    for before, now in pairwise([minutes[0], *minutes]):
        move = log((now.close or 1.0) / (before.close or 1.0))
        scores.append(abs(move) / sqrt(max(total / APART, 1e-10)))
        recent.append(move * move)
        total += move * move - recent.popleft()
    return scores


def _strongest(scores: Sequence[float], count: int) -> list[int]:
    """The places above the lowest limit that raises no more than so many alerts, an hour apart."""
    limits = sorted(set(scores[WARM_UP:]))
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        if len(_above(scores, limits[middle])) > count:
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
