"""From a detector's word to rows in the outbox: every alert is journalled, stored once, then announced to notifiers."""

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.alert_journal import AlertJournal
from actors.chat_requests import ChatReply, ChatRequest, ChatRequests
from actors.delivery_plans import DAY_MS, Plans
from actors.market_fold import MarketFold
from actors.messages.alerts import AlertRaised, DeliveriesQueued, DeliverNow
from actors.messages.chats import (
    ChatSeen,
    Refused,
    SendTest,
    TestPlanned,
    VotesState,
)
from actors.messages.feeds import AssetsWatched
from actors.messages.outcomes import AlertDecided, SelectionSet
from actors.outbox import Outbox, OutboxError
from actors.outbox_rows import TERMINAL, Planned
from actors.paths import OUTCOMES
from actors.paths import TELEGRAM as TELEGRAM_PATH
from actors.paths import TERMINAL as TERMINAL_PATH
from actors.selection_notices import notices
from actors.supervised import Supervised
from actors.trials import Trials
from config.settings import Outbox as OutboxSettings
from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.detectors.market_wide import MarketWideRule
from intelligence.outcomes.selection import Selection

PRUNE_EVERY_S = 3600.0
MARKET_TICK_S = 30.0  # market seconds between two looks whether a market-wide incident is over
EDIT_EVERY_S = 3.0  # of one message (issue 4; telegram.md 4 counts edits as sends)
UNSAVED_MAX = 1_000  # alerts kept in memory while the file cannot be written

_ORDER = {Stage.RAISED: 0, Stage.UPDATED: 1, Stage.ENDED: 2}


class _Prune(NamedTuple):
    pass


class _StoreAgain(NamedTuple):
    pass


class _EditDue(NamedTuple):
    alert_id: str


class _MarketTick(NamedTuple):
    pass


class _Unsaved(NamedTuple):
    """`decided`: what was decided on a start when it came, which no incident that begins later changes."""

    alert: Alert
    since_ms: int
    decided: tuple[Planned, ...] = ()


