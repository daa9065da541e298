"""REST calls before a server that drips, stalls, lies about lengths or sends too much."""

import gzip
import threading

import pytest

from actors import rest
from actors.rest import Rest, RestError, RestLimits
from tests.feed_stand.server import FeedStand, Reply

LIMITS = RestLimits(connect_s=1.0, read_s=1.0, total_s=30.0, max_bytes=100_000)


@pytest.fixture
def stand():
    one = FeedStand()
    yield one
    one.stop()


@pytest.fixture
def get(stand):
    opened = []

    def call(reply, params=None, **limits):
        stand.pages["/list"] = [reply]
        one = Rest(stand.rest_url, RestLimits(**({name: getattr(LIMITS, name) for name in LIMITS.__slots__} | limits)))
        opened.append(one)
        return one.get("/list", params or {})

    yield call
    for one in opened:
        one.close()


def test_an_answer_is_given_with_its_status_and_headers_whatever_the_status(stand, get):
    answer = get(Reply(b"slow down", 429, {"Retry-After": "7"}), {"limit": "5"})

    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (429, b"slow down", "7")
    assert stand.requests == ["/list?limit=5"]


def test_a_compressed_answer_comes_unpacked(get):
    body = b"x" * 90_000

    assert get(Reply(gzip.compress(body), 200, {"Content-Encoding": "gzip"})).body == body


def test_an_answer_over_the_size_limit_is_refused(get):
    with pytest.raises(RestError, match="/list: more than 1000 bytes"):
        get(Reply(b"x" * 1001), max_bytes=1000)


def test_an_answer_that_unpacks_to_more_than_the_limit_is_refused(get):
    with pytest.raises(RestError, match="more than 100000 bytes"):
        get(Reply(gzip.compress(bytes(50_000_000)), 200, {"Content-Encoding": "gzip"}))


def test_an_answer_that_drips_is_given_up_at_the_total_deadline(stand, get, monkeypatch):
    machine_s = [1000.0]
    monkeypatch.setattr(rest.time, "monotonic", lambda: machine_s[0])
    failed = []

    def call():
        try:
            get(Reply(b"x" * 100, drip=True))
        except RestError as error:
            failed.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    for _ in range(30):
        stand.more.release()
    machine_s[0] += 30.1
    stand.more.release()

    thread.join(5)
    assert failed == ["/list: not finished after 30 s"]


def test_a_server_that_stops_in_the_middle_is_given_up_after_the_read_limit(get):
    with pytest.raises(RestError, match="/list: "):
        get(Reply(b"x" * 100, drip=True), read_s=0.1)


def test_a_broken_encoding_is_told_without_the_query(get):
    with pytest.raises(RestError, match=r"/list: DecodeError$"):
        get(Reply(b"not gzip", 200, {"Content-Encoding": "gzip"}), {"key": "secret"})


def test_a_refused_connection_names_the_cause():
    one = Rest("http://127.0.0.1:1", LIMITS)

    with pytest.raises(RestError, match=r"cannot connect .*refused"):
        one.get("/list", {})
    one.close()


def test_an_answer_cut_short_is_no_answer(get):
    with pytest.raises(RestError, match="/list: "):
        get(Reply(b"x" * 100, cut=True))
