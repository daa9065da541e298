"""Our whole tree in the test's own process, without venues: the test is the market, and time stands still between its letters."""

import sys
import threading
import time
from queue import SimpleQueue

from actors import paths
from actors.clock import ManualClock
from actors.exchanges.registry import EXCHANGES
from actors.mailbox import Lane, Letter
from actors.messages.history import HistorySeen
from actors.messages.market import LiquidationsSeen, MarksSeen, TradesSeen
from actors.messages.supervision import ChildExited, ShutDown
from actors.supervised import Birth
from actors.system import System
from actors.worker import Worker
from config.loading import load_settings
from intelligence.history import BarSpan
from intelligence.journal import journal
from intelligence.market import Kline
from supervisors.supervisor import Supervisor
from supervisors.tree import WORKERS, Presentation, our_tree
from tests.intelligence.builders import T0, VENUES, a_liquidation, a_mark

PATIENCE_S = 20.0
MINUTE_MS = 60_000
DAY_MINUTES = 1_440
STREAM = paths.symbol_path("SOL")


class WholeTree:
    """`alerts`: as they were raised. Core and delivery are waited for after every letter, features never are.

    `telegram`: the token of a bot that sends and answers; the environment says where.
    """

    def __init__(self, data_dir, *, telegram="", **environ):
        overrides = {"data_dir": str(data_dir), "telegram.token": telegram, "market_caps.sources": []}
        overrides |= {f"venues.{venue}.enabled": False for venue in EXCHANGES}
        settings = load_settings(environ=environ, env_file=data_dir / "no.env", overrides=overrides).settings
        self.alerts = []
        self.clock = ManualClock(market_ms=T0, settle=self.settle)
        self.system = System(self.clock, log_dead_letters=False, health_tick_s=5.0)
        self._notices = SimpleQueue()
        for name in WORKERS:
            self.system.workers[name] = Worker(name)
            self.system.workers[name].start()
        shown = Presentation(simulation=True, telegram=bool(telegram), journal=self.alerts.append)
        spec = our_tree(settings, shown)
        self.system.place("/").epoch = 1
        Supervisor.start(Birth(self.system, "/", 1, {"spec": spec}, self._notices.put))
        self.wait_until(lambda: self.phase("/core") == "running")
        self.settle()

    def phase(self, path):
        return self.system.place(path).vitals.phase

    def state(self, path):
        """What its supervisor shows of a slot, and why."""
        published = self.system.status.get(path.rpartition("/")[0])
        return next(((node.state, node.why) for node in published.slots if node.path == path), None)

    @staticmethod
    def wait_until(condition):
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, "the tree did not get there in time"
            time.sleep(0.0005)

    def settle(self):
        """Until nobody in the core or in delivery has anything to do."""
        seen = []

        def is_quiet():
            seen.append(self._handled("/core", "/notify"))
            return len(seen) > 2 and seen[-1] is not None and seen[-1] == seen[-2] == seen[-3]

        self.wait_until(is_quiet)

    def settle_features(self):
        self.wait_until(lambda: self._handled("/features") is not None)
        self.settle()

    def _handled(self, *roots):
        """How much was handled below these paths, None while somebody is busy."""
        places = [self.system.place(path) for path in tuple(self.system.ledger) if path.startswith(roots)]
        if any(place.vitals.busy_since is not None or not place.mailbox.idle for place in places):
            return None
        return sum(place.vitals.handled for place in places)

    def tell(self, message, **envelope):
        self.system.address(STREAM).tell(message, **envelope)

    def liquidate(self, *orders):
        """Tell the stream of an asset of these forced orders, and wait until all is decided."""
        seen = LiquidationsSeen(
            asset=orders[0].asset, events=orders, able=VENUES, configured=VENUES, after_reconnect=False
        )
        path = paths.symbol_path(orders[0].asset)
        self.system.address(path).tell(seen, redeliver=True, retain=True)
        self.wait_until(lambda: path in self.system.ledger)  # the first letter starts the stream
        self.settle()

    def advance(self, seconds):
        self.clock.advance(seconds)
        self.settle()

    def stop(self):
        self.system.post("/", Letter(ShutDown(deadline_s=self.clock.monotonic() + 8), Lane.CONTROL))
        ended = threading.Event()
        deadline_s = time.monotonic() + PATIENCE_S
        while not ended.is_set() and time.monotonic() < deadline_s:
            while not self._notices.empty():
                if isinstance(self._notices.get(), ChildExited):
                    ended.set()
            if not ended.wait(0.002):
                self.clock._settle = lambda: None
                self.clock.advance(0.01)
        for worker in self.system.workers.values():
            worker.stop(PATIENCE_S)
        assert ended.is_set(), "the tree did not end"


