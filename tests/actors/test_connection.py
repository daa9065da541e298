"""A real connection actor over real sockets, before a venue that does what the test says."""

import json
import threading

import pytest

from actors import paths, socket_reader
from actors.exchanges.exchange import Keepalive
from actors.mailbox import MailboxSpec
from actors.messages.feeds import (
    ConnectionChanged,
    InstrumentsDoubted,
    InstrumentsListed,
    InstrumentsWanted,
    VenuesAble,
    WatchVenues,
)
from actors.messages.market import LiquidationsSeen
from tests.feed_stand.feed import Feed, a_plan, instruments, readers
from tests.feed_stand.server import Reply, frame, text
from tests.feed_stand.venues import (
    T0,
    binance_answer,
    binance_marks,
    binance_order,
    bybit_answer,
    bybit_liquidation,
    bybit_ticker,
    okx_answer,
)
from tests.telegram_stand.stage import wait_for

QUIET = Keepalive(ping=None, every_s=20.0, silent_s=1e6, max_age_s=1000.0)
BTC = bybit_liquidation(("BTCUSDT", 2, 90_000, 0))


@pytest.fixture
def feed(monkeypatch):
    monkeypatch.setattr(socket_reader, "HOUSEKEEPING_S", 0.005)
    one = Feed()
    yield one
    one.close()


def silent(_text):
    return ()


def binance(feed, **overrides):
    """The same stand as Binance's market route."""
    feed.stand.answer = binance_answer
    subscribe = b'{"method":"SUBSCRIBE","params":["!forceOrder@arr","!markPrice@arr@1s"],"id":1}'
    plan = a_plan(name="market", path="/market/stream", subscribe=(subscribe,), data_within_s=5.0)
    arguments = {
        "child_id": "binance-market",
        "venue": "binance",
        "plan": plan,
        "keepalive": Keepalive(ping=None, every_s=180.0, silent_s=30.0, max_age_s=80_000.0),
        "instruments": instruments("BTCUSDT", "BTCUSDC", "ETHUSDT", "DOGEUSDT", venue="binance"),
    }
    return feed.open(**(arguments | overrides))


# -- coming up --------------------------------------------------------------------------------------------------------


def test_it_is_up_once_every_subscription_is_acknowledged(feed):
    feed.stand.answer = silent
    frames = tuple(b'{"op":"subscribe","args":["allLiquidation.%s"]}' % one for one in (b"BTCUSDT", b"ETHUSDT"))
    feed.open(plan=a_plan(subscribe=frames, acks=2))
    venue = feed.stand.socket(1)
    wait_for(lambda: len(venue.texts()) == 2, "both subscriptions")

    venue.send(*bybit_answer(venue.texts()[0]))
    venue.send(BTC)
    feed.liquidations()
    assert [one.state for one in feed.states()] == ["connecting"]
    venue.send(*bybit_answer(venue.texts()[1]))

    assert feed.wait_state("up").connection == "bybit-linear-1"
    assert venue.path == "/v5/public/linear"


def test_a_route_that_acknowledges_but_brings_no_mark_price_is_declared_dead(feed):
    binance(feed)
    venue = feed.stand.socket(1)
    wait_for(venue.texts, "the subscription")

    passed_s = feed.pass_until(lambda: len(feed.states()) > 1, "a verdict")

    assert "a dead route" in feed.wait_state("down").reason
    assert passed_s >= 15  # 10 s for the answer, 5 s for the data


def test_a_route_is_up_with_its_first_mark_price(feed):
    binance(feed)
    feed.stand.socket(1).send(binance_marks(("BTCUSDT", 90_000)))

    assert feed.wait_state("up")


def test_subscriptions_that_are_never_acknowledged_end_the_socket(feed):
    feed.stand.answer = silent
    feed.open()
    wait_for(feed.stand.socket(1).texts, "the subscription")

    feed.pass_until(lambda: len(feed.states()) > 1, "a verdict")

    assert feed.wait_state("down").reason == "0 of 1 subscriptions confirmed in time"


def test_a_refused_subscription_is_said_and_makes_the_catalogue_read_its_list_again(feed):
    feed.stand.answer = lambda _text: ('{"success":false,"ret_msg":"error:handler not found","op":"subscribe"}',)
    feed.open()

    assert "error:handler not found" in feed.wait_state("down").reason
    wait_for(lambda: InstrumentsDoubted(venue="bybit") in feed.catalogue, "the doubt")


