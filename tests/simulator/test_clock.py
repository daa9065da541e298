import pytest

from simulator.clock import ClockMap


def test_market_time_advances_at_the_rate_of_its_breakpoint():
    clock = ClockMap([(10.0, 1000, 0.0), (20.0, 1000, 10.0), (21.0, 60_000, 5.0)])

    assert [clock.market_ms(at) for at in (10.0, 19.9, 20.5, 21.0, 22.0)] == [1000, 1000, 6000, 60_000, 65_000]


def test_before_the_first_breakpoint_it_stands_still():
    assert ClockMap([(10.0, 1000, 2.0)]).market_ms(5.0) == 1000


def test_a_breakpoint_before_the_last_is_refused():
    clock = ClockMap([(10.0, 1000, 2.0)])

    with pytest.raises(ValueError, match="before the last"):
        clock.add((9.0, 0, 1.0))
