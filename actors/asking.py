"""Asking one venue by REST: good answers come back, refusals and failures are raised, each by what can be done about it."""

from collections.abc import Callable
from typing import TypeVar

from actors.exchanges.exchange import Exchange, Refusal, RestCall
from actors.exchanges.queries import Query, Reading
from actors.rest import Rest, RestError, RestLimits

Answer = TypeVar("Answer")


class Refused(Exception):  # noqa: N818 - carries the venue's word
    """The venue refuses us: for a while, or for good (`refusal.permanent`)."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class CallRejected(RestError):  # noqa: N818
    """The venue answers, but not to this call: a contract that is gone, a path it does not know."""


class Asker:
    """One venue's REST side. Blocking: for actors with a thread of their own. `keep` gets every good answer."""

    def __init__(
        self,
        exchange: Exchange,
        rest_url: str,
        limits: RestLimits,
        keep: Callable[[RestCall, bytes], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self._keep = keep
        self._rest = Rest(rest_url, limits)

    def body(self, call: RestCall) -> bytes:
        """Fetch a good answer. Raises Refused, CallRejected, RestError."""
        answer = self._rest.send(call)
        refusal = self._exchange.refusal(answer.status, answer.headers, answer.body)
        if refusal is not None:
            raise Refused(refusal)
        if answer.status != 200:
            kind = CallRejected if 400 <= answer.status < 500 else RestError
            asked = "&".join(f"{key}={value}" for key, value in call.params)
            raise kind(f"{call.path}?{asked}: HTTP {answer.status} {answer.body[:120]!r}")
        if self._keep is not None:
            self._keep(call, answer.body)
        return answer.body

    def read(self, query: Query[Answer], now_ms: Callable[[], int]) -> Reading[Answer]:
        """Ask a query and read its answer; `now_ms` gives the time of receipt. Raises FrameError too."""
        body = self.body(query.call)
        return query.read(body, now_ms())

    def close(self) -> None:
        self._rest.close()
