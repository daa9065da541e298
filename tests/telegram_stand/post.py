"""The notifier of Telegram with an outbox of its own, on the stand."""

import sqlite3
import time

from actors import paths
from actors.clock import ManualClock
from actors.messages.alerts import DeliveriesQueued
from actors.notifiers.telegram import TelegramNotifier
from actors.outbox import Outbox
from actors.outbox_rows import Planned, telegram_target
from config.settings import Outbox as OutboxSettings
from tests.telegram_stand.stage import Stage as Theatre
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME, telegram_settings

RULES = OutboxSettings(reread_s=60, busy_s=1, keep_days=7, p1_valid_s=600, p2_valid_s=600, p3_valid_s=600)


class Post:
    """A notifier, its outbox, and the stand that plays Telegram."""

    def __init__(self, stand, database, clock=None):
        self.stand, self.database = stand, database
        self.theatre = Theatre(clock)
        self.outbox = Outbox(database, 1)

    def open(self, *, outbox=RULES, **settings):
        self.theatre.start(
            paths.TELEGRAM,
            TelegramNotifier,
            database=self.database,
            telegram=telegram_settings(self.stand, **settings),
            outbox=outbox,
        )
        return self

    def queue(self, *alerts, chats=(ME,)):
        planned = [telegram_target(chat) for chat in chats]
        now_ms = self.theatre.clock.now_ms()
        for alert in alerts:
            self.outbox.append(alert, [Planned(target=t, stage=alert.stage) for t in planned], now_ms)
        return self

    def tell(self, message=None):
        self.theatre.tell(paths.TELEGRAM, message or DeliveriesQueued())

    def states(self):
        db = sqlite3.connect(self.database)
        rows = db.execute("SELECT alert_id, state, reason FROM deliveries ORDER BY id").fetchall()
        db.close()
        return [(alert_id, state) if not reason else (alert_id, state, reason) for alert_id, state, reason in rows]

    def done(self):
        wait_for(lambda: not self.outbox.deliveries.waiting("telegram:"), f"every row to be settled: {self.states()}")

    def run(self, seconds):
        """Let time pass, and the notifier do what it then does."""
        self.theatre.quiet(paths.TELEGRAM)
        self.theatre.clock.advance(seconds)
        self.theatre.quiet(paths.TELEGRAM)

    def in_time(self, seconds):
        """Let much time pass, each moment when the notifier is done with the one before; the stand shares the clock."""
        clock, place = self.theatre.clock, self.theatre.system.place(paths.TELEGRAM)
        assert isinstance(clock, ManualClock)
        self.stand.proxy.now_s = clock.monotonic

        def settle():
            seen = -1
            while place.vitals.busy_since is not None or not place.mailbox.idle or seen != place.vitals.handled:
                seen = place.vitals.handled
                time.sleep(0.0002)

        settle()
        clock._settle = settle
        clock.advance(seconds)
        return self

    def close(self):
        self.theatre.close()
        self.outbox.close()
