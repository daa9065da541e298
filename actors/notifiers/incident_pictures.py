"""Lets a picture follow the text of an incident. A thread of its own: no text ever waits for a picture.

Nothing here is tried again: a picture that comes late is worth less than the next alert's place in the chat.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from actors import paths
from actors.messages.alerts import AlertDelivered, ChatCharged
from actors.messages.pictures import ChartDrawn, ChartNotDrawn, ChartWanted, TapeTold, TapeWanted
from actors.notifiers import verdicts
from actors.notifiers.bot_api import BotApi
from actors.notifiers.texts import MAX_CAPTION_UNITS, cut_to_units
from actors.notifiers.verdicts import Verdict
from actors.supervised import Supervised
from charts.incidents import asset_shown, incident_chart, incident_period_s
from charts.requests import Theme
from config.settings import Charts as ChartSettings
from config.settings import Telegram as TelegramSettings
from intelligence.alerts import Alert, AlertKind, Severity

PICTURED = frozenset({AlertKind.CASCADE, AlertKind.OPEN_INTEREST, AlertKind.VOLUME_SPIKE, AlertKind.MARKET_WIDE})
GRAVE = frozenset({Severity.P1, Severity.P2})
KEPT = 16  # incidents whose picture is kept for the chats that hear of it a little later
SEND_S = 5.0  # what sending one picture may take; telegram.md's five seconds


@dataclass(slots=True)
class _Incident:
    """`chats`: those whose picture is still to be sent. `photo_id`: under which Telegram has it already."""

    alert: Alert
    wanted_s: float
    chats: list[AlertDelivered] = field(default_factory=list)
    png: bytes | None = None
    photo_id: str = ""


class IncidentPictures(Supervised):
    """One picture an incident, for every chat that has its text."""

    def init(self, *, telegram: TelegramSettings, charts: ChartSettings, heading: str = "") -> None:
        self._charts, self._heading = charts, heading
        self._api = BotApi(telegram)
        self._incidents: OrderedDict[str, _Incident] = OrderedDict()

    def terminate(self, reason: str) -> None:  # noqa: ARG002 - the base class names it
        if hasattr(self, "_api"):
            self._api.close()

    def handle(self, message: Any) -> None:
        match message:
            case AlertDelivered():
                self._delivered(message)
            case TapeTold(tape=tape, key=key):
                if (incident := self._incidents.get(key)) is not None:
                    theme = Theme(self._charts.theme)
                    request = incident_chart(incident.alert, tape.unpacked(), theme=theme, heading=self._heading)
                    until_s = incident.wanted_s + self._charts.wait_s
                    self.send(paths.CHARTS, ChartWanted(request=request, until_s=until_s, path=self.path, key=key))
            case ChartDrawn(png=png, key=key):
                if (incident := self._incidents.get(key)) is not None:
                    incident.png = png
                    self._send_all(incident)
            case ChartNotDrawn(reason=reason, key=key):
                if (incident := self._incidents.pop(key, None)) is not None:
                    self._log_unsent(incident.alert, reason)
            case _:
                super().handle(message)

    @property
    def _now_s(self) -> float:
        return self.system.clock.monotonic()

    def _delivered(self, delivered: AlertDelivered) -> None:
        alert = delivered.alert
        late_ms = self.now_ms - alert.detected_ms
        if alert.kind not in PICTURED or alert.severity not in GRAVE or late_ms > 1000 * self._charts.incident_age_s:
            return
        incident = self._incidents.get(alert.alert_id)
        if incident is None:
            incident = self._begin(alert)
        if incident is not None:
            incident.chats.append(delivered)
            if incident.png is not None:
                self._send_all(incident)

    def _begin(self, alert: Alert) -> _Incident | None:
        path = paths.symbol_path(asset_shown(alert))
        if self.system.find(path) is None:  # a letter would start a stream
            self._log_unsent(alert, "nothing is known of its market")
            return None
        incident = self._incidents[alert.alert_id] = _Incident(alert, self._now_s)
        while len(self._incidents) > KEPT:
            self._incidents.popitem(last=False)
        self.send(path, TapeWanted(period_s=incident_period_s(alert), path=self.path, key=alert.alert_id))
        return incident

    def _send_all(self, incident: _Incident) -> None:
        while incident.chats:
            self._send_photo(incident, incident.chats.pop(0))

    def _send_photo(self, incident: _Incident, delivered: AlertDelivered) -> None:
        """A silent reply to the text, which has made its sound."""
        caption = f"{self._heading} {asset_shown(incident.alert)}: {_shown(incident.alert)}".strip()
        fields = {
            "chat_id": delivered.send_to,
            "caption": cut_to_units(caption, MAX_CAPTION_UNITS),
            "disable_notification": True,
            "reply_parameters": {"message_id": delivered.message_id, "allow_sending_without_reply": True},
        }
        if delivered.topic:
            fields["message_thread_id"] = delivered.topic
        verdict = self._post(incident, fields)
        wait_s = verdict.wait_s if isinstance(verdict, verdicts.Throttled) else 0.0
        if not isinstance(verdict, verdicts.NotSent):
            self.send(paths.TELEGRAM, ChatCharged(chat_id=delivered.chat_id, wait_s=wait_s))
        if isinstance(verdict, verdicts.Sent):
            incident.photo_id = verdict.photo_id
            self.progress()
            self.log.info(
                "picture_delivered",
                alert_id=incident.alert.alert_id,
                chat_id=delivered.chat_id,
                after_ms=round(1000 * (self._now_s - incident.wanted_s)),
            )
        else:
            self._log_unsent(incident.alert, getattr(verdict, "reason", "") or type(verdict).__name__)

    def _post(self, incident: _Incident, fields: dict[str, Any]) -> Verdict:
        """Upload the picture for the first chat; name it for the others, which takes a fraction of the time."""
        if incident.photo_id:
            verdict = self._api.send("sendPhoto", fields | {"photo": incident.photo_id}, within_s=SEND_S)
            if not isinstance(verdict, verdicts.Rejected):
                return verdict
        return self._api.send("sendPhoto", fields, within_s=SEND_S, photo=incident.png)

    def _log_unsent(self, alert: Alert, reason: str) -> None:
        self.log.info("picture_not_sent", alert_id=alert.alert_id, kind=alert.kind, reason=reason)


def _shown(alert: Alert) -> str:
    """What the picture shows, from above."""
    measured = {AlertKind.VOLUME_SPIKE: "volume, ", AlertKind.MARKET_WIDE: "assets with alerts, "}.get(alert.kind, "")
    return f"price, {measured}liquidations, open interest"