def bars(until_ms, count=DAY_MINUTES):
    """The reference's minutes of an ordinary day: 3e5 USD each, a price that wavers by 0.03 %."""
    first_ms = until_ms // MINUTE_MS * MINUTE_MS - count * MINUTE_MS
    rows = tuple(
        Kline(
            venue="binance",
            instrument="SOLUSDT",
            asset="SOL",
            exchange_ms=first_ms + index * MINUTE_MS,
            received_ms=until_ms,
            interval="1m",
            open=140.0,
            high=140.0,
            low=140.0,
            close=140.0 * (1.0 + 0.0003 * (index % 2)),
            quantity=3e5 / 140.0,
            notional_usd=3e5,
            closed=True,
        )
        for index in range(count)
    )
    span = BarSpan(
        venue="binance",
        instrument="SOLUSDT",
        interval="1m",
        from_ms=first_ms,
        until_ms=first_ms + count * MINUTE_MS,
        received_ms=until_ms,
        rows=rows,
    )
    return HistorySeen(asset="SOL", span=span)


def play(tree, *, minutes=14, burst=(8, 12)):
    """An ordinary market of SOL, and in the minutes of `burst` a fall at ten times the volume with its liquidations."""
    step_s, price = 20, 140.0
    for step in range(minutes * 60 // step_s):
        minute, at_ms = step * step_s // 60, tree.clock.now_ms()
        is_burst = burst[0] <= minute < burst[1]
        if step * step_s % 60 == 0 and minute in (0, 6):
            tree.tell(bars(at_ms))
        price *= 0.997 if is_burst else 1.0 + 0.0001 * (-1) ** step
        usd = 2e6 if is_burst else 2e5
        tree.tell(MarksSeen(mark=a_mark(at_ms - T0, price)), lane=Lane.DATA)
        tree.settle()  # liquidations overtake marks that wait
        if is_burst:
            for number, amount in enumerate((9_000.0, 26_000.0, 70_000.0)):
                order = a_liquidation(at_ms - T0 + number, amount, price=price * (1 - number / 1e5))
                seen = LiquidationsSeen(
                    asset="SOL", events=(order,), able=VENUES, configured=VENUES, after_reconnect=False
                )
                tree.tell(seen, redeliver=True, retain=True)
        trades = TradesSeen(
            asset="SOL",
            venue="binance",
            received_ms=at_ms,
            times_ms=[at_ms - 2_000 + index * 100 for index in range(20)],
            prices=[price] * 20,
            coins=[(-1 if is_burst or index % 2 else 1) * usd / 20 / price for index in range(20)],
        )
        tree.tell(trades, lane=Lane.DATA)
        tree.settle()
        tree.advance(step_s)
    return tree


def core_journal(tree):
    """What core detection raised: everything but volume spikes."""
    return journal(alert for alert in tree.alerts if alert.kind != "volume_spike")


class Doorstep:
    """Stands before a module's import: `act` is called when somebody wants it."""

    def __init__(self, module, act):
        self.module, self._act = module, act

    def find_spec(self, name, *_):
        if name == self.module:
            self._act()

    def put_up(self, monkeypatch):
        monkeypatch.delitem(sys.modules, self.module, raising=False)
        monkeypatch.setattr(sys, "meta_path", [self, *sys.meta_path])
