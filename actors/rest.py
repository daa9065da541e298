"""Requests to venues, bounded in time and size. The only importer of requests beside the Telegram notifier."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
import urllib3

from actors.exchanges.exchange import RestCall

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLimits:
    """`total_s` counts over the whole answer: requests' own time-out is per read, a dripping peer never meets it."""

    connect_s: float
    read_s: float
    total_s: float
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class RestError(Exception):
    """No usable answer came; the text says why, without the query."""


class Rest:
    """One session to one venue. Blocking: call it from an actor with a thread of its own."""

    def __init__(self, base_url: str, limits: RestLimits) -> None:
        self._base_url = base_url.rstrip("/")
        self._limits = limits
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "foreshock"

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        """Fetch one answer, whatever its status. Raises RestError when there is none in time or it is too large."""
        return self.send(RestCall(path=path, params=tuple(params.items())))

    def send(self, call: RestCall) -> Answer:
        """Make a call of any method; the same promises as `get`."""
        limits, path = self._limits, call.path
        url = (call.base_url.rstrip("/") or self._base_url) + path
        headers = dict(call.headers) | ({"Content-Type": "application/json"} if call.body else {})
        give_up_s = time.monotonic() + limits.total_s
        try:
            with self._session.request(
                call.method,
                url,
                params=dict(call.params),
                data=call.body or None,
                headers=headers,
                timeout=(limits.connect_s, limits.read_s),
                stream=True,
            ) as response:
                body = bytearray()
                # `iter_content` waits until a chunk is full, so that drops of a byte would escape the deadline.
                while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                    body += chunk
                    if len(body) > limits.max_bytes:
                        raise RestError(f"{path}: more than {limits.max_bytes} bytes")
                    if time.monotonic() > give_up_s:
                        raise RestError(f"{path}: not finished after {limits.total_s:g} s")
                return Answer(status=response.status_code, headers=dict(response.headers), body=bytes(body))
        except requests.Timeout:
            raise RestError(f"{url}: no answer within {limits.read_s:g} s") from None
        except requests.ConnectionError as error:
            raise RestError(f"{url}: cannot connect ({_cause(error)})") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise RestError(f"{url}: {type(error).__name__}") from None

    def close(self) -> None:
        self._session.close()


def _cause(error: BaseException) -> str:
    """The innermost reason, without the layers that repeat the URL."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
