"""What a symbol stream retains of its thresholds, for a successor and for another process."""

from collections import deque
from dataclasses import replace

import msgspec

from actors.messages.features import ThresholdsSet
from actors.messages.market import LiquidationsSeen
from actors.stream_memory import Complete, KeptDetection, forget_before, kept_detection, retained_of
from intelligence.thresholds.static import StaticThresholds
from tests.intelligence.builders import T0, VENUES, a_liquidation


def thresholds(at_ms):
    return ThresholdsSet(thresholds=replace(StaticThresholds().of("SOL"), computed_ms=T0 + at_ms))


def liquidations(at_ms):
    return LiquidationsSeen(
        asset="SOL", events=(a_liquidation(at_ms),), able=VENUES, configured=VENUES, after_reconnect=False
    )


def written_and_read(retained):
    state = msgspec.msgpack.encode(kept_detection(retained, None, is_open=False))
    return list(retained_of(msgspec.msgpack.decode(state, type=KeptDetection), old=False))


def test_thresholds_stay_in_force_when_the_letter_that_brought_them_is_forgotten():
    retained = deque([Complete(0), thresholds(0), thresholds(1_000), liquidations(2_000), liquidations(90_000)])
    forget_before(T0 + 60_000, retained)

    assert retained[0] == Complete(T0 + 60_000, thresholds(1_000).thresholds)
    assert list(retained)[1:] == [liquidations(90_000)]


def test_another_process_finds_the_thresholds_between_the_liquidations_they_parted():
    retained = [Complete(T0, thresholds(0).thresholds), liquidations(1), thresholds(2), liquidations(3)]

    assert written_and_read(retained) == retained


def test_without_any_liquidation_the_thresholds_are_kept_too():
    retained = [Complete(T0), thresholds(0), thresholds(1_000)]

    assert written_and_read(retained) == retained
