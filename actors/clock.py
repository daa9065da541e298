"""The one clock: machine seconds for everything that waits, market time for everything that is stamped.

Live, market time is the machine's wall clock. Under `--speed` and tapes it follows the simulator by a piecewise-linear map
from machine seconds to market milliseconds, so recorded times stay what they are and ages still make sense.
"""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

log = structlog.get_logger("actors.clock")

Deliver = Callable[[], None]
ROUNDING_MS = 1e-3  # a double holds seconds since 1970 to within 0.00024 ms
TIDY_ALARMS = 256  # from here on, cancelled alarms are swept out whenever the heap has doubled


class Breakpoint(NamedTuple):
    """From `machine_s` (time.monotonic) on, market time is `market_ms` plus `rate` market seconds per machine second."""

    machine_s: float
    market_ms: float
    rate: float


class Alarm:
    """One armed timer. Periods that were missed are skipped: `deliver` is called once, however late."""

    __slots__ = ("cancelled", "deliver", "due", "market", "period_s")

    def __init__(self, due: float, period_s: float | None, *, market: bool, deliver: Deliver) -> None:
        self.due = due  # machine seconds, or market seconds where `market`
        self.period_s = period_s
        self.market = market
        self.deliver = deliver
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class _Alarms:
    """The heap behind both clocks, ordered by machine due time. Any thread may arm; one thread fires."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._heap: list[tuple[float, int, Alarm]] = []
        self._numbers = itertools.count()
        self._tidy_at = TIDY_ALARMS

    def monotonic(self) -> float:
        """Machine seconds, for durations and due times."""
        raise NotImplementedError

    def market_s(self) -> float:
        raise NotImplementedError

    def _machine_due(self, alarm: Alarm) -> float:
        raise NotImplementedError

    def now_ms(self) -> int:
        """Market time in ms UTC, for stamps, ages and watermarks."""
        return int(self.market_s() * 1000)

    def arm(
        self,
        delay_s: float,
        deliver: Deliver,
        *,
        period_s: float | None = None,
        market: bool = False,
    ) -> Alarm:
        """Fire after `delay_s`, then every `period_s` without drift. `market`: both count market seconds.

        `deliver` runs on the clock's thread: it may only put a letter into a mailbox.
        """
        with self._lock:
            now_s = self.market_s() if market else self.monotonic()
            alarm = Alarm(now_s + delay_s, period_s, market=market, deliver=deliver)
            self._push(alarm)
            if len(self._heap) >= self._tidy_at:
                self._heap = [entry for entry in self._heap if not entry[2].cancelled]
                heapq.heapify(self._heap)
                self._tidy_at = max(TIDY_ALARMS, 2 * len(self._heap))
            self._lock.notify()
        return alarm

    def _push(self, alarm: Alarm) -> None:
        heapq.heappush(self._heap, (self._machine_due(alarm), next(self._numbers), alarm))

    def _next_due(self) -> float:
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf

    def _fire_due(self) -> None:
        """Deliver everything that is due now, each alarm once however late it is."""
        while True:
            with self._lock:
                if self._next_due() > self.monotonic():
                    return
                alarm = heapq.heappop(self._heap)[2]
                if alarm.period_s is not None:
                    self._rearm(alarm, alarm.period_s)
            try:
                alarm.deliver()
            except Exception:  # one alarm that fails, a bug of ours, must not silence all the others
                log.exception("invariant_broken", what="an alarm raised")

    def _rearm(self, alarm: Alarm, period_s: float) -> None:
        now_s = self.market_s() if alarm.market else self.monotonic()
        late_s = now_s - alarm.due
        if late_s < -period_s:  # somebody set the wall clock back
            alarm.due = now_s + period_s
        else:
            alarm.due += period_s * (max(0, int(late_s / period_s)) + 1)
        self._push(alarm)


class Clock(_Alarms):
    """The machine's clock, with one daemon thread that fires alarms."""

    def __init__(self) -> None:
        super().__init__()
        self._map: tuple[Breakpoint, ...] = ()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.turned_s = time.monotonic()

    def monotonic(self) -> float:
        return time.monotonic()

    def market_s(self) -> float:
        machine_s, breakpoints = time.monotonic(), self._map
        for start_s, market_ms, rate in reversed(breakpoints):
            if machine_s >= start_s:
                return market_ms / 1000 + (machine_s - start_s) * rate
        return breakpoints[0].market_ms / 1000 if breakpoints else time.time()

    def follow(self, breakpoints: Sequence[Breakpoint]) -> None:
        """Take market time from this map from now on; alarms in market time are re-timed."""
        with self._lock:
            self._map = tuple(sorted(breakpoints))
            self._heap = [(self._machine_due(alarm), number, alarm) for _, number, alarm in self._heap]
            heapq.heapify(self._heap)
            self._lock.notify()

    def _machine_due(self, alarm: Alarm) -> float:
        if not alarm.market:
            return alarm.due
        if not self._map:
            return alarm.due - (time.time() - time.monotonic())  # of this moment: wall clocks are set
        for index, (start_s, market_ms, rate) in enumerate(self._map):
            end_s = self._map[index + 1].machine_s if index + 1 < len(self._map) else math.inf
            if alarm.due <= market_ms / 1000:
                return start_s
            if rate > 0 and (due_s := start_s + (alarm.due - market_ms / 1000) / rate) < end_s:
                return due_s
        return math.inf

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopping:
                    return
                self._lock.wait(min(1.0, max(0.0, self._next_due() - self.monotonic())))
            self.turned_s = self.monotonic()
            self._fire_due()


class ManualClock(_Alarms):
    """A clock for replays and tests: time stands still until `advance`. Machine and market seconds move together.

    `settle` is called after the alarms of each moment: time goes on when it returns.
    """

    def __init__(
        self,
        machine_s: float = 1000.0,
        market_ms: int = 1_700_000_000_000,
        settle: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._settle = settle or _nothing
        self._machine_s = machine_s
        self._offset_s = market_ms / 1000 - machine_s
        self.turned_s = machine_s

    def monotonic(self) -> float:
        return self._machine_s

    def market_s(self) -> float:
        return self._machine_s + self._offset_s

    def now_ms(self) -> int:
        return int(self.market_s() * 1000 + ROUNDING_MS)

    def _machine_due(self, alarm: Alarm) -> float:
        return alarm.due - self._offset_s if alarm.market else alarm.due

    def advance_to(self, market_ms: int) -> None:
        """Move on to a market time, if it is not reached yet."""
        seconds = market_ms / 1000 - self.market_s()
        if seconds > 0:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on, firing every alarm at its own time, in order."""
        end_s = self._machine_s + seconds
        while True:
            with self._lock:
                due_s = self._next_due()
            if due_s > end_s:
                break
            self._machine_s = max(self._machine_s, due_s)
            self._fire_due()
            self._settle()
        self._machine_s = end_s


def _nothing() -> None:
    """Nobody has to settle."""


AnyClock = Clock | ManualClock
