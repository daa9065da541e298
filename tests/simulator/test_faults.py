import pytest

from simulator.faults import FaultBook, FaultError
from tests.simulator.serving import Time


def test_a_counted_fault_strikes_so_often():
    faults = FaultBook(Time())
    faults.add("okx", "garbage", count=2)

    assert [faults.take("okx", "garbage") for _ in range(3)] == [True, True, False]
    assert not faults.take("bybit", "garbage")
    assert faults.struck == {"garbage": 2}


def test_a_timed_fault_strikes_until_its_time_is_over():
    time = Time()
    faults = FaultBook(time)
    faults.add("okx", "stall", seconds=5)

    assert faults.take("okx", "stall")
    time.now_s += 5
    assert not faults.take("okx", "stall")
    assert faults.as_json() == []


def test_without_a_limit_a_fault_strikes_once():
    faults = FaultBook(Time())
    faults.add("okx", "http_500")

    assert [faults.take("okx", "http_500") for _ in range(2)] == [True, False]


def test_the_faults_of_one_venue_or_of_all_can_be_cleared():
    faults = FaultBook(Time())
    for venue in ("okx", "bybit"):
        faults.add(venue, "slow", seconds=60)

    faults.clear("okx")
    assert [fault["venue"] for fault in faults.as_json()] == ["bybit"]
    faults.clear()
    assert faults.as_json() == []


@pytest.mark.parametrize(
    ("kind", "lost", "kept"),
    [
        ("mute_trades", "publicTrade.BTCUSDT", "allLiquidation.BTCUSDT"),
        ("mute_liquidations", "!forceOrder@arr", "btcusdt@aggTrade"),
    ],
)
def test_a_mute_loses_what_it_names_and_nothing_else(kind, lost, kept):
    faults = FaultBook(Time())
    faults.add("bybit", kind, seconds=5)

    assert faults.mutes("bybit", lost)
    assert not faults.mutes("bybit", kept)
    assert not faults.mutes("okx", lost)


@pytest.mark.parametrize("wrong", [{"kind": "meteor"}, {"kind": "slow", "count": 0}, {"kind": "slow", "seconds": -1}])
def test_a_fault_that_cannot_be_made_is_refused(wrong):
    with pytest.raises(FaultError, match="expected"):
        FaultBook(Time()).add("okx", **wrong)
