"""What a command comes to, before it becomes messages: the one seam between commands, sending and pictures. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from actors.telegram.access import Right

MAX_DATA_BYTES = 64  # Telegram Bot API, callback_data


class Button(NamedTuple):
    """A button gives `command`, written like a command without its slash: what it does needs no memory of ours."""

    label: str
    command: str

    @property
    def fits(self) -> bool:
        return len(self.command.encode()) <= MAX_DATA_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of what a page says: `command` names the page, `span_s` is up to now, `zone` that of its clock."""

    command: str
    asset: str
    span_s: int
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`text`: Telegram HTML. `notice`: what a pressed button says instead of changing its message, plain, up to 200
    characters; a typed command gets it as its text. `picture`: the answer is that picture, the text its caption.
    """

    text: str = ""
    buttons: tuple[tuple[Button, ...], ...] = ()
    picture: Picture | None = None
    notice: str = ""


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """The command is not carried out; the text, HTML, says why. `buttons` may offer what was meant."""

    def __init__(self, text: str, buttons: tuple[tuple[Button, ...], ...] = ()) -> None:
        super().__init__(text)
        self.text, self.buttons = text, buttons


class NotAllowed(Refusal):
    """Somebody else may give this command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command as it was given. `user_id` is None where nobody in particular wrote. `topic`: of a group, 0 outside of any.
    `pressed`: by a button.
    """

    command: str
    words: tuple[str, ...]
    chat_id: int
    user_id: int | None
    right: Right
    topic: int = 0
    pressed: bool = False

    def require(self, right: Right) -> None:
        """Raises NotAllowed."""
        if self.right < right:
            who = "Nobody in particular" if self.user_id is None else f"Your user id {self.user_id}"
            names = "OWNER_USERS" if right is Right.OPERATE else "AUTHORIZED_USERS, which changes need also in a group"
            raise NotAllowed(f"{who} is not among the {names}.")


Run = Callable[[Asked], Awaitable[Answer]]


class Command(NamedTuple):
    """`hint`: a line in the menu and in /help; without one the command is given by buttons alone. `usage`: its words."""

    name: str
    run: Run
    hint: str = ""
    usage: str = ""
    least: Right = Right.ASK
