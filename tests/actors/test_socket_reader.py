"""The reader thread by itself: TLS, and the moments between a thread's birth and its socket."""

import shutil
import subprocess

import pytest

from actors import frame_intake, socket_reader
from actors.clock import ManualClock
from actors.exchanges.exchange import Keepalive
from actors.exchanges.registry import EXCHANGES
from actors.reader_words import ReaderEnded, ReaderUp
from actors.socket_reader import SocketReader
from tests.feed_stand.feed import KEEPALIVE, SOCKET, a_plan, instruments, readers
from tests.feed_stand.server import FeedStand, frame, text
from tests.feed_stand.venues import T0, bybit_answer, bybit_liquidation
from tests.telegram_stand.stage import wait_for


class Owner:
    """What a reader knows of its actor: it notes what it is told and what is published."""

    def __init__(self, url, keepalive=KEEPALIVE, plan=None):
        self.told, self.reads, self.trades = [], [], []
        self.clock = ManualClock(market_ms=T0)
        self.reader = SocketReader(
            number=1,
            name="/test",
            url=url,
            plan=plan or a_plan(),
            exchange=EXCHANGES["bybit"],
            keepalive=keepalive,
            instruments={one.instrument: one for one in instruments("BTCUSDT")},
            rules=SOCKET,
            clock=self.clock,
            notify=self.told.append,
            publish=lambda _reader, records: self.reads.append(records),
            publish_trades=lambda _reader, columns, _received_ms: self.trades.append(columns),
        )

    def up(self):
        self.reader.start()
        wait_for(lambda: ReaderUp(number=1) in self.told, f"the word that it is up, not {self.told}")

    def ended(self):
        wait_for(lambda: isinstance(self.told[-1:] and self.told[-1], ReaderEnded), "its end")
        assert sum(isinstance(one, ReaderEnded) for one in self.told) == 1
        return self.told[-1]

    def events(self):
        return [event for records in self.reads for event in records]


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.005)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def stand():
    one = FeedStand(bybit_answer)
    yield one
    one.stop()


@pytest.fixture
def tls_stand(certificate, monkeypatch):
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(certificate[0]))
    one = FeedStand(bybit_answer, certificate)
    yield one
    one.stop()


def test_more_than_a_tls_record_at_once_is_read_without_waiting_for_the_next(tls_stand):
    owner = Owner(tls_stand.ws_url)
    owner.up()
    venue = tls_stand.socket(1)
    rows = [("BTCUSDT", 1 + number, 90_000, number) for number in range(2_000)]

    venue.raw(b"".join(text(bybit_liquidation(*rows[at : at + 20])) for at in range(0, 2_000, 20)))

    wait_for(lambda: len(owner.events()) == 2_000, "all rows")
    assert [event.quantity for event in owner.events()] == [row[1] for row in rows]
    owner.reader.stop()
    assert owner.reader.join(1)


def test_a_blocked_read_over_tls_is_woken_by_a_stop(tls_stand):
    owner = Owner(tls_stand.ws_url)
    owner.up()
    tls_stand.socket(1).raw(text("x" * 100)[:50])

    owner.reader.stop()

    assert owner.reader.join(1)
    assert owner.ended().kind == "stopped"


def test_a_frame_over_many_tls_records_is_one_frame(tls_stand):
    owner = Owner(tls_stand.ws_url)
    owner.up()
    data = text(bybit_liquidation(("BTCUSDT", 2, 90_000, 0)))

    for position in range(0, len(data), 30):
        tls_stand.socket(1).raw(data[position : position + 30])

    wait_for(owner.events, "the event")
    owner.reader.stop()
    assert owner.reader.join(1)


def test_a_certificate_nobody_vouches_for_is_refused(certificate):
    stand = FeedStand(bybit_answer, certificate)
    owner = Owner(stand.ws_url)

    owner.reader.start()

    assert "CERTIFICATE_VERIFY_FAILED" in owner.ended().reason
    assert stand.sockets == []
    stand.stop()


def test_a_stop_before_the_start_opens_no_socket(stand):
    owner = Owner(stand.ws_url)

    owner.reader.stop()
    owner.reader.start()

    assert owner.ended().kind == "stopped"
    assert stand.handshakes == 0


def test_a_reader_that_was_never_started_need_not_be_waited_for(stand):
    assert Owner(stand.ws_url).reader.join(0)


def test_stops_at_any_moment_end_the_thread_and_tell_it_once(stand):
    for number in range(60):
        owner = Owner(stand.ws_url)
        owner.reader.start()
        for _ in range(number * 50):
            pass
        owner.reader.stop()
        owner.reader.stop()
        assert owner.reader.join(1)
        assert owner.ended().kind == "stopped"
    owner = Owner(stand.ws_url)
    owner.up()  # the stand, too, has done with all the others now
    owner.reader.stop()
    assert owner.reader.join(1)
    assert readers() == []


def test_a_send_that_finds_the_socket_gone_is_a_loss_and_not_a_bug_of_ours(stand):
    owner = Owner(stand.ws_url, Keepalive(ping=b"ping", every_s=0.0, silent_s=1e9, max_age_s=1e9))

    owner.reader.start()
    stand.socket(1).reset()

    assert owner.ended().kind == "lost"


def test_a_venue_that_reads_nothing_is_a_loss_and_not_a_bug_of_ours(stand, monkeypatch):
    import websocket

    owner = Owner(stand.ws_url)
    owner.up()

    def send(*_arguments):
        raise websocket.WebSocketTimeoutException("timed out")

    monkeypatch.setattr(owner.reader._socket, "send", send)
    stand.socket(1).raw(frame(9, b"p"))

    assert (owner.ended().kind, owner.ended().reason) == ("lost", "WebSocketTimeoutException: timed out")


def test_what_a_reader_remembers_does_not_grow(stand):
    owner = Owner(stand.ws_url)
    owner.up()

    for number in range(500):
        stand.socket(1).send(bybit_liquidation(("BTCUSDT", 1 + number, 90_000, number)))

    wait_for(lambda: len(owner.events()) == 500, "all events")
    assert len(owner.reader._intake._digests) == frame_intake.DUPLICATE_FRAMES
    owner.reader.stop()
    assert owner.reader.join(1)
