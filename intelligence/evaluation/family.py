"""One family of alerts on the assets of one recording: A2 over the push rate, beside baselines with as many pushes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from intelligence.evaluation import baselines
from intelligence.evaluation.bars import Bars, Flags, Floats, Ints
from intelligence.evaluation.intervals import Interval, Share, bootstrap_difference, bootstrap_mean, share_of
from intelligence.evaluation.matching import Event, Matching, match
from intelligence.evaluation.outcomes import Judged, Outcomes
from intelligence.evaluation.played import Told
from intelligence.evaluation.selective import Candidate
from intelligence.outcomes.controls import control_minutes
from intelligence.outcomes.rules import OutcomeRules

LEAST_ALERTS = 20
RANDOM_SEED = 20_261_123


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """An asset's bars with what followed each of them; `ledger`: by the control times of the daemon's own ledger. `first`: the
    bar with which counting begins.
    """

    outcomes: Outcomes
    ledger: Outcomes
    first: int

    @classmethod
    def of(cls, bars: Bars, horizon_min: int, first: int) -> "Recording":
        return cls(Outcomes(bars, horizon_min), Outcomes(bars, horizon_min, OutcomeRules(), control_minutes), first)

    @property
    def bars(self) -> Bars:
        return self.outcomes.bars

    @property
    def from_ms(self) -> int:
        """When counting begins."""
        return int(self.bars.from_ms[min(self.first, len(self.bars) - 1)])

    @property
    def days(self) -> float:
        return (len(self.bars) - self.first) * self.bars.step_min / 1_440


Places = Mapping[str, Ints]
NOWHERE: Ints = np.array([], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Over the assets together. `mean`: of the assets' shares, as detection.md 12.10 gives it. `base`: how often control
    times pass. Intervals by whole days.
    """

    pushes: int
    rate: float
    share: Share
    mean: float
    plain: Interval
    strict: Interval
    with_room: Interval
    base: float
    hits: Flags
    days: Ints
    not_measurable: int

    @property
    def is_measurable(self) -> bool:
        return self.share.of >= LEAST_ALERTS


