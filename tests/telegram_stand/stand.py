"""A Bot API server on loopback for one test: the emulator behind the fault proxy, on one background event loop."""

import asyncio
import threading
import time

from aiohttp import web
from lo_bot_api_emulator import LoBotApiEmulator
from lo_bot_api_emulator import updates as emulator_updates

from config.settings import Telegram
from config.values import Secret, TimeOfDay
from tests.telegram_stand.proxy import Fault, Proxy
from tests.telegram_stand.stage import wait_for

TOKEN = "123456789:AAF0123456789abcdefghijklmnopqrstuvw"
ME, OTHER, STRANGER, GROUP = 11, 12, 99, -22

A_PHOTO = [{"file_id": "f", "file_unique_id": "f", "width": 1080, "height": 1080}]

# It delivers these, but would not take them from us.
emulator_updates.KINDS.update({"edited_message", "channel_post", "edited_channel_post", "my_chat_member"})


class Loop:
    """An event loop in a thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="telegram-stand", daemon=True)
        self.thread.start()

    def run(self, coroutine, timeout=10):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


class Stand:
    """What a test holds: `sent()` reads what the bot did, `fail()` scripts what goes wrong, `say()` plays a user."""

    def __init__(self, **emulator):
        """`emulator`: its own options."""
        self._loop = Loop()
        self._message_ids = iter(range(1, 1_000_000))
        self.emulator = LoBotApiEmulator(enable_control=True, **emulator)
        self._emulator_runner, emulator_url = self._loop.run(self._serve(self.emulator.app(), 0))
        self.proxy = Proxy(emulator_url, {TOKEN})
        self._proxy_runner = None
        self.port = 0
        self.listen()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, app, port):
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"

    def listen(self):
        """Accept connections (again, on the same port)."""
        self._proxy_runner, url = self._loop.run(self._serve(self.proxy.app(), self.port))
        self.port = int(url.rpartition(":")[2])

    def refuse_connections(self):
        self._loop.run(self._proxy_runner.cleanup())
        self.proxy._session = None

    def close(self):
        self._loop.run(self._proxy_runner.cleanup())
        self._loop.run(self._emulator_runner.cleanup())
        self._loop.close()

    # -- what goes wrong ------------------------------------------------------------------------------------------

    def fail(self, **how):
        fault = Fault(**how)
        self.proxy.faults.append(fault)
        return fault

    def hold(self, **which):
        """Hold matching calls back until the function that is returned is called."""
        gate = asyncio.Event()
        self.fail(gate=gate, **which)
        return lambda: self._loop.loop.call_soon_threadsafe(gate.set)

    # -- what the bot did -----------------------------------------------------------------------------------------

    def calls(self, method="sendMessage", chat=None):
        return [c for c in self.proxy.calls if c.method == method and (chat is None or c.chat == chat)]

    def sent(self, chat=None):
        """Messages that Telegram took, in order."""
        return [call for call in self.calls(chat=chat) if call.status == 200]

    def wait_sent(self, count, chat=None, deadline_s=10.0):
        what = f"{count} messages, {[c.status for c in self.calls()]}"
        return wait_for(lambda: len(got := self.sent(chat)) >= count and got, what, deadline_s)

    # -- what users do --------------------------------------------------------------------------------------------

    def update(self, **update):
        return self._loop.run(self.emulator.enqueue_update(update, token=TOKEN))

    def say(self, text, *, chat=ME, user=None, kind="message", update_id=None, topic=None):
        user = user or chat
        message = {
            "message_id": next(self._message_ids),
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"} if chat > 0 else {"id": chat, "type": "group", "title": "a group"},
            "from": {"id": user, "is_bot": False, "first_name": "A"},
            "text": text,
            **_in_topic(topic),
        }
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        if kind.startswith("edited"):
            message["edit_date"] = message["date"]
        return self.update(**{kind: message}, **({"update_id": update_id} if update_id else {}))

    def answers(self, text, *, chat=ME, user=None, topic=None):
        """Say something and wait for the one answer to it."""
        before = len(self.sent(chat))
        self.say(text, chat=chat, user=user, topic=topic)
        return self.wait_sent(before + 1, chat)[before].text

    def press(self, command, *, chat=ME, user=None, message_id=None, update_id=None, photo=None, topic=None):
        """Press a button that gives `command`, of the newest message in the chat or of the photo that this call sent."""
        if photo is not None:
            message_id = photo.result["message_id"]
        if message_id is None:
            message_id = self.sent(chat)[-1].result["message_id"]
        message = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"} if chat > 0 else {"id": chat, "type": "group", "title": "a group"},
            **({"text": "what it said"} if photo is None else {"photo": A_PHOTO, "caption": "what it said"}),
            **_in_topic(topic),
        }
        query = {
            "id": str(next(self._message_ids)),
            "from": {"id": user or chat, "is_bot": False, "first_name": "A"},
            "chat_instance": "1",
            "message": message,
            "data": command,
        }
        return self.update(callback_query=query, **({"update_id": update_id} if update_id else {}))

    def presses(self, command, **how):
        """Press a button and wait until it is let go of; return what that says, "" for nothing."""
        before = len(self.calls("answerCallbackQuery"))
        self.press(command, **how)
        calls = wait_for(
            lambda: len(got := self.calls("answerCallbackQuery")) > before and got, "the press to be settled"
        )
        wait_for(lambda: calls[before].status is not None)
        return calls[before].fields.get("text", "")

    def edits(self, chat=None):
        return [call for call in self.calls("editMessageText", chat) if call.status == 200]


def _in_topic(topic):
    return {} if topic is None else {"message_thread_id": topic, "is_topic_message": True}


def telegram_settings(stand, **overrides):
    """Fast settings for a bot on the stand."""
    values = {
        "token": Secret(TOKEN),
        "authorized_users": (ME, GROUP),
        "owner_users": (ME,),
        "api_url": stand.url,
        "connect_timeout_s": 1.0,
        "read_timeout_s": 1.0,
        "private_gap_s": 0.01,
        "group_gap_s": 0.02,
        "overall_per_s": 1000.0,
        "retry_base_s": 0.02,
        "retry_factor": 2.0,
        "retry_cap_s": 0.1,
        "poll_timeout_s": 1.0,  # a float, as the settings bring it
        "poll_stale_s": 60.0,
        "commands_per_minute": 600,
        "back_online_gap_s": 600.0,
        "digest_at": TimeOfDay(8 * 60),
    }
    return Telegram(**(values | overrides))
