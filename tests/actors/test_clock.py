import threading

import pytest

from actors import clock as clocks
from actors.clock import Breakpoint, Clock, ManualClock


class Machine:
    """The machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.machine_s, self.wall_s = 100.0, 1_700_000_000.0

    def monotonic(self) -> float:
        return self.machine_s

    def time(self) -> float:
        return self.wall_s

    def move(self, seconds: float) -> None:
        self.machine_s += seconds
        self.wall_s += seconds


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(clocks, "time", machine)
    return machine


def fire_over(clock, machine, seconds, step_s=1.0):
    for _ in range(round(seconds / step_s)):
        machine.move(step_s)
        clock._fire_due()


def test_an_alarm_fires_once_at_its_time():
    clock, fired = ManualClock(), []
    clock.arm(5, lambda: fired.append(clock.monotonic()))

    clock.advance(100)

    assert fired == [1005.0]


def test_alarms_fire_in_the_order_of_their_times():
    clock, fired = ManualClock(), []
    for delay_s in (3, 1, 2):
        clock.arm(delay_s, lambda delay_s=delay_s: fired.append(delay_s))

    clock.advance(10)

    assert fired == [1, 2, 3]


def test_a_period_does_not_drift():
    clock, fired = ManualClock(), []
    clock.arm(1, lambda: fired.append(clock.monotonic()), period_s=10)

    clock.advance(25)

    assert fired == [1001.0, 1011.0, 1021.0]


def test_periods_that_were_missed_come_as_one(machine):
    clock, fired = Clock(), []
    clock.arm(10, lambda: fired.append(machine.machine_s), period_s=10)

    machine.move(35)
    clock._fire_due()
    fire_over(clock, machine, 10)

    assert fired == [135.0, 140.0]


def test_a_cancelled_alarm_never_fires():
    clock, fired = ManualClock(), []
    clock.arm(5, lambda: fired.append("cancelled")).cancel()

    clock.advance(10)

    assert fired == []


def test_cancelled_alarms_do_not_pile_up():
    clock = ManualClock()
    kept = clock.arm(1_000_000, list)
    for _ in range(10_000):
        clock.arm(1_000_000, list).cancel()

    assert len(clock._heap) <= 2 * clocks.TIDY_ALARMS
    assert kept in [alarm for _, _, alarm in clock._heap]


def test_an_alarm_that_raises_does_not_silence_the_others():
    clock, fired = ManualClock(), []
    clock.arm(1, lambda: 1 / 0)
    clock.arm(2, lambda: fired.append("other"))

    clock.advance(5)

    assert fired == ["other"]


def test_market_time_is_the_wall_clock_until_there_is_a_map(machine):
    assert Clock().now_ms() == 1_700_000_000_000


def test_market_time_follows_the_map(machine):
    clock = Clock()
    clock.follow([Breakpoint(100, 1_000_000, 10), Breakpoint(110, 5_000_000, 0), Breakpoint(120, 6_000_000, 1)])
    seen = []
    for machine_s in (90, 100, 105, 115, 121):
        machine.machine_s = machine_s
        seen.append(clock.now_ms())

    assert seen == [1_000_000, 1_000_000, 1_050_000, 5_000_000, 6_001_000]


def test_an_alarm_in_market_time_keeps_to_the_rate(machine):
    clock, fired = Clock(), []
    clock.follow([Breakpoint(100, 0, 10)])
    clock.arm(20, lambda: fired.append(machine.machine_s), period_s=20, market=True)

    fire_over(clock, machine, 5)

    assert fired == [102.0, 104.0]


def test_an_alarm_waits_while_market_time_stands_still(machine):
    clock, fired = Clock(), []
    clock.follow([Breakpoint(100, 0, 0)])
    clock.arm(20, lambda: fired.append(machine.machine_s), market=True)

    fire_over(clock, machine, 50)
    assert fired == []

    clock.follow([Breakpoint(100, 0, 0), Breakpoint(160, 0, 1)])
    fire_over(clock, machine, 50)
    assert fired == [180.0]


def test_a_jump_of_market_time_over_an_alarm_fires_it_at_the_jump(machine):
    clock, fired = Clock(), []
    clock.arm(7, lambda: fired.append("by the machine"))
    clock.follow([Breakpoint(100, 0, 1), Breakpoint(103, 60_000, 1)])
    clock.arm(30, lambda: fired.append(machine.machine_s), market=True)

    fire_over(clock, machine, 5)

    assert fired == [103.0]


def test_armed_alarms_are_timed_anew_when_the_map_changes(machine):
    clock, fired = Clock(), []
    clock.follow([Breakpoint(100, 0, 1)])
    clock.arm(60, lambda: fired.append(machine.machine_s), market=True)

    clock.follow([Breakpoint(100, 0, 20)])
    fire_over(clock, machine, 5)

    assert fired == [103.0]


def test_setting_the_wall_clock_forward_delays_no_alarm(machine):
    clock, fired = Clock(), []
    clock.arm(10, lambda: fired.append(machine.machine_s), period_s=10, market=True)
    machine.wall_s += 3600
    clock.arm(5, lambda: fired.append(machine.machine_s), market=True)

    fire_over(clock, machine, 21)

    assert fired == [105.0, 110.0, 120.0]


def test_setting_the_wall_clock_back_neither_stops_a_period_nor_makes_it_burst(machine):
    clock, fired = Clock(), []
    clock.arm(10, lambda: fired.append(machine.machine_s), period_s=10, market=True)
    machine.wall_s -= 3600

    fire_over(clock, machine, 31)

    assert fired == [110.0, 120.0, 130.0]


def test_the_live_clock_fires_on_its_own_thread_and_ends():
    clock, fired, thread = Clock(), threading.Event(), []
    clock.start()
    clock.arm(0.001, lambda: (thread.append(threading.current_thread().name), fired.set()))

    assert fired.wait(5)
    clock.stop()

    assert thread == ["clock"]
    assert not clock._thread.is_alive()


def test_a_manual_clock_lets_everything_settle_before_time_goes_on():
    seen = []
    clock = ManualClock(market_ms=0, settle=lambda: seen.append(clock.now_ms()))
    clock.arm(1.0, lambda: None, period_s=1.0, market=True)

    clock.advance_to(2_500)

    assert seen == [1_000, 2_000]


def test_a_manual_clock_tells_the_very_millisecond_it_was_brought_to():
    clock = ManualClock(market_ms=1_781_395_203_598)
    for at_ms in range(1_781_395_203_599, 1_781_395_210_000, 7):
        clock.advance_to(at_ms)
        assert clock.now_ms() == at_ms


def test_a_manual_clock_does_not_go_back():
    clock = ManualClock(market_ms=5_000)

    clock.advance_to(4_000)

    assert clock.now_ms() == 5_000
