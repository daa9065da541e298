"""What chats ask of the dispatcher: their state, changes of what they have chosen, votes and tests."""

from typing import Any

from actors.delivery_plans import DAY_MS, Plans
from actors.messages.chats import (
    AlertsState,
    AskAlerts,
    AskTrials,
    CastVote,
    ChangePreferences,
    Promote,
    Refused,
    SendTest,
    SetAlerts,
    TakeTopic,
    TestPlanned,
    TrialsState,
    VotesState,
)
from actors.notices import a_notice
from actors.outbox import Outbox
from actors.outbox_rows import Place, Planned
from actors.trials import Trials
from intelligence.alerts import Alert
from intelligence.preferences import NotPossible, SetKinds, changed

ChatRequest = SetAlerts | TakeTopic | AskAlerts | ChangePreferences | CastVote | SendTest | Promote | AskTrials
ChatReply = AlertsState | VotesState | TestPlanned | TrialsState | Refused


class ChatRequests:
    """Every method raises OutboxError. `on_by_default`: whether chats in which nobody has decided get alerts."""

    def __init__(self, plans: Plans, trials: Trials, log: Any, *, on_by_default: bool) -> None:
        self._plans, self._trials, self._log, self._on_by_default = plans, trials, log, on_by_default

    def answer(self, request: ChatRequest, outbox: Outbox, now_ms: int) -> ChatReply:
        match request:
            case SetAlerts():
                self._set_alerts(request, outbox, now_ms)
            case TakeTopic():
                self._take_topic(request, outbox, now_ms)
            case ChangePreferences():
                try:
                    self._change(request, outbox, now_ms)
                except NotPossible as error:
                    return Refused(reason=str(error))
            case CastVote():
                return self._vote(request, outbox, now_ms)
            case Promote(kind=kind, on=on, by=by):
                self._log.info("family_promoted", kind=kind, on=on, by=by)
                return self._trials.promote(request, outbox, now_ms)
            case AskTrials():
                return self._trials.state()
            case SendTest() | AskAlerts():
                pass
        return self._state(request.chat_id, request.topic, outbox, now_ms)

    def plan_test(self, request: SendTest, outbox: Outbox, now_ms: int) -> tuple[Alert, Planned]:
        """A test alert for one chat, with what its preferences make of it."""
        words = (
            f"TEST {request.severity}: so loud does a {request.severity} alert arrive in this chat\n"
            "Nothing was detected; /alerts changes what arrives and how"
        )
        target = outbox.chats.of(request.chat_id, request.topic).place.target
        alert = a_notice("test", target, now_ms, words, severity=request.severity)
        return alert, self._plans.for_one(alert, target, outbox, now_ms)

    def _set_alerts(self, wish: SetAlerts, outbox: Outbox, now_ms: int) -> None:
        place = outbox.chats.of(wish.chat_id, wish.topic).place
        outbox.chats.set_alerts(place.chat_id, on=wish.on, by=wish.by, now_ms=now_ms, topic=place.topic)
        self._log.info("chat_alerts_set", chat_id=place.chat_id, topic=place.topic, on=wish.on, by=wish.by)
        if not wish.on:
            for alert_id, stage, target in outbox.deliveries.withdraw(place.target, "suppressed", "alerts_off"):
                self._log.info("alert_suppressed", alert_id=alert_id, stage=stage, target=target, reason="alerts_off")

    def _take_topic(self, wish: TakeTopic, outbox: Outbox, now_ms: int) -> None:
        """What it hears is first what its group has chosen."""
        chosen = outbox.chats.of(wish.chat_id, wish.topic).preferences
        if wish.kinds:
            chosen = changed(chosen, SetKinds(kinds=wish.kinds), now_ms)
        outbox.chats.set_alerts(wish.chat_id, on=True, by=wish.by, now_ms=now_ms, topic=wish.topic)
        outbox.chats.set_preferences(wish.chat_id, chosen, wish.topic)
        outbox.chats.set_lost(wish.chat_id, wish.topic, "")
        self._log.info("topic_taken", chat_id=wish.chat_id, topic=wish.topic, kinds=wish.kinds, by=wish.by)

    def _change(self, wish: ChangePreferences, outbox: Outbox, now_ms: int) -> None:
        """Raises NotPossible too."""
        chat = outbox.chats.of(wish.chat_id, wish.topic)
        outbox.chats.set_preferences(wish.chat_id, changed(chat.preferences, wish.change, now_ms), chat.topic)
        what = type(wish.change).__name__
        self._log.info("preferences_changed", chat_id=wish.chat_id, topic=chat.topic, by=wish.by, what=what)

    def _vote(self, vote: CastVote, outbox: Outbox, now_ms: int) -> VotesState | Refused:
        if outbox.known(vote.alert_id) is None:
            return Refused(reason="that alert is not kept any more")
        outbox.votes.cast(vote.alert_id, vote.chat_id, vote.by, useful=vote.useful, now_ms=now_ms)
        self._log.info("vote_cast", alert_id=vote.alert_id, chat_id=vote.chat_id, by=vote.by, useful=vote.useful)
        useful, useless = outbox.votes.of(vote.alert_id)
        return VotesState(alert_id=vote.alert_id, useful=useful, useless=useless)

    def _state(self, chat_id: int, topic: int, outbox: Outbox, now_ms: int) -> AlertsState:
        chat = outbox.chats.of(chat_id, topic)
        sent, waiting = outbox.deliveries.counts(chat.place.target, now_ms - DAY_MS)
        topics = [one for one in outbox.chats.places() if one.chat_id == chat_id and one != Place(chat_id)]
        return AlertsState(
            chat_id=chat_id,
            on=chat.wants_alerts(by_default=self._on_by_default),
            since_ms=chat.changed_ms,
            sent_24h=sent,
            waiting=waiting,
            preferences=chat.preferences,
            topic=chat.topic,
            topics=len(topics),
        )
