from supervisors.processor import Allowance, Consumption


def looked(*looks, share=0.3, window_s=60.0):
    """What each look at (seconds, seconds computed by name) says."""
    consumption = Consumption(Allowance(share, window_s))
    return [round(consumption.excess(now_s, used_s), 3) for now_s, used_s in looks]


def test_nothing_is_said_before_a_window_is_over():
    assert looked((0, {"a": 0.0}), (30, {"a": 30.0}), (59, {"a": 59.0})) == [0, 0, 0]


def test_what_is_above_the_share_on_average_is_said():
    assert looked((0, {"a": 0.0}), (60, {"a": 24.0})) == [0, 0.4]
    assert looked((0, {"a": 0.0}), (60, {"a": 18.0})) == [0, 0]


def test_a_burst_that_is_over_is_forgotten_with_its_window():
    assert looked((0, {"a": 0.0}), (60, {"a": 30.0}), (120, {"a": 31.0})) == [0, 0.5, 0]


def test_everybody_counts_also_those_who_started_anew():
    said = looked((0, {("a", 1): 5.0, "b": 0.0}), (30, {("a", 2): 10.0, "b": 5.0}), (60, {("a", 2): 15.0, "b": 10.0}))

    assert said == [0, 0, 0.417]


def test_looks_are_due_a_dozen_times_a_window():
    consumption = Consumption(Allowance(0.3, 60.0))
    assert consumption.due(0.0)
    consumption.excess(0.0, {})

    assert [consumption.due(now_s) for now_s in (1.0, 4.9, 5.0)] == [False, False, True]
