"""The bot's own words, apart from those about markets. Pure; plain text but where it says HTML."""

from collections.abc import Sequence

from actors.telegram.access import Right
from actors.telegram.answer import Command
from intelligence.amounts import compact_duration
from intelligence.answers.layout import escape

ABOUT = "<b>Foreshock</b> warns of liquidations, cascades, open interest and volume out of the ordinary in crypto derivatives."
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
    lines = [
        escape(f"/{command.name} {command.usage}".rstrip() + f": {command.hint}")
        for command in commands
        if command.hint and command.least <= right
    ]
    return "\n".join((ABOUT, "", *lines))


def menu(commands: Sequence[Command], right: Right) -> tuple[tuple[str, str], ...]:
    """Name and description of each command, as Telegram's menu takes them."""
    return tuple((one.name, one.hint) for one in commands if one.hint and one.least <= right)