# -- keeping alive ----------------------------------------------------------------------------------------------------


def test_a_ping_of_the_venue_is_answered_with_its_payload(feed):
    venue = feed.up()

    venue.raw(frame(9, b"1739502302000"))

    wait_for(lambda: venue.of_kind("pong") == [b"1739502302000"], "the pong")


def test_own_pings_go_out_as_the_venue_wants_them(feed):
    venue = feed.up()

    passed_s = feed.pass_until(lambda: '{"op":"ping"}' in venue.texts(), "a ping")

    assert passed_s >= 20
    assert "ping" not in [kind for kind, _ in venue.received]


def test_pongs_alone_keep_a_quiet_socket_alive(feed):
    venue = feed.up()

    feed.pass_until(lambda: venue.texts().count('{"op":"ping"}') >= 6, "pings")

    assert [one.state for one in feed.states()] == ["connecting", "up"]


def test_silence_ends_the_socket(feed):
    feed.up()
    feed.stand.answer = silent

    passed_s = feed.pass_until(lambda: feed.states()[-1].state == "down", "its end")

    assert feed.wait_state("down").reason == "no byte for 45 s"
    assert passed_s >= 45


def test_mark_prices_that_stay_away_end_a_socket_whose_pongs_go_on(feed):
    feed.open(plan=a_plan(data_within_s=10.0))
    venue = feed.stand.socket(1)
    venue.send(bybit_ticker("BTCUSDT", 90_000))
    feed.wait_state("up")

    passed_s = feed.pass_until(lambda: feed.states()[-1].state == "down", "its end")

    assert feed.wait_state("down").reason == "no mark price for 135 s"
    assert passed_s >= 135


# -- what a venue can do to a socket ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda venue: venue.raw(frame(8, b"\x03\xf4too slow")), "closed by the venue: 1012 too slow"),
        (lambda venue: venue.raw(frame(8)), "closed by the venue: 1005"),
        (lambda venue: venue.hang_up(), "closed by the venue without a close frame"),
        (lambda venue: venue.reset(), "Connection reset by peer"),
        (lambda venue: venue.raw(frame(1, bytes(65 * 1024))), "the limit is 65536"),
        (lambda venue: venue.raw(b"\xf1\x00"), "protocol error: reserved bits"),
        (lambda venue: (venue.raw(text(BTC)[:40]), venue.hang_up()), "without a close frame"),
    ],
    ids=["close", "close without a code", "FIN", "RST", "oversized", "not a frame", "half a frame"],
)
def test_an_end_is_told_with_its_cause_and_followed_by_another_socket(feed, act, reason):
    venue = feed.up()

    act(venue)

    assert reason in feed.wait_state("down").reason
    feed.reconnect()
    feed.wait_state("up", times=2)
    feed.stand.socket(2).send(BTC)
    assert feed.liquidations()[0].events[0].quantity == 2
    wait_for(lambda: len(readers()) == 1, "one reader")


def test_what_came_before_a_breach_of_the_protocol_is_kept(feed):
    venue = feed.up()

    venue.raw(text(BTC) + frame(1, bytes(65 * 1024)))

    assert len(feed.liquidations()) == 1
    assert "protocol error" in feed.wait_state("down").reason


def test_a_message_in_fragments_and_in_many_writes_is_one_message(feed):
    venue = feed.up()
    whole = BTC.encode()
    data = frame(1, whole[:50], final=False) + frame(9, b"between") + frame(0, whole[50:])

    for position in range(0, len(data), 7):
        venue.raw(data[position : position + 7])

    assert [event.quantity for event in feed.liquidations()[0].events] == [2]
    wait_for(lambda: venue.of_kind("pong") == [b"between"], "the pong")


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (text("{garbage"), "garbage"),
        (text(b"\xff\xfe"), "found in"),
        (text("[" * 5000), "["),
        (text(json.dumps({"topic": "allLiquidation.BTCUSDT", "ts": T0, "data": [{"s": "BTCUSDT"}]})), "missing"),
        (frame(2, b"binary"), "a binary frame"),
    ],
    ids=["no JSON", "no UTF-8", "deep", "a row without fields", "binary"],
)
def test_a_bad_frame_is_counted_and_logged_and_costs_the_next_one_nothing(feed, bad, cause):
    venue = feed.up()

    venue.raw(bad + text(BTC))

    assert len(feed.liquidations()) == 1
    entry = feed.log_of("frame_malformed")
    assert (entry["n"], entry["connection"], entry["log_level"]) == (1, "bybit-linear-1", "warning")
    assert cause in entry["reason"]