class Dispatcher(Supervised):
    """Takes `AlertRaised` (redelivered letters are harmless) and keeps what every chat has chosen.

    While the file cannot be written, alerts go to the notifiers by letter and are stored as soon as it can.
    """

    def init(
        self,
        *,
        database: Path | str,
        outbox: OutboxSettings,
        chats: tuple[int, ...],
        notifiers: tuple[str, ...],
        market_wide: MarketWideRule,
        watched: int,
        heading: str = "",
        brief_log: bool = False,
        journal: Callable[[Alert], None] | None = None,
        on_by_default: bool = True,
        terminal_tells: bool = True,
        trials: Iterable[AlertKind] = (),
    ) -> None:
        """`chats`: ids that receive alerts; `on_by_default`: also where nobody has decided. `notifiers`: paths of those that exist.

        `market_wide`: when the alerts of many assets are one incident; `watched`: of how many assets, until `AssetsWatched`.
        `trials`: families that are decided and never sent. `terminal_tells`: what is shown on the terminal counts as told to people.
        `journal` gets every alert when it is raised, as the log does.
        `brief_log`: `alert_raised` without the record, for people at a terminal who see the alert itself.
        """
        self._database, self._rules = database, outbox
        self._terminal = TERMINAL_PATH if TERMINAL_PATH in notifiers else None
        self._telegram = TELEGRAM_PATH if TELEGRAM_PATH in notifiers else None
        self._journal = AlertJournal(self.log, heading=heading, brief=brief_log, keep=journal)
        self._terminal_tells = terminal_tells
        self._outbox: Outbox | None = None
        self._plans = Plans(
            chats if self._telegram else (), terminal=self._terminal is not None, on_by_default=on_by_default
        )
        self._trials = Trials(trials)
        self._requests = ChatRequests(self._plans, self._trials, self.log, on_by_default=on_by_default)
        self._market = MarketFold(market_wide, watched, self.log)
        self._edited_s: dict[str, float] = {}
        self._unsaved: deque[_Unsaved] = deque(maxlen=UNSAVED_MAX)
        self.timer.every("prune", PRUNE_EVERY_S, _Prune())
        try:
            self._begin()
        except OutboxError as error:
            self._lose_outbox(error)

    def recover(self, retained: tuple[Any, ...]) -> None:
        for message in retained:
            self._market.watch(len(message.assets))

    def _begin(self) -> None:
        outbox = self._open()
        if self.epoch == 1:  # who blocked us may have changed their mind while we were not running
            outbox.chats.revive()
        self._plans.begin(outbox, self.now_ms)
        self._trials.begin(outbox)
        self._market.begin(outbox, self.now_ms)
        self._end_market_in_time()
        for path in filter(None, (self._terminal, self._telegram)):  # a predecessor may have died before it said so
            self.send(path, DeliveriesQueued())

    def terminate(self, reason: str) -> None:
        if self._unsaved:
            self._store_again()
        if self._unsaved:
            self.log.error("outbox_failed", reason=f"{reason} with alerts in memory only", unsaved=len(self._unsaved))
        if self._outbox is not None:
            self._outbox.close()

    def handle(self, message: Any) -> ChatReply | None:
        match message:
            case AlertRaised(alert=alert):
                self._take(self._trials.of(alert))
            case _ if isinstance(message, ChatRequest):
                return self._answer(message)
            case ChatSeen(chat_id=chat_id, topic=topic):
                self._revive(chat_id, topic)
            case _StoreAgain():
                self._store_again()
            case _EditDue(alert_id=alert_id):
                self._edit(alert_id)
            case AssetsWatched(assets=assets):
                self._market.watch(len(assets))
            case SelectionSet(selection=selection):
                self._select(selection)
            case _MarketTick():
                self._end_market()
            case _Prune():
                self._prune()
            case _:
                super().handle(message)
        return None

    # -- alerts ---------------------------------------------------------------------------------------------------

    def _take(self, alert: Alert) -> None:
        if self._unsaved:  # the file has just failed: do not let every alert wait for it, and keep their order
            if not any(u.alert.alert_id == alert.alert_id and u.alert.stage == alert.stage for u in self._unsaved):
                self._deliver_from_memory(alert)
            return
        try:
            self._store(alert, self.now_ms)
        except OutboxError as error:
            self._lose_outbox(error)
            self._deliver_from_memory(alert)

    def _store(self, alert: Alert, since_ms: int, decided: tuple[Planned, ...] = ()) -> None:
        """Store one stage of an alert and announce it, as it is `decided` or shall be now. Journalled before it is stored:
        rather twice than never.
        """
        outbox = self._open()
        known = outbox.known(alert.alert_id)
        if known is not None and _ORDER[alert.stage] <= _ORDER[known.stage] and alert.stage is not Stage.UPDATED:
            self.log.debug("alert_suppressed", alert_id=alert.alert_id, stage=alert.stage, reason="duplicate")
            return
        if known is None:
            if alert.stage is Stage.ENDED:
                self.log.debug("alert_suppressed", alert_id=alert.alert_id, stage=alert.stage, reason="never_raised")
                return
            alert = msgspec.structs.replace(alert, stage=Stage.RAISED)  # the letter that raised it was lost
            self._journal.raised(alert)
        elif known.stage is Stage.ENDED:
            return
        elif alert.stage is Stage.ENDED:
            latency = ("latency_s", (known.detected_ms - alert.exchange_ms) / 1000)
            alert = msgspec.structs.replace(alert, context=(*alert.context, latency))
        graver = known is not None and alert.severity < known.severity
        market = self._market.take(alert, self.now_ms)
        folded_into = market.folded_into or ""
        planned = list(decided) or self._plans.of(
            alert, outbox, graver=graver, folded_into=folded_into, now_ms=self.now_ms
        )
        planned = self._edits_later(alert, planned)
        outbox.append(alert, planned, since_ms)
        self._plans.follow(alert)
        if known is None:
            counted = (plan for plan in planned if plan.target != TERMINAL or self._terminal_tells)
            self._tell_ledger(alert, tuple(plan.suppressed for plan in counted))
        self._announce(alert, planned)
        if market.alert is not None:
            self._take(market.alert)
        self._end_market_in_time()

    def _end_market_in_time(self) -> None:
        if self._market.is_open:
            self.timer.once("market", MARKET_TICK_S, _MarketTick(), market=True)

    def _end_market(self) -> None:
        """End the market-wide incident when nothing has come for long."""
        ended = self._market.end_by(self.now_ms)
        if ended is not None:
            self._take(ended)
        self._end_market_in_time()

    def _edits_later(self, alert: Alert, planned: list[Planned]) -> list[Planned]:
        """Leave out what would edit messages too soon after the last edit; they are edited when the time has come."""
        if alert.stage is not Stage.UPDATED:
            self.timer.cancel(f"edit-{alert.alert_id}")
            self._edited_s.pop(alert.alert_id, None)
            return planned
        wait_s = self._edited_s.get(alert.alert_id, -EDIT_EVERY_S) + EDIT_EVERY_S - self.system.clock.monotonic()
        if wait_s <= 0:
            self._edited_s[alert.alert_id] = self.system.clock.monotonic()
            return planned
        self.timer.once(f"edit-{alert.alert_id}", wait_s, _EditDue(alert.alert_id))
        return [plan for plan in planned if plan.stage is not Stage.UPDATED or plan.target == TERMINAL]

    def _edit(self, alert_id: str) -> None:
        """Tell the newest growth of an incident, unless it has ended."""
        if alert_id in self._plans.incidents and not self._unsaved:
            self._take(self._plans.incidents[alert_id])

    def _announce(self, alert: Alert, planned: Iterable[Planned]) -> None:
        for path in self._notifiers(self._journal.decided(alert, planned)):
            self.send(path, DeliveriesQueued())

    def _select(self, selection: Selection) -> None:
        """Choose pushes by that from now on, and tell chats what it means for them."""
        self._plans.selection = selection
        try:
            outbox = self._open()
            for notice, plan in list(notices(selection, self._plans.chat_targets, outbox, self.now_ms)):
                outbox.append(notice, (plan,), self.now_ms)
                self._announce(notice, (plan,))
        except OutboxError as error:
            self.log.warning("outbox_failed", reason=str(error), unsaved=len(self._unsaved))

    def _tell_ledger(self, alert: Alert, held: tuple[str, ...]) -> None:
        """`held`: the gate of each target, "" where it goes out."""
        if self.system.find(OUTCOMES) is not None:
            gates = tuple(gate for gate in held if gate)
            awaited = len(gates) < len(held)
            self.send(OUTCOMES, AlertDecided(alert=alert, decided_ms=self.now_ms, awaited=awaited, held=gates))

    def _notifiers(self, targets: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The notifier of each target."""
        found: dict[str, tuple[str, ...]] = {}
        for target in targets:
            path = self._terminal if target == TERMINAL else self._telegram
            if path is not None:
                found[path] = (*found.get(path, ()), target)
        return found

    # -- when the file fails --------------------------------------------------------------------------------------

    def _open(self) -> Outbox:
        if self._outbox is None:
            self._outbox = Outbox(self._database, self._rules.busy_s)
        return self._outbox

    def _lose_outbox(self, error: OutboxError) -> None:
        self.log.error("outbox_failed", reason=str(error), unsaved=len(self._unsaved))
        self._try_later()

    def _try_later(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        self.note(f"outbox not writable, {len(self._unsaved)} alerts in memory only")
        self.judge_itself("unhealthy", "alerts cannot be stored: they are sent from memory")
        self.timer.once("store", self._rules.reread_s, _StoreAgain())

    def _deliver_from_memory(self, alert: Alert) -> None:
        if len(self._unsaved) == UNSAVED_MAX:
            lost = self._unsaved[0].alert
            self.log.error("alert_failed", alert_id=lost.alert_id, stage=lost.stage, reason="not_stored")
        planned = self._plans.without_file(alert, self.now_ms)
        is_start = alert.stage is Stage.RAISED
        self._unsaved.append(_Unsaved(alert, self.now_ms, tuple(planned) if is_start else ()))
        self._plans.follow(alert)
        if is_start:
            self._journal.raised(alert)
            self._tell_ledger(alert, tuple(plan.suppressed for plan in planned))
        if alert.stage is not Stage.UPDATED:
            told = {plan.target: plan for plan in planned if not plan.suppressed}
            for path, group in self._notifiers(told).items():
                silent = tuple(target for target in group if told[target].silent)
                self.send(path, DeliverNow(alert=alert, targets=group, silent=silent))
        self.note(f"outbox not writable, {len(self._unsaved)} alerts in memory only")

    def _store_again(self) -> None:
        """Store what went out from memory. Notifiers know what they have delivered and only mark it."""
        stored = 0
        try:
            self._open().chats.all()
            while self._unsaved:
                self._store(*self._unsaved[0])
                self._unsaved.popleft()
                stored += 1
        except OutboxError as error:
            self.log.warning("outbox_failed", reason=str(error), unsaved=len(self._unsaved))
            self._try_later()
            return
        self.log.info("outbox_recovered", stored=stored)
        self.note("")
        self.judge_itself("healthy")

    # -- chats ----------------------------------------------------------------------------------------------------

    def _answer(self, request: ChatRequest) -> ChatReply:
        try:
            if isinstance(request, SendTest):
                return self._test(request)
            answer = self._requests.answer(request, self._open(), self.now_ms)
        except OutboxError as error:
            self._lose_outbox(error)
            return Refused(reason="the settings of this chat cannot be read or stored now")
        if isinstance(answer, VotesState) and self.system.find(OUTCOMES) is not None:
            self.send(OUTCOMES, answer)
        return answer

    def _test(self, request: SendTest) -> TestPlanned:
        outbox = self._open()
        alert, plan = self._requests.plan_test(request, outbox, self.now_ms)
        outbox.append(alert, (plan,), self.now_ms)
        self._announce(alert, (plan,))
        return TestPlanned(held=plan.suppressed, silent=plan.silent)

    def _revive(self, chat_id: int, topic: int) -> None:
        try:
            if self._open().chats.revive(chat_id):
                self.log.info("chat_revived", chat_id=chat_id)
            if topic and self._open().chats.set_lost(chat_id, topic, ""):
                self.log.info("topic_revived", chat_id=chat_id, topic=topic)
        except OutboxError as error:
            self._lose_outbox(error)

    def _prune(self) -> None:
        try:
            gone = self._open().prune(self.now_ms - int(self._rules.keep_days * DAY_MS))
            self.log.debug("outbox_pruned", alerts=gone)
        except OutboxError as error:
            self._lose_outbox(error)
