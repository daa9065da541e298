"""The drills of issue 5 as they are meant: a whole process at the pace of the world, Telegram away for ten minutes of it.

A quarter of an hour, so `make drills` runs it and `make test` does not; test_telegram_drills.py is the quick version.
"""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from intelligence.alerts import Alert
from intelligence.journal import journal
from supervisors.trees.presentation import DATABASE
from tests.process.daemons import Daemon
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, OTHER, TOKEN, Stand

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_500),
    pytest.mark.skipif("DRILLS" not in os.environ, reason="one of `make drills`, for time"),
]

CHATS = (ME, OTHER, GROUP)
AWAY_S, LOCKED_S, BLOCKED_S = 600, 5, 5
ALERTS_S, TAPE_S, EVERY_S = 720, 900, 12  # until when there is something to tell, and how long the market goes on
AN_ID = re.compile(r"id <code>([a-z2-7]{12})</code>$")
MINUTES_OLD = re.compile(r"\((\d+) min[^)]* ago\)")
A_LOCK = f"""
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
time.sleep({LOCKED_S})
"""
A_DAEMON = f"""
import signal, sys, time
from actors.telegram.polling import Poller
pollers, run = [], Poller.run
async def watched(self):
    pollers.append(self)
    await run(self)
Poller.run = watched
def block(*_):
    pollers[-1]._loop.call_soon_threadsafe(time.sleep, {BLOCKED_S})
signal.signal(signal.SIGUSR2, block)
from run import main
main(sys.argv[1:])
"""


def a_tape(path: Path) -> str:
    """Forced orders on Binance: an alert every twelve seconds, now and then a cascade, then only what is too small to tell."""
    lines = []
    for at_s in range(0, TAPE_S, EVERY_S):
        turn = at_s // EVERY_S
        asset = ("BTC", "ETH", "SOL", "XRP")[turn % 4]
        usd = (300_000, 3_000_000)[turn // 4 % 2] if at_s < ALERTS_S else 500
        orders = 6 if turn % 20 == 10 and at_s < ALERTS_S else 1
        for number in range(orders):
            at_ms = 1_790_000_000_000 + 1_000 * at_s + 300 * number
            coins = f"{usd / 100 + number:g}"
            order = {"s": f"{asset}USDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": coins, "p": "100", "ap": "100"}
            order |= {"X": "FILLED", "l": coins, "z": coins, "T": at_ms}
            lines.append(json.dumps({"e": "forceOrder", "E": at_ms, "o": order, "ps": order["s"], "st": 1}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"binance:{path}"


class Town:
    """A whole process with three chats on a stand."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir()
        self.stand, self.database = Stand(), data_dir / DATABASE
        arguments = ["demo", "--telegram", "--speed", "1", "--seconds", "0", "--tape", a_tape(data_dir / "tape.jsonl")]
        self.daemon = Daemon(
            [sys.executable, "-c", A_DAEMON, *arguments],
            data_dir,
            TELEGRAM_BOT_TOKEN=TOKEN,
            AUTHORIZED_USERS=",".join(map(str, CHATS)),
            FORESHOCK_TELEGRAM__API_URL=self.stand.url,
        )

    def end(self) -> None:
        assert self.daemon.end(TAPE_S + 60) == 0

    @property
    def journal(self) -> bytes:
        with closing(sqlite3.connect(self.database)) as database:
            rows = database.execute("SELECT record FROM alerts WHERE kind != 'notice'").fetchall()
        return journal(msgspec.json.decode(record, type=Alert) for (record,) in rows)

    def texts(self, chat: int) -> list[tuple[str, str]]:
        found = [(AN_ID.search(call.text), call.text) for call in self.stand.sent(chat)]
        return [(match[1], call) for match, call in found if match]

    def told(self, chat: int) -> dict[str, list[str]]:
        """The ids of the alerts a chat was told, by severity, in order."""
        with closing(sqlite3.connect(self.database)) as database:
            severity = dict(database.execute("SELECT alert_id, json_extract(record, '$.severity') FROM alerts"))
        told: dict[str, list[str]] = {}
        for alert_id, _ in self.texts(chat):
            told.setdefault(severity[alert_id], []).append(alert_id)
        return told

    # -- what befalls it ------------------------------------------------------------------------------------------

    def kill_whoever_draws(self) -> None:
        """Stop the drawing process, have it asked for a picture, then kill it."""
        self.stand.say("/chart SOL")
        wait_for(lambda: self.stand.calls("sendPhoto", ME), "a picture", 30)
        (drawer,) = self._children("charts.worker")
        os.kill(drawer, signal.SIGSTOP)
        self.stand.say("/chart SOL 1h")
        time.sleep(0.5)
        os.kill(drawer, signal.SIGKILL)

    def lock_the_file(self) -> None:
        subprocess.run([sys.executable, "-c", A_LOCK, str(self.database)], timeout=LOCKED_S + 30, check=True)

    def block_the_loop(self) -> None:
        self.daemon.signal(signal.SIGUSR2)
        time.sleep(BLOCKED_S)
        self.stand.say("/version")
        wait_for(lambda: any("up for" in call.text for call in self.stand.sent(ME)), "an answer", 30)

    def take_telegram_away(self) -> None:
        self.stand.refuse_connections()
        time.sleep(AWAY_S)
        self.stand.listen()

    def _children(self, module: str) -> list[int]:
        pid = self.daemon.process.pid
        found = Path(f"/proc/{pid}/task").glob("*/children")
        children = {int(child) for each in found for child in each.read_text().split()}
        return [child for child in children if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes()]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@contextmanager
def a_town(data_dir: Path):
    town = Town(data_dir)
    try:
        yield town
    finally:
        town.daemon.close()
        town.stand.close()


def test_what_befalls_a_daemon_in_a_quarter_of_an_hour_costs_no_alert_and_doubles_none(tmp_path) -> None:
    with a_town(tmp_path / "calm") as calm, a_town(tmp_path / "troubled") as troubled:
        troubled.daemon.wait_for("polling_started")
        troubled.block_the_loop()
        troubled.kill_whoever_draws()
        troubled.lock_the_file()
        away_s = time.monotonic()
        troubled.take_telegram_away()
        back_s = time.monotonic()
        for town in (calm, troubled):
            town.end()

        for chat in CHATS:
            minutes = [int(found[1]) for _, text in troubled.texts(chat) if (found := MINUTES_OLD.search(text))]
            last_s = max(call.at_s for call in troubled.stand.sent(chat)) - back_s
            counts = {severity: len(told) for severity, told in troubled.told(chat).items()}
            say(f"chat {chat}: {counts}, up to {max(minutes)} min old, the last {last_s:.0f} s after the return")
            assert troubled.told(chat) == calm.told(chat)
            assert all(len(ids) == len(set(ids)) for ids in calm.told(chat).values())
            assert max(minutes) >= 8
        alerts = troubled.journal.count(b"\n")
        say(f"Telegram was away for {back_s - away_s:.0f} s; {alerts} alerts in the journal")
        assert troubled.journal == calm.journal
