"""The figures of the bot under load: which answer belongs to which question, and when a goal is missed."""

from benchmarks.bot.__main__ import FLAT, PSS_MIB, memory_rows, quantile, timed
from benchmarks.bot.alerts import free_s
from benchmarks.bot.memory import Sample
from benchmarks.bot.talk import Asked, match
from tests.telegram_stand.proxy import Call


def a_call(method, at_s, *, chat=101, updates=()):
    call = Call(method, {"chat_id": chat}, at_s, "token")
    call.answered_s, call.result = at_s + 0.5, [{"update_id": number} for number in updates]
    return call


def asked(update_id, chat=101):
    return Asked("/price BTC", chat, said_s=0.0, update_id=update_id)


def test_an_answer_is_counted_from_the_poll_that_brought_its_question():
    one = asked(7)

    match([one], [a_call("getUpdates", 1.0, updates=[7]), a_call("sendMessage", 2.0)])

    assert one.took_s == 0.5


def test_answers_belong_to_the_questions_of_their_chat_in_order():
    first, second, other = asked(1), asked(2), asked(3, chat=102)
    polls = [a_call("getUpdates", 0.5, updates=[1, 2, 3])]

    match([first, second, other], [*polls, a_call("sendMessage", 2.0), a_call("sendPhoto", 3.0, chat=102)])

    assert (first.took_s, second.took_s) == (1.0, float("inf"))
    assert (other.took_s, other.method) == (2.0, "sendPhoto")


def test_what_came_before_the_question_is_no_answer_to_it():
    one = asked(1)

    match([one], [a_call("sendMessage", 0.1), a_call("getUpdates", 0.5, updates=[1])])

    assert one.took_s == float("inf")


def test_a_goal_is_missed_by_its_quantile_and_by_an_answer_that_never_came():
    assert timed("", [0.1] * 99 + [9.0], p95=1.0).met
    assert not timed("", [0.1] * 90 + [9.0] * 10, p95=1.0).met
    assert not timed("", [0.1] * 9 + [float("inf")], p95=1.0).met
    assert not timed("", [], p95=1.0).met


def test_quantiles_are_those_of_values_that_were_seen():
    assert [quantile([3.0, 1.0, 2.0], part) for part in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]


def memory(values):
    samples = [Sample(float(at_s), mib, 50.0, 1, 0.0) for at_s, mib in enumerate(values)]
    return [row.met for row in memory_rows(samples)[:2]]


def test_memory_must_be_below_its_goal_and_flat():
    flat = [100.0] * 50

    assert memory(flat) == [True, True]
    assert memory([*flat[1:], PSS_MIB]) == [False, False]
    assert memory([*flat[10:], *[100.0 + 150.0 * 1.2 * (FLAT - 1)] * 10]) == [True, False]


def test_a_chat_is_free_when_every_message_has_had_its_pace():
    assert free_s([]) == 0.0
    assert round(free_s([1.0, 10.0, 10.1]), 2) == 12.1
