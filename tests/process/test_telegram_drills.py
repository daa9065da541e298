"""What may befall Telegram's side of a running daemon: core detection raises the same, and people hear all of it afterwards.

The whole tree in market time that the test moves; Telegram, the drawing process and whoever locks the file are others.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest

from actors import paths
from intelligence.alerts import Severity
from intelligence.journal import journal
from supervisors.trees.presentation import DATABASE
from tests.intelligence.builders import T0, a_liquidation
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, OTHER, TOKEN, Stand
from tests.whole_tree import WholeTree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CHATS = (ME, OTHER, GROUP)
ASSETS = ("SOL", "DOGE", "AVAX", "LINK")  # fewer than make an incident of the market
FEATURES = ("ENABLE_DYNAMIC_THRESHOLDS", "ENABLE_VOLUME_MONITORING", "FORESHOCK_OUTCOMES__ENABLED")
MINUTES = 12
STEP_S = 30
CASCADE_AT = 5
LAST_MS = 3_600_000
OPEN_ROWS = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')"
AN_ID = re.compile(r"id <code>([a-z2-7]{12})</code>$")
MINUTES_OLD = re.compile(r"\((\d+) min[^)]* ago\)")
A_LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""


class Town:
    """A whole tree with three chats on a stand."""

    def __init__(self, data_dir, stand):
        self.stand = stand
        self.database = data_dir / DATABASE
        self.tree = WholeTree(
            data_dir,
            telegram=TOKEN,
            AUTHORIZED_USERS=",".join(map(str, CHATS)),
            FORESHOCK_TELEGRAM__API_URL=stand.url,
            FORESHOCK_OUTBOX__BUSY_S="0.05",
            FORESHOCK_CHARTS__HANG_S="60",
            FORESHOCK_HTTP__PORT="0",
            **dict.fromkeys(FEATURES, "false"),
        )

    def live(self, meanwhile=None):
        """Twelve minutes with an order every thirty seconds, and a cascade of SOL among them. `meanwhile`: what is done at the
        beginning of which minute.
        """
        for step in range(MINUTES * 60 // STEP_S):
            minute, turn = divmod(step * STEP_S, 60)
            if turn == 0 and meanwhile is not None and minute in meanwhile:
                meanwhile[minute]()
            asset, usd, orders = ASSETS[step % len(ASSETS)], (30_000.0, 400_000.0)[step // len(ASSETS) % 2], 1
            if minute == CASCADE_AT:
                asset, usd, orders = "SOL", 60_000.0, 3
            self.tree.liquidate(*(self._order(asset, usd, number) for number in range(orders)))
            self.tree.advance(STEP_S)
        return self

    def _order(self, asset, usd, number):
        at_ms = self.tree.clock.now_ms() - T0
        return a_liquidation(
            at_ms + number, usd, asset=asset, instrument=f"{asset}USDT", price=100.0 + at_ms / 1e5 + number
        )

    def all_told(self):
        """Let time pass until nothing waits to be told."""
        with closing(sqlite3.connect(self.database)) as database:
            while database.execute(OPEN_ROWS).fetchone() != (0,):
                self.tree.advance(10)
                assert self.tree.clock.now_ms() < T0 + LAST_MS, "something is never told"
        return self

    def texts(self, chat):
        """What Telegram took for a chat about alerts, in order: alert id and text."""
        found = [(AN_ID.search(call.text), call.text) for call in self.stand.sent(chat)]
        return [(match[1], text) for match, text in found if match]

    def told(self, chat):
        """The ids of the alerts that a chat was told, by severity, in order."""
        severity = {alert.alert_id: alert.severity for alert in self.tree.alerts}
        return {each: [told for told, _ in self.texts(chat) if severity[told] is each] for each in Severity}

    @property
    def ended(self):
        """The journal of the run and what was told in it."""
        return Ran(journal(self.tree.alerts), {chat: self.told(chat) for chat in CHATS})


class Ran(NamedTuple):
    journal: bytes
    told: dict


@contextmanager
def a_town(data_dir):
    stand = Stand()
    town = Town(data_dir, stand)
    town.tree.wait_until(lambda: town.tree.phase("/edge") == "running")
    try:
        yield town
    finally:
        town.tree.stop()
        stand.close()


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """An undisturbed run."""
    with a_town(tmp_path_factory.mktemp("calm")) as town:
        return town.live().all_told().ended


@pytest.fixture
def town(tmp_path):
    with a_town(tmp_path) as town:
        yield town


class Lock:
    """Another process that holds the file of alerts for itself."""

    def __init__(self, database):
        self._command = [sys.executable, "-c", A_LOCK, str(database)]
        self._process = None

    def take(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "locked\n"

    def give(self):
        self._process.communicate("\n", timeout=10)


class Loop:
    """The event loop of the bot, which something blocks."""

    def __init__(self, tree):
        self._tree, self._over = tree, threading.Event()

    def block(self):
        wait_for(lambda: self._tree.system.place(paths.COMMANDS).vitals.note == "polling", "the bot to poll")
        loop = self._tree.system.ledger[paths.COMMANDS].actor._poller._loop
        blocked = threading.Event()
        loop.call_soon_threadsafe(lambda: (blocked.set(), self._over.wait(60)))
        assert blocked.wait(10)

    def free(self):
        self._over.set()


class Draughtsman:
    """The process that draws pictures: it is stopped while it draws, then killed."""

    def __init__(self, town):
        self._town, self.killed = town, None

    @property
    def is_drawing(self):
        return self._town.tree.system.place(paths.CHARTS).vitals.busy_since is not None

    @property
    def pid(self):
        return self._town.tree.system.ledger[paths.CHARTS].actor._process.pid

    def stop(self):
        self._town.stand.say("/chart SOL")
        wait_for(lambda: self._town.stand.calls("sendPhoto", ME), "a first picture", 30)
        self.killed = self.pid
        os.kill(self.killed, signal.SIGSTOP)
        self._town.stand.say("/chart SOL 1h")
        wait_for(lambda: self.is_drawing, "the next picture to be drawn")

    def kill(self):
        assert self.is_drawing
        os.kill(self.killed, signal.SIGKILL)


def test_ten_minutes_without_telegram_change_no_alert_and_all_arrive_afterwards_in_order_with_their_age(town, calm):
    town.live(meanwhile={1: town.stand.refuse_connections, 11: town.stand.listen}).all_told()

    assert town.ended == calm
    assert max(int(found[1]) for _, text in town.texts(ME) if (found := MINUTES_OLD.search(text))) >= 9


def test_a_file_that_another_process_has_locked_changes_no_alert_and_each_arrives_once_in_order(town, calm):
    lock = Lock(town.database)
    town.live(meanwhile={4: lock.take, 7: lock.give}).all_told()

    assert town.ended == calm


def test_a_blocked_event_loop_changes_nothing_that_people_are_told_and_answers_afterwards(town, calm):
    loop = Loop(town.tree)
    town.live(meanwhile={4: loop.block, 7: loop.free}).all_told()

    assert town.ended == calm
    assert "Foreshock" in town.stand.answers("/help")


def test_a_drawing_process_that_is_killed_as_it_draws_costs_its_picture_alone(town, calm):
    draughtsman = Draughtsman(town)
    town.live(meanwhile={4: draughtsman.stop, 7: draughtsman.kill}).all_told()

    assert town.ended == calm
    photos = len(town.stand.calls("sendPhoto", ME))
    town.stand.say("/chart SOL 2h")
    wait_for(lambda: len(town.stand.calls("sendPhoto", ME)) > photos, "a picture of the next process", 30)
    assert draughtsman.pid != draughtsman.killed
