"""Precision, recall and delay of detectors over runs, with intervals from a bootstrap by blocks of market time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from random import Random
from statistics import median
from typing import TypeVar

from benchmarks.cascades.reference import Cascade, Told, matched

DRAWS = 2_000
BLOCK_MS = 1_800_000  # alerts of the same burst fall into one block

T = TypeVar("T")


@dataclass(slots=True)
class Block:
    """One half hour of one run. `delays_ms`: from the fifth order of each event that was found to its alert."""

    alerts: int = 0
    right: int = 0
    events: int = 0
    delays_ms: tuple[int, ...] = ()


Measure = Callable[[Sequence[Block]], float]


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Score:
    blocks: tuple[Block, ...]

    @property
    def alerts(self) -> int:
        return sum(block.alerts for block in self.blocks)

    @property
    def delays_ms(self) -> list[int]:
        return sorted(delay for block in self.blocks for delay in block.delays_ms)

    def precision(self) -> Interval:
        return _interval(self.blocks, _precision)

    def recall(self) -> Interval:
        return _interval(self.blocks, _recall)

    def median_delay_s(self) -> Interval:
        return _interval(self.blocks, _median_delay_s)


def score(alerts: Iterable[Told], events: Sequence[Cascade], from_ms: int, until_ms: int) -> list[Block]:
    """The blocks of one run. What lies before `from_ms` does not count; a match goes to the block of its event."""
    blocks = [Block() for _ in range(from_ms, until_ms, BLOCK_MS)]

    def block(at_ms: int) -> Block:
        return blocks[min(max(at_ms - from_ms, 0) // BLOCK_MS, len(blocks) - 1)]

    events = [event for event in events if event.from_ms >= from_ms]
    alerts = [alert for alert in alerts if alert.at_ms >= from_ms]
    pairs = matched(alerts, events)
    for event in events:
        block(event.from_ms).events += 1
    for alert in alerts:
        event_of = pairs.get(alert)
        one = block(alert.at_ms if event_of is None else event_of.from_ms)
        one.alerts += 1
        if event_of is not None:
            one.right += 1
            one.delays_ms = (*one.delays_ms, alert.at_ms - event_of.fifth_ms)
    return blocks


def difference(ours: Score, other: Score) -> tuple[Interval, Interval]:
    """Ours less the other's precision, and recall, of the same blocks in each draw."""
    pairs = tuple(zip(ours.blocks, other.blocks, strict=True))

    def less(measure: Measure) -> Callable[[Sequence[tuple[Block, Block]]], float]:
        return lambda drawn: measure([mine for mine, _ in drawn]) - measure([theirs for _, theirs in drawn])

    return _interval(pairs, less(_precision)), _interval(pairs, less(_recall))


def _precision(blocks: Sequence[Block]) -> float:
    alerts = sum(block.alerts for block in blocks)
    return sum(block.right for block in blocks) / alerts if alerts else 0.0


def _recall(blocks: Sequence[Block]) -> float:
    events = sum(block.events for block in blocks)
    return sum(block.right for block in blocks) / events if events else 0.0


def _median_delay_s(blocks: Sequence[Block]) -> float:
    delays = [delay for block in blocks for delay in block.delays_ms]
    return median(delays) / 1000 if delays else nan


def _interval(drawn_from: Sequence[T], measure: Callable[[Sequence[T]], float]) -> Interval:
    """The value with the middle 95 % of what it comes to on blocks drawn with replacement."""
    random = Random(1)
    values = [measure(random.choices(drawn_from, k=len(drawn_from))) for _ in range(DRAWS)]
    values = sorted(value for value in values if not isnan(value)) or [nan]
    low, high = (values[int(share * (len(values) - 1))] for share in (0.025, 0.975))
    return Interval(measure(drawn_from), low, high)
