"""A conversation with the bot on the stand, written down as people see it: what is typed, what is pressed, what comes of it."""

import json

from tests.telegram_stand import tdlib
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME


class Talk:
    """`typed` commands, of those `offered`, and the buttons `seen` and `pressed`, by what they give."""

    def __init__(self, bot):
        self._bot, self.stand = bot, bot.stand
        self.offered, self.typed, self.pressed = set(), set(), set()
        self.seen = {}  # what a button gives: its label, and the photo that it stands on, None on a text

    # -- what is done -------------------------------------------------------------------------------------------------

    def types(self, text, *, chat=ME, topic=None):
        """Type a command and show its answer."""
        self.typed.add(text.split()[0].removeprefix("/"))
        before = self._calls()
        self.stand.say(text, chat=chat, user=None if chat > 0 else ME, topic=topic)
        return f"> {text}\n\n{self._shown(self._next(before))}"

    def presses(self, command):
        """Press the button that gives this, or what begins so, and show what comes of it."""
        given = command if command in self.seen else next(one for one in reversed(self.seen) if one.startswith(command))
        return f"> [{self.seen[given][0]}]\n\n{self._press(given)}"

    def the_rest(self):
        """Press every button that was seen and not pressed, until there is no other; a line for each."""
        while left := [one for one in self.seen if one not in self.pressed]:
            for command in left:
                first = self._press(command).splitlines()[0]
                shown = command.partition(" ")[0] if command.startswith("confirm") else command
                yield f"| `{shown}` | {self.seen[command][0]} | {first.replace('|', '/')} |"

    def note(self, buttons, photo=None):
        """Buttons of a message that somebody else has sent."""
        for row in buttons:
            for one in row:
                self.seen.setdefault(one["callback_data"], (one["text"].strip("· "), photo))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _press(self, command):
        _, photo = self.seen[command]
        self.pressed.add(command)
        before = self._calls()
        notice = self.stand.presses(command, photo=photo)
        return notice or self._shown(self._next(before))

    def _calls(self):
        methods = ("sendMessage", "sendPhoto", "editMessageText", "editMessageMedia")
        return [call for method in methods for call in self.stand.calls(method) if call.status == 200]

    def _next(self, before):
        """The one call that was not there before."""
        known = {id(call) for call in before}
        return wait_for(
            lambda: next((call for call in self._calls() if id(call) not in known and call.result), None),
            "what comes of it",
            20,
        )

    def _shown(self, call):
        photo = {"sendPhoto": "(a photo) ", "editMessageMedia": "(the photo changed) "}.get(call.method, "")
        rows = _rows(call)
        self.note(rows, call if photo else None)
        media = json.loads(call.fields["media"]) if "media" in call.fields else call.fields
        words = media.get("caption") or media.get("text", "")
        text = photo + tdlib.parse(words, media.get("parse_mode", "HTML")).plain
        buttons = "\n".join(" ".join(f"[{one['text']}]" for one in row) for row in rows)
        return f"{text}\n\n{buttons}" if buttons else text


def _rows(call):
    markup = call.fields.get("reply_markup")
    return json.loads(markup)["inline_keyboard"] if markup else []