def test_bad_frames_are_logged_ever_more_rarely(feed):
    venue = feed.up()

    venue.raw(text("{") * 10 + text(BTC))

    feed.liquidations()
    feed.log_of("frame_malformed", times=4)
    assert [entry["n"] for entry in feed.logs if entry["event"] == "frame_malformed"] == [1, 2, 4, 8]


def test_good_rows_of_a_partly_bad_frame_are_kept(feed):
    venue = feed.up()
    good = json.loads(BTC)
    good["data"].insert(0, {"s": "BTCUSDT", "S": "Buy"})

    venue.send(json.dumps(good))

    assert [event.quantity for event in feed.liquidations()[0].events] == [2]
    assert feed.log_of("frame_malformed")["n"] == 1


def test_a_decoder_that_breaks_its_word_on_one_frame_costs_that_frame_alone(feed, monkeypatch):
    from actors.exchanges.bybit_frames import BybitDecoder

    def decode(self, frame, received_ms, real=BybitDecoder.decode):
        return real(self, frame, received_ms) if b"poison" not in bytes(frame) else 1 // 0

    monkeypatch.setattr(BybitDecoder, "decode", decode)
    venue = feed.up()

    venue.send("poison", BTC)

    assert len(feed.liquidations()) == 1
    assert "ZeroDivisionError" in feed.log_of("frame_malformed")["reason"]


# -- refusals and back-off --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [451, 403])
def test_a_geo_refusal_parks_the_connection_with_advice_said_once(feed, status):
    feed.stand.refusals = [Reply(b"configured to block access from your country", status)]
    feed.open()

    notice = feed.stage.exit_of(feed.path)

    feed.wait_state("refused")
    assert notice.park.startswith("bybit: geo_blocked. Bybit does not serve this country")
    assert [one.state for one in feed.states()] == ["connecting", "refused"]
    assert "switch the venue off" in feed.states()[-1].advice
    assert feed.stand.handshakes == 1


@pytest.mark.parametrize("status", [418, 429])
def test_retry_after_of_a_refused_handshake_is_respected(feed, status):
    feed.stand.refusals = [Reply(b"{}", status, {"Retry-After": "137"})]
    binance(feed)

    assert feed.log_of("feed_lost")["wait_s"] == 137
    feed.stand.refusals = []
    feed.clock.advance(136.5)
    assert feed.stand.handshakes == 1
    feed.clock.advance(1)
    feed.stand.socket(1)


def test_a_venue_that_answers_503_is_tried_again_ever_more_rarely(feed):
    feed.stand.refusals = [Reply(b"", 503)]
    feed.open()

    waits = []
    for number in range(1, 9):
        entry = feed.log_of("feed_lost", number)
        assert (entry["attempt"], entry["reason"]) == (number, "handshake answered with HTTP 503")
        waits.append(entry["wait_s"])
        feed.clock.advance(entry["wait_s"] + 0.01)

    for number, wait_s in enumerate(waits):
        assert min(60, 2**number) / 2 <= wait_s <= min(60, 2**number)


def test_a_refused_tcp_connection_is_told_as_such(feed):
    feed.open(ws_url="ws://127.0.0.1:1")

    assert "cannot connect: ConnectionRefusedError" in feed.wait_state("down").reason


def test_an_answer_that_is_not_http_is_the_peers_fault_and_not_ours(feed):
    import socket

    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        peer, _ = listener.accept()
        peer.recv(4096)
        peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        peer.close()

    thread = threading.Thread(target=answer)
    thread.start()
    feed.open(ws_url=f"ws://127.0.0.1:{listener.getsockname()[1]}")

    assert "cannot connect: " in feed.wait_state("down").reason
    thread.join()
    listener.close()


