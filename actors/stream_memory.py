"""What a symbol stream retains for its successor, and the form in which another process finds it.

In the mailbox lie the letters themselves; in a checkpoint the same ones as a value that can be written down.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from actors.messages.features import ThresholdsSet
from actors.messages.market import LiquidationsSeen, MarksSeen
from intelligence.detectors.asset import MAX_AHEAD_MS
from intelligence.market import MarkPrice
from intelligence.thresholds.records import AssetThresholds
from intelligence.volatility import VolatilityState

DETECTION, HISTORY = "detection", "history"  # the parts of a stream's checkpoints
DETECTION_SCHEMA = HISTORY_SCHEMA = 1
DETECTION_HORIZON_S = 3600.0  # ours: an incident whose end is told later than that would only puzzle people
HISTORY_HORIZON_S = 14 * 86_400.0  # the longest span of hourly bars
VOLATILITY_HORIZON_MS = 600_000  # ours: older than that, the bars of before know better


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How often a stream's state is handed over to be kept, in seconds of the machine."""

    every_s: float = 60.0
    history_every_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Complete:
    """Retained before everything else: nothing since that event time has been dropped (0: nothing at all).

    `thresholds`: what counted then, None for the given ones.
    """

    from_ms: int
    thresholds: AssetThresholds | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """How much the price moves, after each minute: an estimate over hours cannot be rebuilt from minutes of marks."""

    state: VolatilityState


class KeptLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One retained letter: liquidations, a mark, or thresholds."""

    liquidations: LiquidationsSeen | None = None
    mark: MarkPrice | None = None
    thresholds: AssetThresholds | None = None


class KeptDetection(msgspec.Struct, frozen=True, kw_only=True):
    """`complete_from_ms`, `thresholds`: see `Complete`; `letters`: see `kept_detection`."""

    complete_from_ms: int
    volatility: VolatilityState | None
    letters: tuple[KeptLetter, ...]
    thresholds: AssetThresholds | None = None


def kept_detection(retained: Iterable[Any], volatility: VolatilityState | None, *, is_open: bool) -> KeptDetection:
    """What is retained, as a value; letters stay in their order. Marks, which are most of it, only with an open incident:
    without, a new process measures the next move from its own first marks.
    """
    messages = tuple(retained)
    kinds = (LiquidationsSeen, MarksSeen, ThresholdsSet) if is_open else (LiquidationsSeen, ThresholdsSet)
    letters = tuple(_letters(message for message in messages if isinstance(message, kinds)))
    return KeptDetection(
        complete_from_ms=complete_from(messages) or 0,
        volatility=volatility,
        letters=letters,
        thresholds=messages[0].thresholds if messages and isinstance(messages[0], Complete) else None,
    )


def _letters(messages: Iterable[Any]) -> Iterator[KeptLetter]:
    for message in messages:
        if isinstance(message, LiquidationsSeen):
            yield KeptLetter(liquidations=message)
        elif isinstance(message, MarksSeen):
            yield KeptLetter(mark=message.mark)
        elif isinstance(message, ThresholdsSet):
            yield KeptLetter(thresholds=message.thresholds)


def retained_of(kept: KeptDetection, *, old: bool) -> Iterator[Any]:
    """The letters to be retained again. `old`: what was learned of the volatility is out of date."""
    yield Complete(kept.complete_from_ms, kept.thresholds)
    if kept.volatility is not None and not old:
        yield Learned(kept.volatility)
    for letter in kept.letters:
        if letter.liquidations is not None:
            yield letter.liquidations
        elif letter.mark is not None:
            yield MarksSeen(mark=letter.mark)
        elif letter.thresholds is not None:
            yield ThresholdsSet(thresholds=letter.thresholds)


def complete_from(retained: tuple[Any, ...]) -> int | None:
    """The event time from which on everything has been retained; None when it is all there ever was."""
    if retained and isinstance(retained[0], Complete):
        return retained[0].from_ms or None
    return first_ms(retained)  # the mailbox was full


def first_ms(retained: tuple[Any, ...]) -> int | None:
    """The event time of the earliest liquidation that is retained."""
    seen = (message for message in retained if isinstance(message, LiquidationsSeen))
    return min((event.exchange_ms for message in seen for event in message.events), default=None)


def forget_before(oldest_ms: int, retained: deque[Any]) -> None:
    """Drop what lies wholly before what a successor would need, and note from when on it is complete."""
    if not retained:
        return
    complete = retained.popleft() if isinstance(retained[0], Complete) else None
    while retained and _last_ms(retained[0]) < oldest_ms:
        dropped = retained.popleft()
        known = dropped if isinstance(dropped, ThresholdsSet) else complete
        complete = Complete(oldest_ms, known.thresholds if known else None)
    if complete is not None:
        retained.appendleft(complete)


def _last_ms(message: LiquidationsSeen | MarksSeen | ThresholdsSet | Learned) -> int:
    """The newest event time in a retained message; of a broken one that lies far ahead, when it came."""
    match message:
        case LiquidationsSeen(events=events):
            return max(min(event.exchange_ms, event.received_ms + MAX_AHEAD_MS) for event in events)
        case MarksSeen(mark=mark):
            return min(mark.exchange_ms, mark.received_ms + MAX_AHEAD_MS)
        case ThresholdsSet(thresholds=thresholds):
            return thresholds.computed_ms or 0
        case Learned(state=state):
            return state.closes[-1][0]
