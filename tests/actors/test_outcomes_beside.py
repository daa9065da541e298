"""What the core does does not depend on the outcome ledger: it may be away, dead or hanging."""

import threading
from contextlib import closing

import pytest

from actors import paths
from actors.clock import ManualClock
from actors.dispatcher import Dispatcher
from actors.mailbox import MailboxSpec
from actors.messages.market import LiquidationsSeen, MarksSeen, MinuteClosed
from actors.messages.outcomes import AlertDecided, DeliveryMade
from actors.notifiers.terminal import TerminalNotifier
from actors.outbox import Outbox
from actors.supervised import Supervised
from actors.symbol_stream import SymbolStream
from config.settings import Outbox as OutboxSettings
from intelligence.detectors.asset import DetectionRules
from intelligence.detectors.market_wide import MarketWideRule
from intelligence.journal import journal
from tests.intelligence.builders import T0, VENUES, a_burst, a_mark
from tests.telegram_stand.stage import Stage as Theatre

RULES = OutboxSettings(reread_s=60, busy_s=1, keep_days=7, p1_valid_s=600, p2_valid_s=600, p3_valid_s=600)
STREAM = paths.symbol_path("SOL")


class Hanging(Supervised):
    """Never comes back from its first letter, until it is let go."""

    def init(self, *, gate):
        self._gate = gate

    def handle(self, message):
        self._gate.wait(30)


def run(tmp_path, ledger):
    """The journal and the deliveries of a cascade while the ledger is like that."""
    theatre, gate = Theatre(ManualClock(market_ms=T0)), threading.Event()
    database = tmp_path / f"{ledger}.db"
    letters = []
    if ledger == "there":
        letters = theatre.record(paths.OUTCOMES)
    elif ledger == "dead":
        theatre.system.place(paths.OUTCOMES, MailboxSpec(data_max=10, urgent_max=1))
    elif ledger == "hanging":
        theatre.start(paths.OUTCOMES, Hanging, gate=gate)
    theatre.start(
        paths.TERMINAL,
        TerminalNotifier,
        database=database,
        busy_s=1,
        reread_s=60,
        console=True,
        write=lambda _: True,
    )
    theatre.start(
        paths.DISPATCHER,
        Dispatcher,
        database=str(database),
        outbox=RULES,
        chats=(),
        notifiers=(paths.TERMINAL,),
        market_wide=MarketWideRule(),
        watched=10,
    )
    theatre.start(STREAM, SymbolStream, child_id="sol", rules=DetectionRules(), listeners=(paths.OUTCOMES,))
    for at_ms in range(-120_000, 10_000, 1_000):
        theatre.tell(STREAM, MarksSeen(mark=a_mark(at_ms, price=140.0 - max(at_ms, 0) / 4_000)))
    for one in a_burst(0, orders=8, usd=60_000.0):
        theatre.tell(
            STREAM,
            LiquidationsSeen(asset="SOL", events=(one,), able=VENUES, configured=VENUES, after_reconnect=False),
        )
    for _ in range(4):
        theatre.clock.advance(60.0)
        for path in (STREAM, paths.DISPATCHER, paths.TERMINAL):
            theatre.quiet(path)
    gate.set()
    theatre.close()
    with closing(Outbox(database, 1.0)) as outbox:
        alerts = outbox.alerts.raised_since(0)
        fates = [outbox.alerts.fates(alert.alert_id) for alert in alerts]
    return journal(alerts), fates, letters


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    return run(tmp_path_factory.mktemp("without"), "away")


@pytest.mark.parametrize("ledger", ["there", "dead", "hanging"])
def test_journal_and_deliveries_are_the_same(ledger, without, tmp_path):
    told, fates, _ = run(tmp_path, ledger)

    assert told.count(b"\n") >= 2
    assert (told, fates) == without[:2]


def test_it_hears_of_minutes_and_of_every_alert_once(without, tmp_path):
    told, _, letters = run(tmp_path, "there")

    decided = [one for one in letters if isinstance(one, AlertDecided)]
    assert len(decided) == told.count(b"\n")
    delivered = {one.alert_id for one in letters if isinstance(one, DeliveryMade)}
    assert delivered == {one.alert.alert_id for one in decided if one.awaited}
    assert any(isinstance(one, MinuteClosed) for one in letters)
