"""Who shall be told of a stage of an alert: every decision of the dispatcher, from what is chosen and what is open."""

from collections.abc import Container

import msgspec

from actors.outbox import Outbox
from actors.outbox_rows import TERMINAL, Chat, Place, Planned
from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.gates import Standing, decide
from intelligence.inhibition import inhibitor
from intelligence.outcomes.selection import Selection

DAY_MS = 86_400_000
OPEN_AT_MOST_MS = DAY_MS  # an incident whose end nobody has told is not followed for longer


class Plans:
    """Knows the targets, what their chats have chosen, and the open incidents. `chat_ids`: chats that receive alerts;
    `on_by_default`: those in which nobody has decided about that, too.
    """

    def __init__(self, chat_ids: tuple[int, ...], *, terminal: bool, on_by_default: bool = True) -> None:
        self._on_by_default, self._terminal, self._chat_ids = on_by_default, terminal, chat_ids
        self._targets: dict[str, Chat | None] = {}
        self._know({})
        self.selection: Selection | None = None
        self.incidents: dict[str, Alert] = {}

    def begin(self, outbox: Outbox, now_ms: int) -> None:
        """Know what a predecessor knew. Raises OutboxError."""
        self._know(outbox.chats.places())
        self.incidents = {alert.alert_id: alert for alert in outbox.alerts.open_incidents(now_ms - OPEN_AT_MOST_MS)}

    def _know(self, places: dict[Place, Chat]) -> None:
        """The targets: the terminal, every chat, and the topics with alerts of their own."""
        chats = [places.get(Place(chat_id), Chat(chat_id=chat_id)) for chat_id in self._chat_ids]
        topics = [chat for place, chat in places.items() if place.topic and place.chat_id in self._chat_ids]
        self._targets = {TERMINAL: None} if self._terminal else {}
        self._targets |= {chat.place.target: chat for chat in (*chats, *topics)}

    def follow(self, alert: Alert) -> None:
        """Keep the newest record of every open incident."""
        if alert.stage is Stage.ENDED:
            self.incidents.pop(alert.alert_id, None)
        elif alert.kind is not AlertKind.LIQUIDATION:
            self.incidents[alert.alert_id] = msgspec.structs.replace(alert, stage=Stage.UPDATED)

    def of(self, alert: Alert, outbox: Outbox, *, graver: bool, folded_into: str, now_ms: int) -> list[Planned]:
        """Everybody of a start, whoever got it of growth and end; `folded_into`: the incident that tells it, or "".
        Raises OutboxError.

        Chats see growth in the message they have, the terminal only what has become graver; that is also told to those
        who were spared the start.
        """
        self._know(outbox.chats.places())
        going = (
            set() if alert.stage is Stage.RAISED else set(outbox.told(alert.alert_id))
        )  # who has the start, or gets it

        def decided(target: str, stage: Stage) -> Planned:
            standing = self._standing(alert, target, stage, outbox, now_ms)
            in_general = stage is Stage.RAISED and self._in_general(target, going)
            standing = msgspec.structs.replace(standing, folded_into=folded_into, in_general=in_general)
            decision = decide(alert, standing)
            if not decision.held:
                going.add(target)
            return Planned(target=target, stage=stage, suppressed=decision.held, silent=decision.silent)

        if alert.stage is Stage.RAISED:
            return [decided(target, Stage.RAISED) for target in self._targets]
        told = [target for target in outbox.told(alert.alert_id) if target in self._targets]
        shown = [target for target in told if graver or alert.stage is Stage.ENDED or target != TERMINAL]
        planned = [decided(target, alert.stage) for target in shown]
        if graver and alert.stage is Stage.UPDATED:
            late = (decided(target, Stage.RAISED) for target in self._targets if target not in told)
            planned += [plan for plan in late if not plan.suppressed]
        return planned

    def without_file(self, alert: Alert, now_ms: int) -> list[Planned]:
        """Everybody of a stage, decided without the file: what was chosen is known, how much was pushed in a day is not."""
        planned: list[Planned] = []
        told: set[str] = set()
        for target in self._targets:
            standing = self._standing(alert, target, alert.stage, None, now_ms)
            decision = decide(alert, msgspec.structs.replace(standing, in_general=self._in_general(target, told)))
            if not decision.held:
                told.add(target)
            plan = Planned(target=target, stage=alert.stage, suppressed=decision.held, silent=decision.silent)
            planned.append(plan)
        return planned

    def _standing(self, alert: Alert, target: str, stage: Stage, outbox: Outbox | None, now_ms: int) -> Standing:
        """What began is carried on in its message, whatever was chosen since; only alerts switched off stop that."""
        chat = self._targets[target]
        if chat is None:  # the terminal always wants them
            inhibited = "" if stage is not Stage.RAISED else inhibitor(alert, self.incidents.values(), now_ms)
            return Standing(now_ms=now_ms, inhibited_by=inhibited)
        if stage is not Stage.RAISED:
            return Standing(now_ms=now_ms, alerts_on=self._wants_alerts(chat), is_dead=bool(chat.dead_reason))
        limited = chat.preferences.pushes_a_day is not None
        return Standing(
            now_ms=now_ms,
            preferences=chat.preferences,
            alerts_on=self._wants_alerts(chat),
            is_dead=bool(chat.dead_reason),
            pushed=outbox.pushed(target, now_ms - DAY_MS) if limited and outbox is not None else 0,
            inhibited_by=inhibitor(alert, self.incidents.values(), now_ms),
            for_digest=self._for_digest(alert, now_ms),
        )

    def _for_digest(self, alert: Alert, now_ms: int) -> str:
        """Why chats get it in their digest only, "" where it is pushed: also when the selection cannot say."""
        try:
            return self.selection.holds(alert, now_ms) if self.selection is not None else ""
        except Exception:  # an enhancement must not cost an alert
            self.selection = None
            return ""

    @property
    def chat_targets(self) -> list[str]:
        return [target for target, chat in self._targets.items() if chat is not None]

    def for_one(self, alert: Alert, target: str, outbox: Outbox, now_ms: int) -> Planned:
        """What is decided for one target alone."""
        self._know(outbox.chats.places())
        decision = decide(alert, self._standing(alert, target, Stage.RAISED, outbox, now_ms))
        return Planned(target=target, stage=Stage.RAISED, suppressed=decision.held, silent=decision.silent)

    def _in_general(self, target: str, told: Container[str]) -> bool:
        """Whether it is a topic that takes nothing, so that its group as a whole would be told twice."""
        chat = self._targets[target]
        return chat is not None and bool(chat.lost_reason) and Place(chat.chat_id).target in told

    def _wants_alerts(self, chat: Chat) -> bool:
        return chat.wants_alerts(by_default=self._on_by_default)
