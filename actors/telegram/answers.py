"""The bot's own words, apart from those about markets. Pure; plain text but where it says HTML."""

from collections.abc import Sequence

from actors.telegram.access import Right
from actors.telegram.answer import Command
from intelligence.amounts import compact_duration
from intelligence.answers.layout import escape

ABOUT = "<b>Foreshock</b> warns of liquidations, cascades, open interest and volume out of the ordinary in crypto derivatives."
GROUPS = (
    ("Markets", ("price", "volume", "cvd", "oi", "profile", "liquidations", "funding", "chart", "zones")),
    ("What this chat is told", ("alerts", "watch", "unwatch", "threshold")),
    ("When it is left alone", ("mute", "unmute", "quiet", "budget", "digest", "timezone")),
    ("Why", ("why", "whynot", "stats")),
    ("The daemon", ("status", "venues", "config", "test", "version", "help")),
)
UNKNOWN = "I do not know this command. /help lists what I can do."
UNAVAILABLE = "The part that keeps this is restarting. Try again in a few seconds."
BROKEN = "That went wrong, and the log says how. It is a bug of mine."
NOT_A_TARGET = "This chat is not among the AUTHORIZED_USERS of the settings, so it gets no alerts."


def ids(chat_id: int, user_id: int | None) -> str:
    """All that a stranger learns; HTML."""
    user = "" if user_id is None else f"\nuser id: <code>{user_id}</code>"
    return f"chat id: <code>{chat_id}</code>{user}"


def too_many(wait_s: float) -> str:
    return f"Too many commands. Go on in {compact_duration(int(wait_s * 1000) + 999)}."


def help_text(commands: Sequence[Command], right: Right) -> str:
    """What may be asked with that right; HTML."""
    told = [one for one in commands if one.hint and one.least <= right]
    grouped = {name for _, names in GROUPS for name in names}
    rest = tuple(one.name for one in told if one.name not in grouped)
    parts = [ABOUT]
    for title, names in (*GROUPS, ("Owners", rest)):
        lines = [escape(f"/{one.name} {one.usage}".rstrip() + f": {one.hint}") for one in told if one.name in names]
        if lines:
            parts += ["", f"<b>{title}</b>", *lines]
    return "\n".join(parts)


def menu(commands: Sequence[Command], right: Right) -> tuple[tuple[str, str], ...]:
    """Name and description of each command, as Telegram's menu takes them."""
    return tuple((one.name, one.hint) for one in commands if one.hint and one.least <= right)
