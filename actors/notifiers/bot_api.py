"""The Bot API by requests, one call at a time, each bounded and judged; for senders with a thread of their own."""

import json
import time
from typing import Any

import requests
import urllib3

from actors.notifiers import verdicts
from actors.notifiers.verdicts import Verdict
from config.settings import Telegram as TelegramSettings

MAX_ANSWER_BYTES = 65_536
IDLE_MAX_S = 60.0  # an idle connection may be dead without a word (address translation); a new one is not


class BotApi:
    """One session to the Bot API. Blocking. The token is part of the address, so no address ever leaves this class."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._base = f"{settings.api_url}/bot{settings.token.reveal()}"
        self._connect_s, self._read_s = settings.connect_timeout_s, settings.read_timeout_s
        self._session = requests.Session()
        self._used_s = time.monotonic()

    def send(
        self,
        method: str,
        fields: dict[str, Any],
        *,
        within_s: float | None = None,
        photo: bytes | None = None,
    ) -> Verdict:
        """Make one call and judge its answer; never raises. `within_s` shortens the limits of the settings."""
        connect_s = min(self._connect_s, within_s or self._connect_s)
        read_s = min(self._read_s, within_s or self._read_s)
        give_up_s = time.monotonic() + connect_s + read_s
        if time.monotonic() - self._used_s > IDLE_MAX_S:
            self.close()
        try:
            with self._session.post(
                f"{self._base}/{method}",
                **_body(fields, photo),
                timeout=(connect_s, read_s),
                stream=True,
                allow_redirects=False,
            ) as response:
                return self._judge(response, give_up_s)
        except requests.RequestException as error:
            self.close()
            return _of_exception(error)
        finally:
            self._used_s = time.monotonic()

    def _judge(self, response: requests.Response, give_up_s: float) -> Verdict:
        body = bytearray()
        for chunk in response.iter_content(1):  # more would wait for more: requests' limit is for each read alone
            body += chunk
            if len(body) > MAX_ANSWER_BYTES or time.monotonic() > give_up_s:
                self.close()
                return verdicts.Unknown("answer_not_finished")
        return verdicts.judge(response.status_code, bytes(body))

    def close(self) -> None:
        self._session.close()


def _body(fields: dict[str, Any], photo: bytes | None) -> dict[str, Any]:
    """What requests is to send: a form where there is a file, else JSON."""
    if photo is None:
        return {"json": fields}
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return {"data": form, "files": {"photo": ("picture.png", photo, "image/png")}}


def _of_exception(error: requests.RequestException) -> Verdict:
    """Whether the request can have arrived. Texts of these exceptions hold the address, so only names are used."""
    cause: Any = error.args[0] if error.args else None
    inner = getattr(cause, "reason", cause)
    name = type(inner if isinstance(inner, Exception) else error).__name__
    never_connected = (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    unconnected = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    if isinstance(error, never_connected) or isinstance(inner, unconnected):
        return verdicts.NotSent(name)
    return verdicts.Unknown(name)
