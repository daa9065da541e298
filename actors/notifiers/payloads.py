"""What the Bot API is sent of a delivery. Pure."""

from typing import Any

from actors.notifiers.buttons import alert_buttons
from actors.notifiers.texts import MAX_TEXT_UNITS, cut_to_units, html, plain, utf16_units
from intelligence.alerts import Alert


def text_fields(alert: Alert, *, unadorned: bool, **worded: Any) -> dict[str, Any]:
    """Text and buttons; `worded`: see `texts.html`. `unadorned`: without markup, as is what would be too long with it."""
    text = html(alert, **worded)
    fields: dict[str, Any] = {"text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
    if unadorned or utf16_units(text) > MAX_TEXT_UNITS:
        fields["text"] = cut_to_units(plain(alert, **worded), MAX_TEXT_UNITS)
        del fields["parse_mode"]
    if (buttons := alert_buttons(alert)) is not None:
        fields["reply_markup"] = buttons
    return fields
