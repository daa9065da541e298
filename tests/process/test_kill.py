"""A process that is killed loses no alert: the next one delivers what was open, once."""

import json
import re
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.process.daemons import daemon
from tests.telegram_stand.stand import ME, TOKEN, Stand

pytestmark = pytest.mark.slow

ALERT_ID = re.compile(r"\b[a-z2-7]{12}\b")


@pytest.fixture
def stand():
    running = Stand()
    yield running
    running.close()


def a_tape(path, orders=12, every_ms=300) -> str:
    """Forced orders of 300 000 USD, each an alert. Played twice it brings the same events with the same ids."""
    lines = []
    for number in range(orders):
        at_ms = 1_790_000_000_000 + number * every_ms
        order = {"s": f"{['BTC', 'ETH', 'SOL', 'XRP'][number % 4]}USDT", "S": "SELL", "o": "LIMIT", "f": "IOC"}
        order |= {"q": "3000", "p": "100", "ap": "100", "X": "FILLED", "l": "3000", "z": "3000", "T": at_ms}
        lines.append(json.dumps({"e": "forceOrder", "E": at_ms, "o": order, "ps": order["s"], "st": 1}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"binance:{path}"


def open_deliveries(data_dir) -> set[str]:
    with closing(sqlite3.connect(data_dir / "foreshock.db")) as connection:
        rows = connection.execute(
            "SELECT alert_id FROM deliveries WHERE state IN ('queued', 'sending') AND target LIKE 'telegram:%'"
            " AND stage = 'raised'"
        )
        return {alert_id for (alert_id,) in rows}


def test_what_was_open_at_a_kill_is_delivered_once_by_the_next_process(stand, tmp_path) -> None:
    settings = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "AUTHORIZED_USERS": str(ME),
        "FORESHOCK_TELEGRAM__API_URL": stand.url,
        "FORESHOCK_TELEGRAM__PRIVATE_GAP_S": "0.05",
        "FORESHOCK_TELEGRAM__RETRY_CAP_S": "1",
    }
    demo = ("demo", "--telegram", "--speed", "1", "--tape", a_tape(tmp_path / "tape.jsonl"), "--seconds", "0")
    stand.refuse_connections()
    with daemon(*demo, data_dir=tmp_path, **settings) as first:
        for _ in range(3):
            first.wait_for("alert_queued")
        first.signal(signal.SIGKILL)
        first.end()
    waiting = open_deliveries(tmp_path)

    stand.listen()
    with daemon(*demo, data_dir=tmp_path, **settings) as second:
        assert second.end() == 0

    told = [found for call in stand.sent(chat=ME) for found in set(ALERT_ID.findall(call.text))]
    journalled = {line["alert_id"] for line in (*first.lines, *second.lines) if line["event"] == "alert_raised"}
    assert len(waiting) >= 3
    assert {alert_id: told.count(alert_id) for alert_id in journalled} == dict.fromkeys(journalled, 1)
    assert not open_deliveries(tmp_path) & waiting