def test_a_socket_that_comes_up_and_falls_at_once_is_not_opened_every_second(feed):
    feed.open()

    waits = []
    for number in range(1, 7):
        feed.wait_state("up", number)
        feed.stand.socket(number).hang_up()
        waits.append(feed.log_of("feed_lost", number)["wait_s"])
        feed.clock.advance(waits[-1] + 0.01)

    assert waits[-1] >= 16
    feed.wait_state("up", 7)
    since_s = feed.clock.monotonic()
    feed.pass_until(lambda: feed.clock.monotonic() > since_s + 60, "a minute")
    feed.stand.socket(7).hang_up()
    assert feed.log_of("feed_lost", 7)["attempt"] == 1


# -- renewal ----------------------------------------------------------------------------------------------------------


def renewing(feed):
    """A connection that has just opened its second socket; both ends, the new one not acknowledged yet."""
    first = feed.up(keepalive=QUIET)
    feed.stand.answer = silent
    feed.clock.advance(971)
    second = feed.stand.socket(2)
    wait_for(second.texts, "the subscription")
    return first, second


def renewed(feed):
    first, second = renewing(feed)
    second.send(*bybit_answer(second.texts()[0]))
    feed.log_of("feed_renewed")
    return first, second


def test_renewal_opens_the_new_socket_before_the_old_one_closes(feed):
    first, second = renewing(feed)
    assert not first.ended.is_set()

    second.send(*bybit_answer(second.texts()[0]))
    feed.log_of("feed_renewed")
    feed.clock.advance(2.1)

    assert first.ended.wait(5)
    assert not second.ended.is_set()
    assert [one.state for one in feed.states()] == ["connecting", "up"]
    wait_for(lambda: len(readers()) == 1, "one reader")


def test_what_the_old_socket_still_brings_after_a_renewal_is_not_lost(feed):
    first, _ = renewed(feed)

    first.send(BTC)

    assert len(feed.liquidations()) == 1


def test_what_both_sockets_bring_during_a_renewal_is_flagged_on_both(feed):
    first, second = renewing(feed)

    second.send(BTC)
    feed.liquidations()
    first.send(BTC)

    assert [seen.after_reconnect for seen in feed.liquidations(letters=2)] == [True, True]


def test_the_renewed_socket_flags_repeats_no_longer_than_the_old_one_could_cause_them(feed):
    _, second = renewed(feed)
    second.send(BTC)
    assert feed.liquidations()[0].after_reconnect

    feed.clock.advance(7.1)
    second.send(bybit_liquidation(("BTCUSDT", 3, 90_000, 1)))

    assert not feed.liquidations(letters=2)[1].after_reconnect


def test_a_renewal_that_fails_is_tried_again_and_the_old_socket_goes_on(feed):
    first, second = renewing(feed)

    second.hang_up()
    feed.log_of("feed_renewal_failed")
    first.send(BTC)
    assert len(feed.liquidations()) == 1
    feed.stand.answer = bybit_answer
    feed.pass_until(lambda: len(feed.stand.sockets) == 3, "another try")

    feed.log_of("feed_renewed")
    assert [one.state for one in feed.states()] == ["connecting", "up"]


def test_when_the_old_socket_falls_during_a_renewal_the_new_one_takes_over(feed):
    first, second = renewing(feed)

    first.hang_up()
    feed.wait_state("down")
    second.send(*bybit_answer(second.texts()[0]))

    feed.wait_state("up", times=2)
    feed.clock.advance(30)
    feed.stage.ask(paths.VENUES, "settle")
    assert len(feed.stand.sockets) == 2
    wait_for(lambda: len(readers()) == 1, "one reader")


def test_a_venue_that_announces_its_close_gets_a_new_socket_before_it(feed):
    feed.stand.answer = okx_answer
    subscribe = b'{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]}'
    plan = a_plan(name="public-1", path="/ws/v5/public", subscribe=(subscribe,))
    feed.up(child_id="okx-public-1", venue="okx", plan=plan, instruments=instruments(venue="okx"))

    feed.stand.socket(1).send('{"event":"notice","code":"64008","msg":"The connection will soon be closed"}')

    feed.log_of("feed_renewed")
    feed.clock.advance(2.1)
    assert feed.stand.socket(1).ended.wait(5)
    assert [one.state for one in feed.states()] == ["connecting", "up"]


# -- events -----------------------------------------------------------------------------------------------------------


