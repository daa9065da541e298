import pytest

from actors.telegram.access import Right, StrangersLimit, right_of

ME, GROUP = 11, -22
AUTHORIZED = frozenset({ME, GROUP})


@pytest.mark.parametrize(
    ("chat_id", "user_id", "right"),
    [
        (ME, ME, Right.CHANGE),
        (GROUP, ME, Right.CHANGE),
        (-33, ME, Right.CHANGE),
        (GROUP, 99, Right.ASK),
        (GROUP, None, Right.ASK),
        (99, 99, Right.NONE),
        (-33, 99, Right.NONE),
        (-33, None, Right.NONE),
        (99, GROUP, Right.NONE),
    ],
)
def test_right_follows_from_user_and_chat(chat_id, user_id, right):
    assert right_of(AUTHORIZED, chat_id, user_id) is right


def test_without_authorised_ids_nobody_may_anything():
    assert right_of(frozenset(), ME, ME) is Right.NONE


def test_stranger_is_answered_a_few_times_a_minute():
    limit = StrangersLimit()

    assert [limit.allows(1, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert limit.allows(2, 0.0)
    assert limit.allows(1, 61.0)


def test_strangers_together_are_answered_only_so_often():
    limit = StrangersLimit()

    assert sum(limit.allows(chat, 0.0) for chat in range(100)) == 30
