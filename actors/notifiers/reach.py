"""Whether Telegram answers at all: asked after an outcome that is unknown, before another message is put at stake."""

import random
from typing import Any

from actors.backoff import Backoff
from actors.notifiers import verdicts
from actors.notifiers.bot_api import BotApi
from actors.notifiers.verdicts import Verdict

UNHEARD = verdicts.NotSent | verdicts.Unknown


class Reach:
    """In an outage that swallows requests one message is lost to it, and all others wait."""

    def __init__(self, api: BotApi, backoff: Backoff, log: Any) -> None:
        self._api, self._backoff, self._log = api, backoff, log
        self._in_doubt, self._asked = False, 0

    def note(self, verdict: Verdict) -> None:
        """Take the outcome of a message."""
        self._in_doubt = self._in_doubt or isinstance(verdict, verdicts.Unknown)

    def wait_s(self, within_s: float | None) -> float:
        """0 when Telegram is known to answer, which is asked where it is in doubt, else how long to wait."""
        if not self._in_doubt:
            return 0.0
        verdict = self._api.send("getMe", {}, within_s=within_s)
        if not isinstance(verdict, UNHEARD):
            self._in_doubt, self._asked = False, 0
            return 0.0
        self._asked += 1
        wait_s = self._backoff.delay_s(self._asked, random.random())
        if not self._asked & (self._asked - 1):
            self._log.warning("telegram_silent", reason=verdict.reason, attempt=self._asked, wait_s=round(wait_s, 2))
        return wait_s
