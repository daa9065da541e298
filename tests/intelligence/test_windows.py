from hypothesis import given
from hypothesis import strategies as st

from intelligence.windows import EventWindow, micro_usd

EVENTS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9)), min_size=1, max_size=40)


def a_window(events, span_ms=1_000):
    window = EventWindow(span_ms)
    for at_ms, amount in events:
        window.add(at_ms, amount, "bybit")
    return window


@given(EVENTS, st.integers(0, 250), st.integers(1, 100))
def test_sum_and_count_are_those_of_the_events_inside_whatever_the_order_of_arrival(events, at_ms, width_ms):
    window = a_window(events)

    inside = [amount for time_ms, amount in events if at_ms - width_ms < time_ms <= at_ms]

    assert window.total(at_ms, width_ms) == sum(inside)
    assert window.count(at_ms, width_ms) == len(inside)


@given(EVENTS, st.integers(1, 60))
def test_window_remembers_everything_in_its_span(events, span_ms):
    events = sorted(events)
    window = a_window(events * 30, span_ms)
    for at_ms, amount in events:  # in order again after the newest: forgetting must not lose the span
        window.add(at_ms + 300, amount, "bybit")

    newest_ms = events[-1][0] + 300

    inside = [amount for time_ms, amount in events if newest_ms - span_ms < time_ms + 300]
    assert window.total(newest_ms, span_ms) == sum(inside)


def test_window_forgets_what_is_older_than_its_span():
    window = a_window([(at_ms, 1) for at_ms in range(10_000)], span_ms=100)

    assert len(window) < 500


def test_window_excludes_its_left_edge_and_includes_its_right_edge():
    window = a_window([(0, 1), (60, 2)])

    assert window.total(60, 60) == 2
    assert window.total(59, 60) == 1


@given(EVENTS, st.integers(1, 60), st.integers(1, 40))
def test_falling_below_is_the_first_moment_at_which_the_sum_is_below_the_level(events, width_ms, level):
    window = a_window(events)
    newest_ms = max(at_ms for at_ms, _ in events)

    moment_ms = window.falls_below(newest_ms, width_ms, level)

    below = [at_ms for at_ms in range(newest_ms, newest_ms + 100) if window.total(at_ms, width_ms) < level]
    assert moment_ms == (None if below[0] == newest_ms else below[0])


def test_events_are_told_in_event_order_with_their_labels():
    window = EventWindow(1_000)
    window.add(20, 2, "bybit")
    window.add(10, 1, "binance")

    assert list(window.events(9)) == [(10, 1, "binance"), (20, 2, "bybit")]
    assert list(window.events(10)) == [(20, 2, "bybit")]


def test_a_late_event_makes_the_times_from_its_own_on_worth_judging():
    window = a_window([(10, 1), (20, 1), (30, 1), (20, 1)])

    assert list(window.times_from(20)) == [20, 20, 30]


def test_dollars_are_kept_to_the_millionth():
    assert micro_usd(0.1) + micro_usd(0.2) == micro_usd(0.3)