def test_liquidations_of_two_assets_in_one_read_become_one_letter_each(feed):
    venue = feed.up()
    eth = bybit_liquidation(("ETHUSDT", 30, 3_000, 20), ("ETHUSDT", 40, 3_000, 30))

    venue.send(BTC, eth, bybit_liquidation(("BTCUSDT", 3, 90_000, 40)))

    assert [[e.quantity for e in seen.events] for seen in feed.liquidations("BTC")] == [[2, 3]]
    assert [[e.quantity for e in seen.events] for seen in feed.liquidations("ETH")] == [[30, 40]]


def test_letters_name_the_venues_that_are_able_this_one_always_among_them(feed):
    venue = feed.up()
    venue.send(BTC)
    assert (feed.liquidations()[0].able, feed.liquidations()[0].configured) == (("bybit",), ("bybit",))

    feed.stage.tell(feed.path, VenuesAble(able=("binance",), configured=("binance", "bybit", "okx")))
    feed.stage.ask(feed.path, InstrumentsListed(venue="bybit", instruments=instruments("BTCUSDT", "ETHUSDT")))
    venue.send(bybit_liquidation(("BTCUSDT", 3, 90_000, 1)))

    seen = feed.liquidations(letters=2)[1]
    assert (seen.able, seen.configured) == (("binance", "bybit"), ("binance", "bybit", "okx"))


def test_a_venue_that_does_not_count_is_not_among_those_that_are_able(feed):
    venue = feed.up()
    feed.stage.tell(feed.path, VenuesAble(able=("binance",), configured=("binance", "okx")))
    feed.stage.ask(feed.path, InstrumentsListed(venue="bybit", instruments=instruments("BTCUSDT", "ETHUSDT")))

    venue.send(BTC)

    seen = feed.liquidations()[0]
    assert (seen.able, seen.configured) == (("binance",), ("binance", "okx"))


def test_a_frame_with_liquidations_that_comes_again_is_dropped_once(feed):
    venue = feed.up()

    venue.send(BTC)
    feed.liquidations()
    venue.send(BTC, bybit_liquidation(("BTCUSDT", 3, 90_000, 1)))

    assert [[e.quantity for e in seen.events] for seen in feed.liquidations(letters=2)] == [[2], [3]]
    reader = feed.stage.system.ledger[feed.path].actor._readers.current
    assert reader.counts["duplicate_frames"] == 1


def test_events_after_a_reconnect_are_flagged_until_repeats_are_over(feed):
    feed.up().hang_up()
    feed.wait_state("down")
    feed.reconnect()
    feed.wait_state("up", 2)
    venue = feed.stand.socket(2)

    venue.send(BTC)
    assert feed.liquidations()[0].after_reconnect
    feed.clock.advance(5.5)
    venue.send(bybit_liquidation(("BTCUSDT", 3, 90_000, 1)))

    assert not feed.liquidations(letters=2)[1].after_reconnect


def test_marks_of_every_instrument_are_sent_and_a_mark_alone_starts_no_stream(feed):
    binance(feed)
    venue = feed.stand.socket(1)

    venue.send(
        binance_marks(("BTCUSDT", 90_000), ("BTCUSDC", 90_100), ("DOGEUSDT", 0.1)), binance_order("ETHUSDT", 1, 1)
    )
    feed.liquidations("ETH")

    assert [(mark.instrument, mark.price) for mark in feed.marks(letters=2)] == [
        ("BTCUSDT", 90_000),
        ("BTCUSDC", 90_100),
    ]
    assert feed.stage.system.find(paths.symbol_path("DOGE")) is None


def test_a_stream_whose_mailbox_is_full_costs_the_others_nothing(feed):
    feed.stage.system.place(paths.symbol_path("SOL"), MailboxSpec(urgent_max=1))
    venue = feed.up(instruments=instruments("BTCUSDT", "SOLUSDT"))

    venue.send(*(bybit_liquidation(("SOLUSDT", 1, 140, at)) for at in range(3)), BTC)
    feed.liquidations()
    venue.send(bybit_liquidation(("SOLUSDT", 1, 140, 5)), bybit_liquidation(("BTCUSDT", 3, 90_000, 5)))

    events = [event.quantity for seen in feed.liquidations(letters=2) for event in seen.events]
    assert events == [2, 3]
    assert feed.stage.system.place(paths.symbol_path("SOL")).mailbox.dropped == 1
    assert feed.states()[-1].state == "up"


