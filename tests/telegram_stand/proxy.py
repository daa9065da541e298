"""The fault proxy between a bot and lo-bot-api-emulator: it records every call, fails on request, and is as strict as
Telegram where the emulator is not (telegram.md 1.3).
"""

import asyncio
import json
import re
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.telegram_stand import tdlib

UNKNOWN_TO_EMULATOR = {"link_preview_options", "message_thread_id", "protect_content"}
MAX_TEXT_UNITS, MAX_CAPTION_UNITS = 4096, 1024
HAND_OVER_S = 0.5  # the emulator refuses the newer poll, Telegram ends the older one


@dataclass
class Call:
    """One call as it came; `status` is what the bot got, 0 for a dropped connection, None while it is open, and `answered_s`
    when. The result of a poll is the updates it brought.
    """

    method: str
    fields: dict[str, Any]
    at_s: float
    token: str
    files: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    result: Any = None
    answered_s: float | None = None

    @property
    def chat(self):
        return int(self.fields["chat_id"])

    @property
    def text(self):
        return self.fields["text"]


@dataclass
class Fault:
    """What happens to the next `times` calls that match. `before`/`after`: seconds to wait around forwarding.

    `answer`: (status, JSON or raw text) instead of forwarding. `drop`: "before" or "after" forwarding. `cut`: bytes of
    the true answer that are sent. `gate`: forward only when the event is set.
    """

    method: str = "sendMessage"
    chat: int | None = None
    text: str = ""
    times: int = 1
    before: float = 0.0
    after: float = 0.0
    answer: tuple[int, Any] | None = None
    drop: str = ""
    cut: int | None = None
    gate: asyncio.Event | None = None
    hit: int = field(default=0)

    def matches(self, call):
        return (
            self.hit < self.times
            and self.method == call.method
            and (self.chat is None or self.chat == int(call.fields.get("chat_id", 0)))
            and self.text in call.fields.get("text", "")
        )


def refusal(status, description, **parameters):
    """An error as Telegram words it, for `Fault.answer`."""
    body = {"ok": False, "error_code": status, "description": description}
    return status, body | ({"parameters": parameters} if parameters else {})


def flood(retry_after):
    return refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


@dataclass
class FloodModel:
    """429 for a chat that gets more than `burst` messages in `window_s`, with `retry_after` seconds."""

    burst: int
    window_s: float
    retry_after: float
    _times: dict[int, deque] = field(default_factory=lambda: defaultdict(deque))

    def refuses(self, chat, now_s):
        times = self._times[chat]
        while times and now_s - times[0] > self.window_s:
            times.popleft()
        if len(times) >= self.burst:
            return True
        times.append(now_s)
        return False


class Limits:
    """Telegram's own (telegram.md 4): one message a second in a chat, 20 a minute in a group, 30 a second over all."""

    retry_after = 1

    def __init__(self):
        self._overall = FloodModel(burst=30, window_s=1, retry_after=1)
        self._chats = {}

    def refuses(self, chat, now_s):
        burst, window_s = (1, 1) if chat > 0 else (20, 60)
        of_chat = self._chats.setdefault(chat, FloodModel(burst=burst, window_s=window_s, retry_after=1))
        return self._overall.refuses(0, now_s) or of_chat.refuses(chat, now_s)


# States a chat can be in, and what Telegram says then.
BLOCKED = refusal(403, "Forbidden: bot was blocked by the user")
KICKED = refusal(403, "Forbidden: bot was kicked from the group chat")
DEACTIVATED = refusal(403, "Forbidden: user is deactivated")
NEVER_WROTE = refusal(403, "Forbidden: bot can't initiate conversation with a user")
NOT_FOUND = refusal(400, "Bad Request: chat not found")
# And a topic of it.
NO_TOPIC = refusal(400, "Bad Request: message thread not found")
CLOSED = refusal(400, "Bad Request: TOPIC_CLOSED")


def moved_to(chat):
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return refusal(400, words, migrate_to_chat_id=chat)


