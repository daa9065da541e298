import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from intelligence.alerts import Stage
from intelligence.journal import journal
from tests.intelligence.builders import T0, an_alert


def test_the_journal_holds_raised_alerts_alone():
    alerts = [an_alert(stage=stage, alert_id=stage) for stage in Stage]

    assert [json.loads(line)["alert_id"] for line in journal(alerts).splitlines()] == ["raised"]


def test_a_line_is_the_whole_record_without_the_time_of_our_detection():
    record = json.loads(journal([an_alert()]))

    assert "detected_ms" not in record
    assert (record["kind"], record["asset"], record["value"]) == ("liquidation", "BTC", 1_250_000.0)
    assert list(record) == sorted(record)


@given(st.permutations(range(6)), st.integers(0, 10_000))
def test_runs_that_raised_the_same_have_the_same_journal_whenever_and_in_whatever_order(order, delay_ms):
    alerts = [an_alert(alert_id=f"id{index}", exchange_ms=T0 + index // 2) for index in range(6)]
    other_run = [replace(alerts[index], detected_ms=alerts[index].detected_ms + delay_ms) for index in order]

    assert journal(other_run) == journal(alerts)


def test_nothing_raised_is_an_empty_journal():
    assert journal([]) == b""
