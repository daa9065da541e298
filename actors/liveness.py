"""Whether a socket is up, must be pinged, or is dead. Pure: time is an argument (machine seconds)."""

import math

from actors.exchanges.exchange import Keepalive, SocketPlan

GARBLED_FRAMES = 10  # so many without an event between them are not an odd frame or two
MARK_SILENCES = 3  # mark prices that came and stay away for so many silence limits: a subscription that died alone


class Liveness:
    """Of one socket, from the moment its subscriptions were sent. `up_s`: every subscription was accepted and, where
    data must come, data came.
    """

    def __init__(self, plan: SocketPlan, keepalive: Keepalive, subscribe_ack_s: float, now_s: float) -> None:
        self._plan = plan
        self._keepalive = keepalive
        self._subscribe_ack_s = subscribe_ack_s
        self._next_ping_s = now_s + keepalive.every_s if keepalive.ping is not None else math.inf
        self._marks_s = math.inf
        self._acks = 0
        self._data_seen = False
        self._garbled = 0  # frames that were not understood since the last event
        self._garbled_s = now_s  # when the first of them came
        self.subscribed_s = self.bytes_s = now_s
        self.up_s: float | None = None

    def note_ack(self) -> None:
        self._acks += 1

    def note_data(self) -> None:
        self._data_seen = True
        self._garbled = 0

    def note_garbled(self) -> None:
        """Take in a frame that was not understood."""
        if self._garbled == 0:
            self._garbled_s = self.bytes_s
        self._garbled += 1

    def note_mark(self) -> None:
        self._marks_s = self.bytes_s

    @property
    def is_subscribed(self) -> bool:
        """Whether every subscription was accepted, which does not prove that data comes."""
        return self._acks >= self._plan.acks

    def wants_ping(self, now_s: float) -> bool:
        """Whether to send a ping now; the next one is due a period later."""
        if now_s < self._next_ping_s:
            return False
        self._next_ping_s = now_s + self._keepalive.every_s
        return True

    def comes_up(self, now_s: float) -> bool:
        """Whether the socket has come up by now; true once."""
        if self.up_s is not None or not self.is_subscribed:
            return False
        if self._plan.data_within_s is not None and not self._data_seen:
            return False
        self.up_s = now_s
        return True

    def cause_of_death(self, now_s: float) -> str | None:
        """Why the socket is of no use any more, None while it is."""
        silent_s = self._keepalive.silent_s
        if now_s - self.bytes_s > silent_s:
            return f"no byte for {silent_s:g} s"
        if self._garbled >= GARBLED_FRAMES and now_s - self._garbled_s > silent_s:
            return f"nothing understood for {silent_s:g} s, {self._garbled} frames"
        if now_s - self._marks_s > MARK_SILENCES * silent_s:
            return f"no mark price for {MARK_SILENCES * silent_s:g} s"
        if self.up_s is not None or (late_s := now_s - self.subscribed_s - self._subscribe_ack_s) <= 0:
            return None
        if not self.is_subscribed:
            return f"{self._acks} of {self._plan.acks} subscriptions confirmed in time"
        within_s = self._plan.data_within_s or 0.0
        return f"subscribed, but no data within {within_s:g} s: a dead route" if late_s > within_s else None
