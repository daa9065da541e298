"""What an answer of the Bot API to `sendMessage` or `editMessageText` means for the alert: telegram.md 3, as pure data.

The HTTP status counts, then Telegram's own words; a page that is not Telegram's JSON came from something in between.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

THROTTLED_AT_LEAST_S = 5.0  # 429 without a time, or with 0 (telegram.md 3)
REASON_CHARS = 120

# Words of a 400 that are about the chat, not about the message; compared without regard to case.
_GONE = (
    "chat not found",
    "peer_id_invalid",
    "group chat was deactivated",
    "chat_write_forbidden",
    "not enough rights",
    "have no rights",
)

# About the topic of a group.
CLOSED_TOPIC = ("message thread not found", "topic_closed", "topic closed", "topic_deleted", "topic_id_invalid")


@dataclass(frozen=True, slots=True)
class Sent:
    """`photo_id`: by which Telegram knows the picture that was sent, empty where there was none."""

    message_id: int
    photo_id: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """Telegram's yes to something that is no message."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nothing was delivered; the chat may be tried again after exactly that time."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely or most likely not delivered: worth trying again. `answered`: by Telegram, so the message may be to blame."""

    reason: str
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been delivered: the answer was lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class BadMarkup:
    """Telegram cannot read our HTML: a bug of ours."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatGone:
    """The chat refuses us until somebody there changes their mind."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """The group became a supergroup and has another id."""

    to: int


@dataclass(frozen=True, slots=True)
class TopicGone:
    """The topic of the group is closed or deleted; the group itself is there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Telegram will never take this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The message says that already: as good as edited."""


@dataclass(frozen=True, slots=True)
class NoMessage:
    """The message to be edited is gone, or not ours to edit."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoSuchBot:
    """The token is wrong, or the address is not a Bot API server."""

    status: int


Verdict = (
    Sent
    | Answered
    | Throttled
    | NotSent
    | Unknown
    | BadMarkup
    | ChatGone
    | ChatMoved
    | TopicGone
    | Rejected
    | Unchanged
    | NoMessage
    | NoSuchBot
)


def judge(status: int, body: bytes) -> Verdict:
    """Judge a complete HTTP answer to a send."""
    answer = _telegrams(body)
    if status == 200:
        return _judge_yes(answer)
    said = str(answer.get("description", ""))
    reason = f"http_{status} {said}".strip()[:REASON_CHARS]
    if status == 429 or "too many requests" in said.lower():
        return Throttled(_wait_s(answer))
    if status in {401, 404} and answer:
        return NoSuchBot(status)
    if status == 413:
        return Rejected(reason)
    if status == 403 and answer:
        return ChatGone(reason)
    if status == 400 and answer:
        return _judge_400(answer, said.lower(), reason)
    return NotSent(reason, answered=bool(answer))  # 5xx, redirects of a captive portal, pages of a proxy


def _judge_yes(answer: dict[str, Any]) -> Verdict:
    if answer.get("ok") is False and isinstance(code := answer.get("error_code"), int) and code != 200:
        return judge(code, msgspec.json.encode(answer))
    result = answer.get("result")
    message_id = result.get("message_id") if isinstance(result, dict) else None
    if answer.get("ok") is True and isinstance(message_id, int):
        return Sent(message_id, _photo_id(result))
    return Answered() if answer.get("ok") is True else Unknown("answer_not_understood")


def _photo_id(message: Any) -> str:
    """Of the largest size."""
    sizes = message.get("photo") if isinstance(message, dict) else None
    largest = sizes[-1] if isinstance(sizes, list) and sizes else None
    found = largest.get("file_id") if isinstance(largest, dict) else None
    return found if isinstance(found, str) else ""


def _judge_400(answer: dict[str, Any], said: str, reason: str) -> Verdict:
    moved_to = _parameters(answer).get("migrate_to_chat_id")
    if isinstance(moved_to, int):
        return ChatMoved(moved_to)
    if any(words in said for words in CLOSED_TOPIC):
        return TopicGone(reason)
    if any(words in said for words in _GONE):
        return ChatGone(reason)
    if "message is not modified" in said:
        return Unchanged()
    if "message to edit not found" in said or "message can't be edited" in said:
        return NoMessage(reason)
    if "can't parse" in said:
        return BadMarkup(reason)
    return Rejected(reason)


def _telegrams(body: bytes) -> dict[str, Any]:
    """Telegram's answer, or nothing when the body is somebody else's."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return answer if isinstance(answer, dict) and "ok" in answer else {}


def _parameters(answer: dict[str, Any]) -> dict[str, Any]:
    parameters = answer.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _wait_s(answer: dict[str, Any]) -> float:
    wait_s = _parameters(answer).get("retry_after")
    return float(wait_s) if isinstance(wait_s, int | float) and wait_s > 0 else THROTTLED_AT_LEAST_S