class Proxy:
    """`emulator_url` gets what is let through. `tokens`: those Telegram knows."""

    def __init__(self, emulator_url, tokens):
        self.emulator_url = emulator_url
        self.tokens = set(tokens)
        self.calls = []
        self.faults = []
        self.chats = {}
        self.topics = {}
        self.flood = None
        self.now_s = time.monotonic
        self._session = None

    def app(self):
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self.handle)
        app.on_cleanup.append(self._close)
        return app

    async def _close(self, _app):
        if self._session is not None:
            await self._session.close()

    async def handle(self, request):
        fields, files = await _fields(request)
        call = Call(request.match_info["method"], fields, self.now_s(), request.match_info["token"], files)
        self.calls.append(call)
        fault = next((fault for fault in self.faults if fault.matches(call)), None)
        if fault is None:
            return self._answer(call, *await self._judge(call))
        fault.hit += 1
        if fault.gate is not None:
            await fault.gate.wait()
        await asyncio.sleep(fault.before)
        if fault.drop == "before":
            return self._drop(call, request)
        status, body = fault.answer or await self._judge(call)
        await asyncio.sleep(fault.after)
        if fault.drop == "after":
            return self._drop(call, request)
        return self._answer(call, status, body, cut=fault.cut)

    def _drop(self, call, request):
        call.status = 0
        request.transport.abort()
        return web.Response()

    def _answer(self, call, status, body, *, cut=None):
        call.status, call.answered_s = status, time.monotonic()
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.Response(status=status, body=json.dumps(body).encode()[:cut], content_type="application/json")

    async def _judge(self, call):
        """What Telegram would answer."""
        if call.token not in self.tokens:
            return refusal(401, "Unauthorized")
        if call.method.startswith("send") or call.method.startswith("editMessage"):
            if (state := self.chats.get(call.chat)) is not None:
                return state
            if (state := self.topics.get((call.chat, int(call.fields.get("message_thread_id", 0))))) is not None:
                return state
            if self.flood is not None and self.flood.refuses(call.chat, call.at_s):
                return flood(self.flood.retry_after)
            if (refused := _words_refused(call.fields)) is not None:
                return refused
        if call.method == "editMessageMedia":  # the emulator does not know it
            return self._edit_media(call)
        return self._repair(call, *await self._forward(call))

    def _edit_media(self, call):
        call.result = {
            "message_id": int(call.fields["message_id"]),
            "date": int(time.time()),
            "chat": {"id": call.chat, "type": "private"},
            "photo": [{"file_id": "f", "file_unique_id": "f", "width": 1080, "height": 1080}],
        }
        return 200, {"ok": True, "result": call.result}

    async def _forward(self, call):
        if self._session is None:
            self._session = aiohttp.ClientSession()
        fields = {name: value for name, value in call.fields.items() if name not in UNKNOWN_TO_EMULATOR}
        url = f"{self.emulator_url}/bot{call.token}/{call.method}"
        until_s = time.monotonic() + HAND_OVER_S
        while True:
            async with self._session.post(url, **_body(fields, call.files)) as response:
                if response.status != 409 or time.monotonic() > until_s:
                    return response.status, await response.json()
            await asyncio.sleep(0.02)

    def _repair(self, call, status, body):
        result = call.result = body.get("result")
        if call.method == "getMe" and status == 200:
            result["username"] = "foreshock_bot"
        elif isinstance(result, dict) and "date" in result:
            result["date"] = int(time.time())
            if int(result["chat"]["id"]) < 0:
                result["chat"] |= {"type": "group", "title": "a group"}
        return status, body


async def _fields(request):
    """Fields, and the bytes of files."""
    if request.content_type == "application/json":
        return await request.json(), {}
    if not request.content_type.startswith("multipart/"):
        return dict(await request.post()), {}
    fields, files = {}, {}
    mark = re.search(r'boundary="?([^";]+)', request.headers["Content-Type"]).group(1)
    for part in (await request.read()).split(f"--{mark}".encode())[1:-1]:
        head, _, body = part.removesuffix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb' name="?([^";\r]+)', head).group(1).decode()
        if b"filename=" in head:
            files[name] = body
        else:
            fields[name] = body.decode()
    return fields, files


def _body(fields, files):
    if not files:
        return {"json": fields}
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    for name, value in files.items():
        form.add_field(name, value, filename="picture.png", content_type="image/png")
    return {"data": form}


def _words_refused(fields):
    """Telegram's own verdict on formatting and length of a text or caption, None when it takes them."""
    media = json.loads(fields.get("media", "{}"))
    for name, most, of in (("text", MAX_TEXT_UNITS, fields), ("caption", MAX_CAPTION_UNITS, {**fields, **media})):
        verdict = tdlib.parse(of[name], of.get("parse_mode")) if name in of else None
        if verdict is None:
            continue
        if verdict.error:
            return refusal(400, f"Bad Request: can't parse entities: {verdict.error}")
        if verdict.units > most:
            return refusal(400, f"Bad Request: {'message' if name == 'text' else 'caption'} is too long")
        if not verdict.plain.strip():
            return refusal(400, "Bad Request: message text is empty")
    return None
