"""Enhancements beside the core (requirements.md 11): each may fail or be switched off, and what people decided stands."""

from collections import Counter

import pytest

from actors import paths
from actors.herald import Herald
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.notifiers.telegram import TelegramNotifier
from tests.intelligence.builders import an_alert
from tests.telegram_stand.bot import RULES, Bot
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import GROUP, ME, Stand, telegram_settings
from tests.whole_tree import WholeTree, core_journal, play

GREETING = "watches, and alerts are on"


class Process(Bot):
    """One life of the daemon's Telegram side: dispatcher, sender, commands, and the herald that starts by itself."""

    def __init__(self, stand, folder, *, auto_start=True, herald_database=None):
        super().__init__(stand, folder, recorded=False)
        self.theatre.start(
            paths.TELEGRAM, TelegramNotifier, database=self.database, telegram=telegram_settings(stand), outbox=RULES
        )
        self.dispatcher(on_by_default=auto_start)
        self.theatre.start(
            paths.HERALD,
            Herald,
            database=herald_database or self.database,
            busy_s=0.1,
            chats=(ME, GROUP),
            auto_start=auto_start,
            active=("5 assets",),
            back_online_gap_s=0,
            digest_at=None,
        )
        self.open()

    def alert(self, alert_id):
        now_ms = self.theatre.clock.now_ms()
        alert = an_alert(alert_id=alert_id, exchange_ms=now_ms, detected_ms=now_ms)
        self.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
        self.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))

    def told(self, chat, words):
        return [call for call in self.stand.sent(chat) if words in call.text]


@pytest.fixture
def stand():
    stand = Stand()
    yield stand
    stand.close()


@pytest.fixture
def live(stand, tmp_path):
    """Start a process on the same files as the one before, which ends."""
    processes = []

    def start(**how):
        if processes:
            processes[-1].theatre.close()
        processes.append(Process(stand, tmp_path, **how))
        return processes[-1]

    yield start
    processes[-1].theatre.close()


def test_auto_start_preserves_manual_control(live):
    first = live()
    wait_for(lambda: first.told(ME, GREETING) and first.told(GROUP, GREETING))
    assert "<b>off</b>" in first.stand.answers("/alerts stop")

    second = live()
    second.alert("second")
    wait_for(lambda: second.told(GROUP, "second"))
    wait_for(lambda: second.told(GROUP, "Back online"))
    assert second.told(ME, "second") == second.told(ME, "Back online") == []
    assert not second.is_on(ME)

    third = live(auto_start=False)
    assert not third.is_on(GROUP)
    assert "<b>on</b>" in third.stand.answers("/alerts start")
    third.alert("third")
    wait_for(lambda: third.told(ME, "third"))
    assert third.told(GROUP, "third") == []
    assert len(third.told(ME, GREETING)) == 1


def test_alerts_start_works_when_auto_start_fails(live, tmp_path):
    (tmp_path / "not a file").mkdir()
    process = live(auto_start=False, herald_database=tmp_path / "not a file")

    assert "<b>on</b>" in process.stand.answers("/alerts start")
    process.alert("first")

    wait_for(lambda: process.told(ME, "first"))
    assert process.told(ME, "watches") == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_volume_monitoring_alongside_liquidations(tmp_path):
    told = {}
    for switch in ("false", "true"):
        (tmp_path / switch).mkdir()
        switches = {"ENABLE_VOLUME_MONITORING": switch, "ENABLE_DYNAMIC_THRESHOLDS": "false"}
        tree = play(WholeTree(tmp_path / switch, **switches))
        tree.settle_features()
        tree.stop()
        told[switch] = tree

    assert core_journal(told["true"]) == core_journal(told["false"])
    kinds = Counter(alert.kind for alert in told["true"].alerts)
    assert (kinds["cascade"], kinds["volume_spike"]) == (1, 1)
    assert kinds["liquidation"] > 10
