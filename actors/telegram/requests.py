"""How the library talks HTTP: telegram.md 2 and 3, where it takes others' answers for Telegram's and spins on what it cannot read."""

import json
import time
from typing import Any

from telegram import Update
from telegram.error import NetworkError
from telegram.request import HTTPXRequest

POISON_REPEATS = 3  # so often the same updates came although we said thank you: the library cannot read one
NO_SUCH_BOT = frozenset({401, 404})


class BotRequest(HTTPXRequest):
    """Takes a refusal for Telegram's word on our token only when Telegram has written it: a proxy's page is a fault of the way."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Raises NetworkError."""
        status, body = await super().do_request(*args, **kwargs)
        if status in NO_SUCH_BOT and not _is_telegrams(body):
            raise NetworkError(f"HTTP {status} from something in between")
        return status, body


class PollRequest(BotRequest):
    """The request object of the polls: it knows when one was last answered, and with what refusal.

    A refusal never reaches the library: it would end its loop for ever, and after the next start spin in it.
    """

    def __init__(self, **limits: float) -> None:
        super().__init__(connection_pool_size=1, **limits)  # type: ignore[arg-type]  # names of time-outs only
        self.answered_s = time.monotonic()
        self.refused: int | None = None
        self.skipped: list[int] = []
        self._first_id, self._repeats = 0, 0

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **kwargs)
        if status in NO_SUCH_BOT:
            self.refused = status
            raise NetworkError(f"HTTP {status}: refused")
        if status == 200:
            body = self._without_poison(body)  # raises where it is not Telegram's
            self.answered_s = time.monotonic()
        return status, body

    def _without_poison(self, body: bytes) -> bytes:
        """Blank out an update that the library cannot read and would fetch again for ever, with all behind it."""
        answer = json.loads(body)
        updates = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(updates, list) or not updates:
            return body
        first_id = updates[0]["update_id"]
        self._repeats = self._repeats + 1 if first_id == self._first_id else 1
        self._first_id = first_id
        if self._repeats < POISON_REPEATS:
            return body
        bad = [update["update_id"] for update in updates if not _readable(update)]
        self.skipped += bad
        answer["result"] = [{"update_id": u["update_id"]} if u["update_id"] in bad else u for u in updates]
        return json.dumps(answer).encode()


def _readable(update: dict[str, Any]) -> bool:
    try:
        Update.de_json(update, None)
    except Exception:  # whatever the library trips over
        return False
    return True


def _is_telegrams(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and "ok" in answer
