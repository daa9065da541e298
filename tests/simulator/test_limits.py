from simulator.limits import SlidingLimit


def test_units_come_back_when_their_window_has_passed():
    limit = SlidingLimit(2, 1.0)

    assert [limit.allow(at) for at in (0.0, 0.5, 0.9, 1.0, 1.1, 1.5)] == [True, True, False, True, False, True]