def test_of_many_marks_in_a_read_the_newest_is_sent(feed):
    venue = feed.up()

    venue.send(*(bybit_ticker("BTCUSDT", 90_000 + at, at) for at in range(50)), BTC)

    feed.liquidations()
    assert feed.marks()[-1].price == 90_049
    assert len(feed.marks()) < 50


def test_a_new_list_reaches_the_running_socket(feed):
    venue = feed.up()
    assert InstrumentsWanted(path=feed.path) in feed.catalogue
    sol = bybit_liquidation(("SOLUSDT", 5, 140, 0))
    venue.send(sol, BTC)
    feed.liquidations()

    feed.streams["SOL"] = feed.stage.record(paths.symbol_path("SOL"))
    listed = InstrumentsListed(venue="bybit", instruments=instruments("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    feed.stage.ask(feed.path, listed)
    venue.send(bybit_liquidation(("SOLUSDT", 6, 140, 0)))

    assert [event.quantity for event in feed.liquidations("SOL")[0].events] == [6]
    assert len(feed.stand.sockets) == 1


# -- restarts and stops -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit", "KeyboardInterrupt"])
def test_after_a_drill_the_successor_has_one_socket_and_the_old_reader_is_gone(feed, error):
    feed.up()
    (old,) = readers()

    feed.stage.crash(feed.path, error)

    feed.wait_state("up", 2)
    assert [one.state for one in feed.states()] == ["connecting", "up", "down", "connecting", "up"]
    assert feed.states()[2].reason == "connection bybit-linear-1 failed"
    wait_for(lambda: old not in readers(), "the end of the old reader")
    feed.stand.socket(2).send(BTC)
    feed.liquidations()
    feed.clock.advance(30)
    feed.stage.ask(feed.path, VenuesAble(able=(), configured=()))
    assert (len(feed.stand.sockets), len(readers())) == (2, 1)


def test_a_reader_that_fails_takes_the_connection_with_it(feed, monkeypatch):
    from actors.publisher import Publisher

    monkeypatch.setattr(Publisher, "publish", lambda _self, _records: 1 // 0)
    feed.up().send(BTC)

    notice = feed.stage.exit_of(feed.path)

    assert (notice.kind, notice.error) == (
        "failed",
        "RuntimeError: the reader failed: ZeroDivisionError: integer division or modulo by zero",
    )


def test_a_fenced_connection_publishes_nothing_any_more_and_its_reader_ends(feed):
    venue = feed.up()

    feed.stage.system.ledger[feed.path].actor.fenced = True
    venue.send(BTC)

    wait_for(lambda: not readers(), "the end of the reader")
    assert not [one for one in feed.streams["BTC"] if isinstance(one, LiquidationsSeen)]


def test_it_stops_within_a_second_while_the_venue_leaves_the_handshake_unanswered(feed):
    feed.stand.stalling = True
    feed.open()
    wait_for(lambda: feed.stand.handshakes == 1, "the handshake")

    feed.stage.stop(feed.path)

    wait_for(lambda: not readers(), "the end of the reader", deadline_s=1)


def test_it_stops_within_a_second_while_the_venue_is_silent_in_the_middle_of_a_frame(feed):
    venue = feed.up()
    venue.raw(text(BTC)[:20])

    feed.stage.stop(feed.path)

    wait_for(lambda: not readers(), "the end of the reader", deadline_s=1)


def test_a_handshake_that_never_finishes_is_given_up(feed):
    feed.stand.stalling = True
    feed.open()
    wait_for(lambda: feed.stand.handshakes == 1, "the handshake")

    feed.clock.advance(10.1)

    assert feed.wait_state("down").reason == "not connected within 10 s"


def test_the_state_is_told_again_every_minute(feed):
    feed.up()
    known = len(feed.venues)

    feed.clock.advance(61)
    wait_for(lambda: len(feed.venues) >= known + 2, "the repetition")

    again = feed.venues[known : known + 2]
    assert again[0] == WatchVenues(path=feed.path)
    assert isinstance(again[1], ConnectionChanged)
    assert again[1].state == "up"
