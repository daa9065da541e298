"""When a socket counts as up, is pinged, and is dead: to the second, without one."""

import pytest

from actors.exchanges.exchange import Keepalive, SocketPlan
from actors.liveness import Liveness


def live(*, acks=1, data_within_s=None, ping=b"ping"):
    plan = SocketPlan(
        name="one", path="/", subscribe=(), acks=acks, data_within_s=data_within_s, brings_liquidations=True
    )
    return Liveness(plan, Keepalive(ping=ping, every_s=20.0, silent_s=45.0, max_age_s=1e6), 10.0, 100.0)


def test_a_socket_comes_up_once_with_its_last_acknowledgement():
    one = live(acks=2)

    one.note_ack()
    assert not one.comes_up(101.0)
    one.note_ack()

    assert one.comes_up(102.0)
    assert one.up_s == 102.0
    assert not one.comes_up(103.0)


def test_where_data_must_come_acknowledgements_are_not_enough():
    one = live(data_within_s=5.0)
    one.note_ack()

    assert not one.comes_up(101.0)
    one.note_data()

    assert one.comes_up(102.0)


@pytest.mark.parametrize(
    ("acks", "data_within_s", "dies_s", "cause"),
    [
        (0, None, 110.0, "0 of 1 subscriptions confirmed in time"),
        (0, 5.0, 110.0, "0 of 1 subscriptions confirmed in time"),
        (1, 5.0, 115.0, "subscribed, but no data within 5 s: a dead route"),
    ],
)
def test_a_socket_that_does_not_come_up_in_time_is_dead(acks, data_within_s, dies_s, cause):
    one = live(data_within_s=data_within_s)
    for _ in range(acks):
        one.note_ack()

    assert one.cause_of_death(dies_s) is None
    assert one.cause_of_death(dies_s + 0.1) == cause


def test_silence_is_counted_from_the_last_byte():
    one = live(acks=0)
    one.comes_up(100.0)
    one.bytes_s = 130.0

    assert one.cause_of_death(175.0) is None
    assert one.cause_of_death(175.1) == "no byte for 45 s"


def test_marks_that_came_and_stay_away_are_a_death_of_their_own():
    one = live(acks=0)
    one.comes_up(100.0)
    one.note_mark()
    one.bytes_s = 235.0

    assert one.cause_of_death(235.0) is None
    assert one.cause_of_death(235.1) == "no mark price for 135 s"


def test_where_no_mark_ever_came_none_is_missed():
    one = live(acks=0)
    one.comes_up(100.0)
    one.bytes_s = 1000.0

    assert one.cause_of_death(1000.0) is None


def test_pings_are_due_a_period_after_the_one_before():
    one = live()

    assert [at for at in range(100, 180) if one.wants_ping(at)] == [120, 140, 160]


def test_where_the_venue_pings_we_do_not():
    assert not live(ping=None).wants_ping(1e9)


def test_a_socket_that_brings_only_garbage_is_dead_however_much_it_brings():
    one = live()
    one.note_ack()
    one.comes_up(100.0)
    for second in range(101, 147):
        one.bytes_s = float(second)
        one.note_garbled()

    assert one.cause_of_death(146.0) is None
    assert one.cause_of_death(146.1) == "nothing understood for 45 s, 46 frames"


def test_an_event_between_odd_frames_proves_the_socket():
    one = live()
    one.note_ack()
    one.comes_up(100.0)
    for second in range(101, 200):
        one.bytes_s = float(second)
        one.note_garbled()
        if second % 40 == 0:
            one.note_data()

    assert one.cause_of_death(200.0) is None
