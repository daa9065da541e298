"""Alerts on a terminal: one block each, readable without colour, the end of an incident under the id of its start."""

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from actors.messages.alerts import DeliveriesQueued, DeliverNow
from actors.messages.outcomes import ScoresTold
from actors.notifiers.ledger import Ledger
from actors.notifiers.reporting import report
from actors.notifiers.texts import age_ms, plain
from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Delivery
from actors.supervised import Supervised
from intelligence.alerts import Alert, AlertKind, Severity, Stage
from intelligence.outcomes.scores import lines_of

WIDTH = 78  # columns of the rule; longer lines of text are left to the terminal
BATCH = 50  # blocks written in one turn, so that a stop does not wait for a long backlog
REMEMBERED = 1_000  # deliveries made from memory, by key, until their rows appear in the outbox

_STYLES = {Severity.P1: "bold red", Severity.P2: "bold yellow", Severity.P3: "cyan"}
_MARKS = {Stage.RAISED: "ALERT", Stage.UPDATED: "GROWN", Stage.ENDED: "ENDED"}


class _Read(NamedTuple):
    pass


class TerminalNotifier(Supervised):
    """Delivers to `write`, which queues a text for the terminal and says whether there was room; it never waits.

    Without `console` the logs are the delivery: the line `alert_raised` is there already, so rows are only marked.
    """

    def init(
        self,
        *,
        database: Path | str,
        busy_s: float,
        reread_s: float,
        console: bool,
        write: Callable[[str], bool] | None = None,
        colors: bool = False,
        heading: str = "",
        reports: bool = True,
    ) -> None:
        """`reports`: what is shown here counts as told to people. `write`: the log's queue (`LogSink.put`), so that blocks and lines never mix; by default stdout itself."""
        self._ledger = Ledger(database, busy_s=busy_s, epoch=self.epoch, log=self.log)
        self._write = (write or _to_stdout) if console else None
        self._colors, self._heading, self._reports = colors, heading, reports
        self._made: dict[tuple[str, Stage], None] = {}
        self._scores: Mapping[AlertKind, str] = {}
        self.timer.every("reread", reread_s, _Read())
        self._reclaimed = False
        self._ledger.read(self._deliver)

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        self._ledger.close()

    def handle(self, message: Any) -> None:
        match message:
            case DeliveriesQueued() | _Read():
                self._ledger.read(self._deliver)
            case DeliverNow(alert=alert):
                self._deliver_now(alert)
            case ScoresTold(scores=scores):
                self._scores = lines_of(scores)
            case _:
                super().handle(message)

    def _reclaim(self, outbox: Outbox) -> None:
        """Show again what a predecessor was showing when it ended: rather twice than never."""
        self._reclaimed = True
        _again, given_up = outbox.deliveries.reclaim(TERMINAL)
        for row in given_up:
            self.log.error(
                "alert_failed", alert_id=row.alert.alert_id, stage=row.stage, target=TERMINAL, reason="unknown"
            )

    def _deliver(self, outbox: Outbox) -> None:
        if not self._reclaimed:
            self._reclaim(outbox)
        rows = outbox.deliveries.waiting(TERMINAL)
        for row in rows[:BATCH]:
            if not outbox.deliveries.claim(row.id, self.epoch):
                continue
            if not self._show_once(row):
                outbox.deliveries.requeue(row.id, self.epoch, reason="terminal_busy", counted=False)
                return
            self._mark_delivered(row)
        if len(rows) > BATCH:
            self.send(self.path, DeliveriesQueued())

    def _mark_delivered(self, row: Delivery) -> None:
        now_ms = self.now_ms
        self._ledger.mark(lambda outbox: outbox.deliveries.delivered(row.id, self.epoch, now_ms=now_ms))

    def _deliver_now(self, alert: Alert) -> None:
        if self._show(alert, alert.stage):
            self._made[alert.alert_id, alert.stage] = None
            while len(self._made) > REMEMBERED:
                del self._made[next(iter(self._made))]

    def _show_once(self, row: Delivery) -> bool:
        """Show a delivery, unless that was done from memory already."""
        if (row.alert.alert_id, row.stage) in self._made:
            del self._made[row.alert.alert_id, row.stage]
            return True
        return self._show(row.alert, row.stage)

    def _show(self, alert: Alert, stage: Stage) -> bool:
        """Write one block; False when there is no room for it now."""
        if self._write is not None:
            score, age = self._scores.get(alert.kind, ""), age_ms(alert, self.now_ms)
            text = plain(alert, heading=self._heading, age_ms=age, score=score)
            if not self._write(block(alert, stage, text, colors=self._colors)):
                return False
        now_ms = self.now_ms
        self.progress()
        self.log.info(
            "alert_delivered",
            alert_id=alert.alert_id,
            stage=stage,
            target=TERMINAL,
            latency_ms=now_ms - alert.detected_ms,
            event_latency_ms=now_ms - alert.exchange_ms,
        )
        if self._reports:
            report(self, alert, stage, TERMINAL)
        return True


def block(alert: Alert, stage: Stage, text: str, *, colors: bool) -> str:
    """One alert as lines between rules; start, growth and end of an incident bear the same id in their rule."""
    drawn = io.StringIO()
    console = Console(
        file=drawn, width=WIDTH, force_terminal=colors, no_color=not colors, color_system="standard" if colors else None
    )
    style = _STYLES[alert.severity] if stage is not Stage.ENDED else "green"
    first, *rest = text.splitlines()
    head = f"-- {_MARKS[stage]} {alert.severity} {alert.alert_id} "
    console.print(Text(head.ljust(WIDTH, "-"), style=style), soft_wrap=True)
    console.print(Text(first, style="bold" if colors else ""), soft_wrap=True)
    for line in rest:
        console.print(Text(f"   {line}"), soft_wrap=True)
    return drawn.getvalue().rstrip("\n")


def _to_stdout(text: str) -> bool:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return True
