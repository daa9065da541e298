"""Timers of actors: letters from the clock to oneself."""

import itertools
from typing import TYPE_CHECKING, Any

from actors.clock import Alarm
from actors.mailbox import Letter

if TYPE_CHECKING:
    from actors.supervised import Supervised


class Timer:
    """Timers of one incarnation: they arrive as letters, and none outlives its actor."""

    def __init__(self, actor: "Supervised") -> None:
        self._actor = actor
        self._alarms: dict[str, tuple[int, Alarm]] = {}
        self._generations = itertools.count(1)
        self._waiting: set[int] = set()  # generations whose tick lies in the mailbox

    def once(self, key: str, delay_s: float, message: Any, *, market: bool = False) -> None:
        """Send `message` to oneself after `delay_s` machine seconds (`market`: market seconds). Same key replaces."""
        self._arm(key, delay_s, None, message, market=market)

    def every(self, key: str, period_s: float, message: Any, *, market: bool = False) -> None:
        """Send `message` every `period_s`; the first one after a share of the period that depends on the path."""
        share = (sum(self._actor.path.encode()) % 97 + 1) / 97
        self._arm(key, period_s * share, period_s, message, market=market)

    def cancel(self, key: str) -> None:
        if (armed := self._alarms.pop(key, None)) is not None:
            armed[1].cancel()

    def cancel_all(self) -> None:
        for key in tuple(self._alarms):
            self.cancel(key)

    def admits(self, tick: tuple[int, str, int]) -> bool:
        """Whether a tick is of this epoch and of the timer that is armed under its key now."""
        epoch, key, generation = tick
        if epoch != self._actor.epoch:
            return False
        self._waiting.discard(generation)
        armed = self._alarms.get(key)
        if armed is None or armed[0] != generation:
            return False
        if armed[1].period_s is None:
            del self._alarms[key]
        return True

    def _arm(self, key: str, delay_s: float, period_s: float | None, message: Any, *, market: bool) -> None:
        self.cancel(key)
        actor, generation = self._actor, next(self._generations)
        tick = (actor.epoch, key, generation)

        def deliver() -> None:
            if generation in self._waiting or actor.fenced:
                return  # a tick that still waits stands for those after it: a busy actor is not flooded
            self._waiting.add(generation)
            if not actor.place.mailbox.put(Letter(message, actor.timer_lane, tick=tick)):
                self._waiting.discard(generation)

        alarm = actor.system.clock.arm(delay_s, deliver, period_s=period_s, market=market)
        self._alarms[key] = (generation, alarm)
