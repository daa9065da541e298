"""The daemon's own tree with a Telegram of its own: alerts go out, commands are answered, failures stay where they are."""

import io
import json
import queue

import pytest

from actors import paths
from actors.clock import Clock
from actors.exchanges.registry import EXCHANGES
from actors.mailbox import Lane, Letter
from actors.messages.alerts import AlertRaised
from actors.messages.supervision import Drill, ShutDown
from actors.supervised import Birth
from actors.system import System
from actors.worker import Worker
from config.loading import load_settings
from config.logs import configure_logs
from supervisors.supervisor import Supervisor
from supervisors.tree import WORKERS, our_tree
from supervisors.trees.presentation import Presentation
from tests.intelligence.builders import an_alert
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, TOKEN, Stand


class Daemon:
    def __init__(self, folder, stand):
        names = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "AUTHORIZED_USERS": f"{ME},{GROUP}",
            "FORESHOCK_TELEGRAM__API_URL": stand.url,
            "FORESHOCK_DATA_DIR": str(folder),
            "FORESHOCK_LOGS__FORMAT": "json",
            "FORESHOCK_LOGS__LEVEL": "debug",
        }
        names |= {f"FORESHOCK_VENUES__{venue.upper()}__ENABLED": "false" for venue in EXCHANGES}
        settings = load_settings(environ=names, env_file=folder / "none").settings
        self.written = io.StringIO()
        self._sink = configure_logs(settings, self.written)
        self._clock = Clock()
        self._clock.start()
        self.system = System(self._clock)
        for name in WORKERS:
            self.system.workers[name] = Worker(name)
            self.system.workers[name].start()
        self._notices = queue.SimpleQueue()
        self.system.place("/").epoch = 1
        Supervisor.start(Birth(self.system, "/", 1, {"spec": our_tree(settings, Presentation())}, self._notices.put))
        self._notices.get(timeout=10)

    def raise_alert(self, alert_id):
        now_ms = self._clock.now_ms()
        alert = an_alert(alert_id=alert_id, exchange_ms=now_ms, detected_ms=now_ms)
        self.system.address(paths.DISPATCHER).tell(AlertRaised(alert=alert), redeliver=True)

    def logged(self, event):
        lines = map(json.loads, self.written.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]

    def stop(self):
        self.system.post("/", Letter(ShutDown(deadline_s=self._clock.monotonic() + 7.5), Lane.CONTROL))
        notice = self._notices.get(timeout=9)
        self._clock.stop()
        for worker in self.system.workers.values():
            worker.stop(1)
        self._sink.close(2)
        return notice


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


def test_alerts_and_commands_go_through_the_tree_and_survive_a_failure_of_every_part(tmp_path, stand):
    daemon = Daemon(tmp_path, stand)
    daemon.raise_alert("first")
    stand.wait_sent(2)
    wait_for(lambda: daemon.logged("polling_started"))
    assert "<b>on</b>" in stand.answers("/alerts status")

    for path in (paths.DISPATCHER, paths.TELEGRAM, paths.TERMINAL, paths.COMMANDS):
        daemon.system.address(path).tell(Drill())
    daemon.raise_alert("second")
    wait_for(lambda: len([call for call in stand.sent() if ">second<" in call.text]) == 2)

    assert daemon.stop().kind == "finished"
    assert daemon.system.leaked == []
    targets = [line["target"] for line in daemon.logged("alert_delivered") if line["alert_id"] == "second"]
    assert sorted(targets) == ["telegram:-22", "telegram:11", "terminal"]
    assert TOKEN.partition(":")[2] not in daemon.written.getvalue()


def test_with_a_wrong_token_the_terminal_goes_on_and_the_log_says_what_to_do(tmp_path, stand):
    stand.proxy.tokens.clear()
    daemon = Daemon(tmp_path, stand)
    wait_for(lambda: {line["path"] for line in daemon.logged("child_parked")} == {paths.TELEGRAM, paths.COMMANDS})

    daemon.raise_alert("first")
    wait_for(lambda: daemon.logged("alert_delivered"))

    daemon.stop()
    assert [line["target"] for line in daemon.logged("alert_delivered")] == ["terminal"]
    assert all("TELEGRAM_BOT_TOKEN" in line["reason"] for line in daemon.logged("child_parked"))
    assert TOKEN.partition(":")[2] not in daemon.written.getvalue()
