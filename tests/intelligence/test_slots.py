import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.slots import SlotRing

STEP = 60_000


def a_ring(size=5):
    return SlotRing(STEP, size, columns=1)


def rows_of(ring):
    return [(at_ms // STEP, row[0]) for at_ms, row in ring.rows(0, 1_000 * STEP)]


def test_a_row_of_the_same_step_replaces_the_one_before():
    ring = a_ring()
    ring.put(60_000, (1.0,))
    ring.put(119_999, (2.0,))

    assert rows_of(ring) == [(1, 2.0)]


def test_a_row_that_must_not_replace_leaves_the_first():
    ring = a_ring()
    ring.put(60_000, (1.0,))

    assert not ring.put(90_000, (2.0,), replace=False)
    assert rows_of(ring) == [(1, 1.0)]


def test_the_oldest_rows_make_room():
    ring = a_ring(size=3)
    for slot in range(1, 6):
        ring.put(slot * STEP, (float(slot),))

    assert rows_of(ring) == [(3, 3.0), (4, 4.0), (5, 5.0)]
    assert not ring.put(2 * STEP, (2.0,))


def test_rows_are_those_that_begin_within_the_span():
    ring = a_ring()
    for slot in range(1, 5):
        ring.put(slot * STEP, (float(slot),))

    assert [row for _, row in ring.rows(2 * STEP, 4 * STEP)] == [(2.0,), (3.0,)]


def test_the_first_gap_is_told():
    ring = a_ring()
    for slot in (1, 2, 4):
        ring.put(slot * STEP, (0.0,))

    assert ring.missing_from(STEP, 5 * STEP) == 3 * STEP
    assert ring.missing_from(STEP, 3 * STEP) is None


def test_what_is_known_to_be_empty_is_no_gap_and_no_row():
    ring = a_ring()
    ring.put(STEP, (1.0,))
    ring.know_empty(0, 3 * STEP)

    assert ring.missing_from(0, 3 * STEP) is None
    assert rows_of(ring) == [(1, 1.0)]


def test_a_row_may_come_after_all_where_there_was_none():
    ring = a_ring()
    ring.know_empty(0, 3 * STEP)

    assert ring.put(2 * STEP, (2.0,), replace=False)
    assert rows_of(ring) == [(2, 2.0)]


def test_kept_rows_join_those_that_came_meanwhile():
    before, after = a_ring(), a_ring()
    before.put(STEP, (1.0,))
    before.put(2 * STEP, (2.0,))
    after.put(2 * STEP, (20.0,))
    after.put(3 * STEP, (30.0,))

    after.restore(before.kept())

    assert rows_of(after) == [(1, 1.0), (2, 20.0), (3, 30.0)]


def test_kept_rows_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="expected 2 columns of 5"):
        SlotRing(STEP, 5, columns=2).restore(a_ring().kept())


def test_kept_rows_out_of_their_place_are_refused():
    ring = a_ring()
    ring.put(STEP, (1.0,))
    kept = ring.kept()
    turned = msgspec.structs.replace(kept, slots=kept.slots[8:] + kept.slots[:8])

    with pytest.raises(ValueError, match="every slot in its place"):
        a_ring().restore(turned)


def test_what_was_kept_and_is_too_old_by_now_does_not_come_back():
    before, after = a_ring(size=3), a_ring(size=3)
    before.put(STEP, (1.0,))
    before.put(2 * STEP, (2.0,))
    after.put(4 * STEP, (4.0,))

    after.restore(before.kept())

    assert rows_of(after) == [(2, 2.0), (4, 4.0)]


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 10)), max_size=60))
def test_whatever_the_order_it_holds_the_newest_steps(rows):
    ring = a_ring(size=7)
    for slot, value in rows:
        ring.put(slot * STEP, (value,))

    newest = max((slot for slot, _ in rows), default=0)
    held = [slot for slot, _ in rows_of(ring)]
    assert held == sorted(set(held))
    assert all(newest - 7 < slot <= newest for slot in held)
    assert len(ring) == len(held)
