"""What became of predictions: each is written down as it was made, and judged when price came or its time was over.

A zone may move, grow or vanish afterwards; the prediction stands. So nothing that failed is forgotten, and nothing that was
changed just before price came counts (detection.md 12.6). Whether price came is judged when the time is over, for all alike:
else those that were reached early would be counted first.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from intelligence.market import PositionSide
from intelligence.zones.zone import Zone

REACTION_MS = 600_000  # liquidations count from the touch on for so long (detection.md 12.6)
KEPT_RATIOS = 64  # of seen to expected sizes
KEPT_SIZES = 64  # of what was predicted last
ENOUGH_RATIOS = 12  # below that the interval is the one that is believed at first (ours)
FIRST_INTERVAL = (0.1, 3.0)  # of the expected size (ours)
MOST_OPEN = 256  # predictions that wait for their end; more are refused and counted


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """`predicted`: how many were judged, of which price `reached` so many. `baseline`, `probability`: sums of what reflection
    and what we said of them; `baseline_error`, `error`: sums of the squared errors of both (Brier). `touched`: how many had
    their ten minutes after the touch; `reacted`: of those, where as much as predicted was liquidated at the least.
    """

    predicted: int = 0
    reached: int = 0
    baseline: float = 0.0
    probability: float = 0.0
    baseline_error: float = 0.0
    error: float = 0.0
    touched: int = 0
    reacted: int = 0

    def with_end(self, one: "Prediction") -> "Tally":
        reached = one.touched_ms is not None
        return msgspec.structs.replace(
            self,
            predicted=self.predicted + 1,
            reached=self.reached + reached,
            baseline=self.baseline + one.baseline,
            probability=self.probability + one.probability,
            baseline_error=self.baseline_error + (one.baseline - reached) ** 2,
            error=self.error + (one.probability - reached) ** 2,
        )

    def with_touch(self, one: "Prediction") -> "Tally":
        reacted = one.seen_usd >= one.zone.least_usd
        return msgspec.structs.replace(self, touched=self.touched + 1, reacted=self.reacted + reacted)


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A zone as it was told at `made_ms`, with what was said of its being touched before `until_ms`."""

    zone: Zone
    warned: bool
    made_ms: int
    until_ms: int
    baseline: float
    probability: float
    touched_ms: int | None = None
    seen_usd: float = 0.0
    settled: bool = False  # its ten minutes after the touch are over


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    open: tuple[Prediction, ...]
    zones: Tally
    warnings: Tally
    ratios: tuple[float, ...]
    sizes: tuple[float, ...]


class Record:
    """`zones`: judged predictions of zones when they were born; `warnings`: of those that people were warned of."""

    def __init__(self) -> None:
        self.zones = Tally()
        self.warnings = Tally()
        self.refused = 0
        self._open: list[Prediction] = []
        self._ratios: deque[float] = deque(maxlen=KEPT_RATIOS)
        self._sizes: deque[float] = deque(maxlen=KEPT_SIZES)

    def predict(self, zone: Zone, minutes: int, *, warned: bool) -> None:
        """Write a prediction down; one without a chance for that horizon is none."""
        chance = zone.within(minutes)
        if chance is None:
            return
        if len(self._open) >= MOST_OPEN:
            self.refused += 1
            return
        if not warned:
            self._sizes.append(zone.expected_usd)
        self._open.append(
            Prediction(
                zone=zone,
                warned=warned,
                made_ms=zone.at_ms,
                until_ms=zone.at_ms + minutes * 60_000,
                baseline=chance.baseline,
                probability=chance.probability,
            )
        )

    def stands(self, zone_id: str) -> bool:
        """A prediction of that zone waits for its end."""
        return any(one.zone.zone_id == zone_id and not one.warned for one in self._open)

    def take(
        self, to_ms: int, low: float, high: float, liquidated: Iterable[tuple[PositionSide, float, float]]
    ) -> tuple[Prediction, ...]:
        """A minute's mark prices, and liquidations: side, mark price that caused it, USD. Returns what was judged."""
        liquidated = tuple(liquidated)
        judged: list[Prediction] = []
        waiting: list[Prediction] = []
        for before in self._open:
            one = _after_minute(before, to_ms, low, high, liquidated)
            if one.settled and not before.settled:
                self._settle(one)
            over = one.until_ms <= to_ms and (one.touched_ms is None or one.settled)
            (judged if over else waiting).append(one)
        self._open = waiting
        for one in judged:
            if one.warned:
                self.warnings = self.warnings.with_end(one)
            else:
                self.zones = self.zones.with_end(one)
        return tuple(judged)

    def _settle(self, one: Prediction) -> None:
        if one.warned:
            self.warnings = self.warnings.with_touch(one)
            return
        self.zones = self.zones.with_touch(one)
        if one.zone.expected_usd > 0:
            self._ratios.append(one.seen_usd / one.zone.expected_usd)

    def interval(self) -> tuple[float, float]:
        """Factors on the expected size between which eight of ten were."""
        if len(self._ratios) < ENOUGH_RATIOS:
            return FIRST_INTERVAL
        ordered = sorted(self._ratios)
        return ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]

    def size(self, quantile: float) -> float:
        """Of the expected sizes, USD, of what was predicted last."""
        ordered = sorted(self._sizes)
        return ordered[int(quantile * (len(ordered) - 1))] if ordered else 0.0

    @property
    def reacts(self) -> float:
        """The chance that a zone that is touched liquidates what was predicted at the least; 0.5 before anything was seen."""
        return (1 + self.zones.reacted) / (2 + self.zones.touched)

    def kept(self) -> KeptRecord:
        return KeptRecord(
            open=tuple(self._open),
            zones=self.zones,
            warnings=self.warnings,
            ratios=tuple(self._ratios),
            sizes=tuple(self._sizes),
        )

    def restore(self, kept: KeptRecord) -> None:
        self._open, self.zones, self.warnings = list(kept.open), kept.zones, kept.warnings
        self._ratios.extend(kept.ratios)
        self._sizes.extend(kept.sizes)


def _after_minute(
    one: Prediction, to_ms: int, low: float, high: float, liquidated: tuple[tuple[PositionSide, float, float], ...]
) -> Prediction:
    if one.settled or to_ms <= one.made_ms:
        return one
    touched_ms = one.touched_ms
    if touched_ms is None:
        if to_ms > one.until_ms or not one.zone.is_touched(low, high):
            return one
        touched_ms = to_ms
    here = sum(
        usd for side, price, usd in liquidated if side is one.zone.side and one.zone.low <= price <= one.zone.high
    )
    settled = touched_ms + REACTION_MS <= to_ms
    return msgspec.structs.replace(one, touched_ms=touched_ms, seen_usd=one.seen_usd + here, settled=settled)
