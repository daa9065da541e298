"""The buttons under an alert, as the Bot API takes them: mute for a while, and whether it was of use. Pure.

A button carries the command it gives, so it works after any restart and says nothing that a chat could not type itself.
"""

from typing import Any

from intelligence.alerts import Alert, AlertKind

MUTES = ("1h", "4h")
MAX_DATA_BYTES = 64  # Telegram Bot API, callback_data
ANY = "*"


def alert_buttons(alert: Alert) -> dict[str, Any] | None:
    """None where there is nothing to mute or to judge."""
    if alert.kind is AlertKind.NOTICE:
        return None
    asset = ANY if alert.kind in {AlertKind.MARKET_WIDE, AlertKind.FEED_HEALTH} else alert.asset
    commands = [(f"🔕 {span}", f"mute {asset} {alert.kind} {span}") for span in MUTES]
    commands += [("👍", f"vote {alert.alert_id} up"), ("👎", f"vote {alert.alert_id} down")]
    row = [
        {"text": label, "callback_data": command}
        for label, command in commands
        if len(command.encode()) <= MAX_DATA_BYTES
    ]
    return {"inline_keyboard": [row]} if row else None
