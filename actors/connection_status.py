"""How a connection is, told to whoever counts on it: its state, its reports to the feed watch, its line in the status."""

import math

from actors import paths
from actors.exchanges.exchange import SocketPlan
from actors.feed_reporter import FeedReporter
from actors.frame_intake import TRADES_ALONE
from actors.mailbox import Lane
from actors.messages.feeds import ConnectionChanged
from actors.recording.entries import SocketMarked
from actors.recording.taps import records
from actors.socket_reader import SocketReader
from actors.supervised import Supervised

_SAID_IF_ANY = {"trades": "trades", "trades_shed": "trades shed", "malformed": "malformed"}


class ConnectionStatus:
    """Speaks for its `owner`, a connection, on the owner's thread. `assets`: those of the connection's beginning."""

    def __init__(
        self,
        owner: Supervised,
        *,
        venue: str,
        connection: str,
        plan: SocketPlan,
        assets: frozenset[str],
        reporter: FeedReporter,
    ) -> None:
        self._owner, self._venue, self._connection, self._plan = owner, venue, connection, plan
        self._assets = tuple(sorted(assets))
        self._reporter = reporter
        self._told = ConnectionChanged(
            venue=venue, connection=connection, state="connecting", brings_liquidations=plan.brings_liquidations
        )

    @property
    def state(self) -> str:
        return self._told.state

    def change(self, state: str, reason: str = "", advice: str = "") -> None:
        self._told = ConnectionChanged(
            venue=self._venue,
            connection=self._connection,
            state=state,
            brings_liquidations=self._plan.brings_liquidations,
            reason=reason,
            advice=advice,
        )
        self.repeat()
        backfill = f"{paths.BACKFILL}/{self._venue}"
        if self._owner.system.find(backfill) is not None:
            self._owner.send(backfill, self._told)
        self.record(math.inf)

    def repeat(self) -> None:
        """Tell the state as it is, to whoever missed it."""
        self._owner.send(paths.VENUES, self._told, redeliver=True, retain=True)

    def record(self, repeats_s: float) -> None:
        """Have the state recorded; for `repeats_s` from now on events may have come before."""
        if records(self._owner):
            mark = SocketMarked(
                at_ms=self._owner.now_ms,
                venue=self._venue,
                connection=self._connection,
                state=self._told.state,
                feeds=self._plan.feeds,
                brings_liquidations=self._plan.brings_liquidations,
                assets=self._assets,
                repeats_s=repeats_s,
                reason=self._told.reason,
            )
            self._owner.send(paths.RECORDER, mark, redeliver=True)

    def report(self, reader: SocketReader | None) -> None:
        """Tell the feed watch what came."""
        if self._owner.system.find(paths.FEED_WATCH) is not None:
            subscribed = reader.number if reader is not None and reader.liveness is not None else None
            report = self._reporter.report(subscribed, self._owner.now_ms)
            self._owner.send(paths.FEED_WATCH, report, lane=Lane.DATA)

    def write_note(self, reader: SocketReader | None, attempts: int) -> None:
        liveness = None if reader is None else reader.liveness
        if reader is None or liveness is None or liveness.up_s is None:
            self._owner.note(_not_up(attempts, subscribed=liveness is not None and liveness.is_subscribed))
            return
        self._owner.vitals.transport_s = liveness.bytes_s
        counts = reader.counts
        brought = [f"{counts['frames']} frames"]
        if self._plan.feeds != TRADES_ALONE:
            brought.append(f"{counts['liquidations']} liquidations")
        brought += [f"{counts[kind]} {said}" for kind, said in _SAID_IF_ANY.items() if counts[kind]]
        late = self._reporter.clock_words()
        self._owner.note(", ".join(brought) + (f"; late: {late}" if late else ""))


def _not_up(attempts: int, *, subscribed: bool) -> str:
    if subscribed:
        return "subscribed, no data yet"
    return f"not connected, attempt {attempts}" if attempts else "connecting"
