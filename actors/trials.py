"""Families of alerts on trial: decided, recorded and scored, never sent, until an owner promotes them (detection.md 12.8)."""

from collections.abc import Iterable

import msgspec

from actors.messages.chats import Promote, TrialsState
from actors.outbox import Outbox
from intelligence.alerts import Alert, AlertKind, on_trial


class Trials:
    """`kinds`: on trial by the settings. A promotion is stored and outlives the process; until it can be read it does not count."""

    def __init__(self, kinds: Iterable[AlertKind]) -> None:
        self._kinds = frozenset(kinds)
        self._promoted: frozenset[AlertKind] = frozenset()

    def begin(self, outbox: Outbox) -> None:
        """Raises OutboxError."""
        self._promoted = outbox.promoted()

    def of(self, alert: Alert) -> Alert:
        """The alert, in shadow when its family is on trial."""
        if alert.kind in self._promoted:
            return msgspec.structs.replace(alert, shadow=False) if alert.shadow else alert
        return on_trial(alert, self._kinds)

    def promote(self, wish: Promote, outbox: Outbox, now_ms: int) -> TrialsState:
        """Raises OutboxError."""
        outbox.promote(wish.kind, on=wish.on, by=wish.by, now_ms=now_ms)
        self.begin(outbox)
        return self.state()

    def state(self) -> TrialsState:
        on = self._kinds - self._promoted
        return TrialsState(on_trial=tuple(sorted(on)), promoted=tuple(sorted(self._promoted)))
