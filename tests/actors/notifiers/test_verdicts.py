import json

import pytest

from actors.notifiers.verdicts import (
    Answered,
    BadMarkup,
    ChatGone,
    ChatMoved,
    NoSuchBot,
    NotSent,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    judge,
)

BLOCKED = "Forbidden: bot was blocked by the user"
EMPTY = "Bad Request: message text is empty"


def error(code, description, **parameters):
    return json.dumps({"ok": False, "error_code": code, "description": description, "parameters": parameters}).encode()


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"ok": true, "result": {"message_id": 5}}', Sent(5)),
        (200, b'{"ok": true, "result": {"mess', Unknown("answer_not_understood")),
        (200, b"<html>hotel</html>", Unknown("answer_not_understood")),
        (200, b'{"ok": true, "result": true}', Answered()),
        (200, b"[]", Unknown("answer_not_understood")),
        (200, b"\xff\xfe", Unknown("answer_not_understood")),
        (200, error(403, BLOCKED), ChatGone(f"http_403 {BLOCKED}")),
        (429, error(429, "Too Many Requests: retry after 17", retry_after=17), Throttled(17.0)),
        (429, error(429, "Too Many Requests", retry_after=0), Throttled(5.0)),
        (429, b"", Throttled(5.0)),
        (420, error(420, "Too Many Requests"), Throttled(5.0)),
        (500, error(500, "Internal Server Error"), NotSent("http_500 Internal Server Error", answered=True)),
        (502, b"<html>Bad Gateway</html>", NotSent("http_502")),
        (503, b"", NotSent("http_503")),
        (307, b"", NotSent("http_307")),
        (403, b"<html>firewall</html>", NotSent("http_403")),
        (400, b"<html>proxy</html>", NotSent("http_400")),
        (403, error(403, BLOCKED), ChatGone(f"http_403 {BLOCKED}")),
        (400, error(400, "Bad Request: chat not found"), ChatGone("http_400 Bad Request: chat not found")),
        (400, error(400, "upgraded", migrate_to_chat_id=-100), ChatMoved(-100)),
        (400, error(400, "Bad Request: Can't parse entities"), BadMarkup("http_400 Bad Request: Can't parse entities")),
        (400, error(400, EMPTY), Rejected(f"http_400 {EMPTY}")),
        (413, error(413, "Request Entity Too Large"), Rejected("http_413 Request Entity Too Large")),
        (401, error(401, "Unauthorized"), NoSuchBot(401)),
        (404, error(404, "Not Found"), NoSuchBot(404)),
        (404, b"<html>no such page here</html>", NotSent("http_404")),
        (401, b"<html>log in to the hotel</html>", NotSent("http_401")),
    ],
)
def test_answer_means(status, body, verdict):
    assert judge(status, body) == verdict


def test_reasons_stay_short():
    verdict = judge(400, error(400, "x" * 5000))

    assert len(verdict.reason) == 120
