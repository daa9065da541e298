from simulator.cap import LargestPerWindow
from tests.simulator.serving import START_MS, a_liquidation


def test_only_the_largest_of_a_contract_and_second_passes():
    cap = LargestPerWindow(1000)
    for offset, usd in ((0, 1_000.0), (400, 9_000.0), (900, 5_000.0)):
        cap.add(a_liquidation(time_ms=START_MS + offset, notional_usd=usd))

    assert cap.due(START_MS + 900) == []
    assert [row.notional_usd for row in cap.due(START_MS + 1000)] == [9_000.0]
    assert cap.due(START_MS + 2000) == []


def test_contracts_and_seconds_are_capped_apart():
    cap = LargestPerWindow(1000)
    cap.add(a_liquidation(time_ms=START_MS))
    cap.add(a_liquidation(time_ms=START_MS, symbol="ETHUSDT"))
    cap.add(a_liquidation(time_ms=START_MS + 1000))

    assert len(cap.due(START_MS + 1000)) == 2
    assert len(cap.due(START_MS + 2000)) == 1
