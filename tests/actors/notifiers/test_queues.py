from actors.notifiers.queues import Pace, Queues
from actors.outbox_rows import Delivery, chat_of, telegram_target
from intelligence.alerts import Severity, Stage
from tests.intelligence.builders import an_alert
from tests.telegram_stand.proxy import Limits


def a_delivery(number, severity=Severity.P2, chat=11, **overrides):
    fields = {
        "id": number,
        "alert": an_alert(alert_id=f"alert-{number}", severity=severity),
        "stage": Stage.RAISED,
        "target": telegram_target(chat),
        "attempts": 0,
        "resent": False,
        "not_before_ms": 0,
        "created_ms": 0,
    }
    return Delivery(**(fields | overrides))


def a_pace():
    return Pace(private_gap_s=1, group_gap_s=3, overall_per_s=10)


def drained(queues, pace=None):
    order = []
    while (choice := queues.next(0.0, pace or a_pace())) is not None:
        order.append(choice.delivery.id)
        queues.remove(choice.delivery)
    return order


def test_gravest_goes_first_and_order_is_kept_within_a_class():
    queues = Queues()
    for number, severity in enumerate((Severity.P3, Severity.P2, Severity.P1, Severity.P2, Severity.P1)):
        queues.add(a_delivery(number, severity))

    assert drained(queues) == [2, 4, 1, 3, 0]


def test_free_chat_goes_before_a_graver_one_that_must_wait():
    queues, pace = Queues(), a_pace()
    queues.add(a_delivery(1, Severity.P1, chat=11))
    queues.add(a_delivery(2, Severity.P3, chat=12))
    pace.hold(11, 50.0)

    assert queues.next(0.0, pace).delivery.id == 2
    queues.remove(queues.next(0.0, pace).delivery)
    assert queues.next(0.0, pace).at_s == 50.0


def test_end_of_an_incident_waits_for_its_start():
    queues = Queues()
    start = a_delivery(1, Severity.P3)
    end = a_delivery(2, alert=an_alert(alert_id="alert-1", severity=Severity.P1), stage=Stage.ENDED)
    queues.add(start)
    queues.add(end)

    assert len(queues) == 2
    assert drained(queues) == [1, 2]


def test_end_alone_does_not_wait():
    queues = Queues()
    queues.add(a_delivery(2, stage=Stage.ENDED))

    assert drained(queues) == [2]


def test_delivery_that_failed_often_lets_others_of_its_class_go_first():
    queues = Queues()
    queues.add(a_delivery(1))
    queues.add(a_delivery(2))
    queues.add(a_delivery(1, attempts=8))

    assert drained(queues) == [2, 1]


def test_chat_that_is_removed_takes_its_ends_along():
    queues = Queues()
    queues.add(a_delivery(1))
    queues.add(a_delivery(2, alert=an_alert(alert_id="alert-1"), stage=Stage.ENDED))
    queues.add(a_delivery(3, chat=12))

    queues.remove_chat(11)

    assert (drained(queues), len(queues)) == ([3], 0)


def test_groups_are_slower_and_all_chats_share_a_limit():
    pace = a_pace()
    pace.spent(11, 100.0, 100.0)
    pace.spent(-22, 100.0, 100.0)

    assert (pace.free_s(11), pace.free_s(-22), pace.free_s(12)) == (101.0, 103.0, 100.1)


def test_a_slow_answer_holds_up_its_own_chat_alone():
    pace = a_pace()
    pace.spent(11, 100.0, 100.5)

    assert (pace.free_s(11), pace.free_s(12)) == (101.5, 100.1)


def test_shorter_wait_does_not_end_a_longer_one():
    pace = a_pace()
    pace.hold(11, 30.0)
    pace.spent(11, 1.0, 1.0)

    assert pace.free_s(11) == 30.0


def test_in_a_hurry_only_the_chats_own_waits_count():
    pace = a_pace()
    pace.spent(11, 100.0, 100.0)

    pace.hurry()

    assert (pace.free_s(11), pace.free_s(12)) == (101.0, 0.0)


def test_a_burst_of_alerts_to_ten_chats_keeps_telegrams_limits_its_order_and_the_gravest_first():
    """500 alerts to each, eight private chats and two groups, at the pace of the settings; Telegram answers at once."""
    chats = (*range(1, 9), -1, -2)
    queues, pace = Queues(), Pace(private_gap_s=1.05, group_gap_s=3.05, overall_per_s=25)
    for number in range(500 * len(chats)):
        queues.add(a_delivery(number, list(Severity)[number // len(chats) % 3], chats[number % len(chats)]))
    limits, now_s, sent = Limits(), 0.0, {chat: [] for chat in chats}

    while (choice := queues.next(now_s, pace)) is not None:
        now_s = max(now_s, choice.at_s)
        chat = chat_of(choice.delivery.target)
        assert not limits.refuses(chat, now_s)
        pace.spent(chat, now_s, now_s)
        queues.remove(choice.delivery)
        sent[chat].append((choice.delivery.alert.severity, choice.delivery.id))

    assert all(order == sorted(order) and len(order) == 500 for order in sent.values())
