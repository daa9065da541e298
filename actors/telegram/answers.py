"""What the bot answers, as Telegram HTML. Pure; every inserted text is escaped."""

from datetime import UTC, datetime
from html import escape

from actors.messages import AlertsState

MENU = (
    ("alerts", "start, stop or status of the alerts in this chat"),
    ("status", "how the daemon and its parts are doing"),
    ("help", "what this bot can do"),
)
HELP = """<b>Foreshock</b> warns of liquidations and liquidation cascades in crypto derivatives.

/alerts status: whether this chat gets alerts
/alerts start: send alerts to this chat
/alerts stop: send none; detection goes on
/status: how the daemon is doing
/status <i>path</i>: one part of it, for example /status /core/feeds
/help: this text"""
UNKNOWN = "I do not know this command. /help lists what I can do."
UNAVAILABLE = "The part that keeps this is restarting. Try again in a few seconds."
USAGE_OF_ALERTS = "Use /alerts start, /alerts stop or /alerts status."
NOT_A_TARGET = "This chat is not among the AUTHORIZED_USERS of the settings, so it gets no alerts."


def welcome(state: str) -> str:
    return f"{HELP}\n\n{state}"


def ids(chat_id: int, user_id: int | None) -> str:
    """All that a stranger learns."""
    user = "" if user_id is None else f"\nuser id: <code>{user_id}</code>"
    return f"chat id: <code>{chat_id}</code>{user}"


def may_not_change(user_id: int | None) -> str:
    who = "Nobody in particular" if user_id is None else f"Your user id <code>{user_id}</code>"
    return f"{who} is not among the AUTHORIZED_USERS, which changes need also in a group."


def alerts(state: AlertsState) -> str:
    since = "" if state.since_ms is None else f", set {_clock(state.since_ms)}"
    how = "/alerts stop ends them" if state.on else "/alerts start brings them back; detection goes on"
    waiting = f", {state.waiting} waiting" if state.waiting else ""
    return (
        f"Alerts in this chat are <b>{'on' if state.on else 'off'}</b>{since}.\n"
        f"{state.sent_24h} sent in the last 24 h{waiting}. {how}."
    )


def refused(reason: str) -> str:
    return f"Not done: {escape(reason, quote=False)}."


def preformatted(text: str) -> str:
    return f"<pre>{escape(text, quote=False)}</pre>"


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