class Family:
    def __init__(self, recordings: Mapping[str, Recording]) -> None:
        self.recordings = recordings

    @property
    def asset_days(self) -> float:
        return sum(one.days for one in self.recordings.values())

    def places(self, told: Mapping[str, Sequence[Told]]) -> dict[str, Ints]:
        """The bars in which alerts are delivered: the range of what follows begins with the next one."""
        return {asset: self._counted(asset, [one.at_ms for one in told.get(asset, ())]) for asset in self.recordings}

    def starts(self, told: Mapping[str, Sequence[Told]]) -> dict[str, Ints]:
        """The bar in which the event of each alert began, for those that `places` has."""
        found = {}
        for asset, recording in self.recordings.items():
            begun: dict[int, int] = {}
            for one in told.get(asset, ()):
                start = int(recording.bars.place_of(np.array([one.start_ms]))[0]) + 1
                for place in self._counted(asset, [one.at_ms]).tolist():
                    begun[place] = max(0, min(start, place, begun.get(place, place)))
            found[asset] = np.array([begun[place] for place in sorted(begun)], dtype=np.int64)
        return found

    def _counted(self, asset: str, at_ms: Sequence[int]) -> Ints:
        recording = self.recordings[asset]
        bars = recording.bars
        ends = np.asarray(at_ms, dtype=np.int64)
        # one delivered within a bar is judged from the end of that bar on
        places = bars.place_of(ends + bars.step_ms - 1)
        return np.asarray(np.unique(places[(places >= recording.first) & (places < len(bars))]), dtype=np.int64)

    def score(self, places: Places, starts: Places | None = None, untrue: Places | None = None) -> Score:
        """`untrue`: those of the places at which what was told is not A1, and so not A2 either."""
        judged = {
            asset: recording.outcomes.judge(places[asset], None if starts is None else starts[asset])
            for asset, recording in self.recordings.items()
        }
        return self._score(judged, untrue or {}, sum(map(len, places.values())))

    def score_as_ledger(self, places: Places, starts: Places) -> Score:
        """What /stats would say, had the daemon been there."""
        judged = {asset: one.ledger.judge(places[asset], starts[asset]) for asset, one in self.recordings.items()}
        return self._score(judged, {}, sum(map(len, places.values())))

    def _score(self, judged: Mapping[str, Judged], untrue: Places, pushes: int) -> Score:
        days = np.concatenate([self.recordings[asset].bars.day_of(one.places) for asset, one in judged.items()])
        true = {asset: ~np.isin(one.places, untrue.get(asset, NOWHERE)) for asset, one in judged.items()}
        plain, strict, room = (
            np.concatenate([getattr(one, name) & true[asset] for asset, one in judged.items()])
            for name in ("plain", "strict", "with_room")
        )
        shares = [share_of(one.plain & true[asset]) for asset, one in judged.items()]
        measured = [share.value for share in shares if share.of]
        base = np.concatenate([one.base for one in judged.values()])
        return Score(
            pushes=pushes,
            rate=pushes / self.asset_days,
            share=share_of(plain),
            mean=float(np.mean(measured)) if measured else float("nan"),
            plain=bootstrap_mean(plain, days),
            strict=bootstrap_mean(strict, days),
            with_room=bootstrap_mean(room, days),
            base=float(base.mean()) if len(base) else float("nan"),
            hits=plain,
            days=days,
            not_measurable=sum(one.not_measurable for one in judged.values()),
        )

    def baselines(self, places: Places) -> dict[str, Score]:
        """Each with as many pushes on every asset; the fixed sum in dollars with as many on all assets together."""
        counts = {asset: len(found) for asset, found in places.items()}
        found = {
            "volume only (naive z)": self._strongest(baselines.naive_volume, counts),
            "price only": self._strongest(baselines.price_only, counts),
            "always on after an alarm": self._each(lambda one, n: baselines.always_on(one.bars, n, one.first), counts),
            "random, seasonal": self._each(
                lambda one, n: baselines.at_random(one.bars, n, RANDOM_SEED, one.first), counts
            ),
        }
        if any(one.bars.usd.any() for one in self.recordings.values()):
            found["fixed USD"] = self._same_limit(sum(counts.values()))
        else:
            del found["volume only (naive z)"]
        return {name: self.score(one) for name, one in found.items()}

    def _strongest(self, scores: Callable[[Bars], Floats], counts: Mapping[str, int]) -> dict[str, Ints]:
        return self._each(lambda one, n: baselines.strongest(scores(one.bars), n, one.bars, one.first), counts)

    def _each(self, pick: Callable[[Recording, int], Ints], counts: Mapping[str, int]) -> dict[str, Ints]:
        return {asset: pick(one, counts[asset]) if counts[asset] else NOWHERE for asset, one in self.recordings.items()}

    def _same_limit(self, count: int) -> dict[str, Ints]:
        scores = {asset: baselines.fixed_usd(one.bars) for asset, one in self.recordings.items()}
        low, high = 0.0, max(float(one.max()) for one in scores.values())
        for _ in range(40):
            middle = (low + high) / 2
            found = self._above(scores, middle)
            low, high = (middle, high) if sum(map(len, found.values())) > count else (low, middle)
        return self._above(scores, high)

    def _above(self, scores: Mapping[str, Floats], limit: float) -> dict[str, Ints]:
        return {
            asset: baselines.above(scores[asset], limit, one.bars, one.first) for asset, one in self.recordings.items()
        }

    def matched(
        self, told: Mapping[str, Sequence[int]], events: Mapping[str, Sequence[Event]], *, whole: bool
    ) -> Matching:
        """All assets together; times in ms. Only events of the days that count."""
        parts = []
        for asset, recording in self.recordings.items():
            real = [event for event in events[asset] if event.start_ms >= recording.from_ms]
            parts.append(match([at for at in told[asset] if at >= recording.from_ms], real, whole=whole))
        return Matching(
            pairs=tuple(pair for one in parts for pair in one.pairs),
            alerts=sum(one.alerts for one in parts),
            events=sum(one.events for one in parts),
            leads_ms=tuple(lead for one in parts for lead in one.leads_ms),
        )

    def candidates(self, told: Mapping[str, Sequence[Told]]) -> list[Candidate]:
        """Alerts with their features and outcomes, for selective delivery."""
        found: list[Candidate] = []
        for asset, recording in self.recordings.items():
            alerts: dict[int, Told] = {}
            for one in told[asset]:
                alerts.update(dict.fromkeys(map(int, self._counted(asset, [one.at_ms])), one))
            judged = recording.outcomes.judge(sorted(alerts))
            days = recording.bars.day_of(judged.places)
            before = -10_000
            for row, place in enumerate(judged.places.tolist()):
                found.append(
                    Candidate(
                        asset=asset,
                        place=place,
                        at_ms=int(recording.bars.end_ms(np.array([place]))[0]),
                        day=int(days[row]),
                        strength=alerts[place].strength,
                        features=features(recording, place, alerts[place].strength, place - before),
                        came=bool(judged.plain[row]),
                        strict=bool(judged.strict[row]),
                    )
                )
                before = place
        return found


def features(recording: Recording, place: int, strength: float, since_last: int) -> tuple[float, ...]:
    """Of the moment of an alert, from data up to it: its strength, volatility of the hour against that of the last days,
    the last quarter's range against it, bars since the alert before, and how volatile the hour is usually.
    """
    outcomes, bars = recording.outcomes, recording.bars
    volatility = outcomes.volatility
    days = bars.bars_in(7 * 1_440)
    usual = float(np.median(volatility[max(0, place - days) : place + 1]))
    quarter = bars.bars_in(15)
    recent = slice(max(0, place - quarter + 1), place + 1)
    span = float(np.log(bars.high[recent].max() / bars.low[recent].min()))
    day = bars.bars_in(1_440)
    same_hour = volatility[max(0, place - 7 * day) : place + 1 : day] if place >= day else volatility[place : place + 1]
    return (
        float(np.log(max(strength, 1e-6))),
        float(np.log(volatility[place] / usual)),
        float(np.log(max(span, 1e-6) / usual)),
        float(np.log(usual)),
        float(np.log(min(since_last, 1_440))),
        float(np.log(np.median(same_hour) / usual)),
    )


def better(ours: Score, other: Score) -> Interval:
    """A2 of ours less that of another with as many pushes."""
    return bootstrap_difference((ours.hits, ours.days), (other.hits, other.days))
