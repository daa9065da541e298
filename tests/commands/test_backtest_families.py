"""The section of a family in the report: A2 over the push rate, delivery on and off, and what cannot be measured."""

import numpy as np
import pytest

from commands.backtesting.families.section import Evidence, family_section
from commands.backtesting.text import cell_text
from intelligence.alerts import AlertKind, Stage
from intelligence.evaluation.family import Recording
from intelligence.evaluation.recomputed import of_volume
from tests.intelligence.evaluation.builders import DAY, told_at, walk

SETTINGS = ("lift 2.0", "lift 3.0")
FIRST = 6 * DAY


def a_section(every):
    """Two assets that move alike at all times, with alerts in no relation to it."""
    recordings, told = {}, {name: {} for name in SETTINGS}
    for seed, asset in enumerate(("BTC", "ETH")):
        bars = walk(days=30, seed=seed + 1)
        recordings[asset] = Recording.of(bars, 15, FIRST)
        draw = np.random.default_rng(seed)
        minutes = [minute for minute in range(FIRST, 30 * DAY - 60, every) if draw.random() < 0.9]
        told["lift 2.0"][asset] = [
            stage for minute in minutes for stage in an_incident(bars, minute, float(draw.lognormal()))
        ]
        told["lift 3.0"][asset] = [one for one in told["lift 2.0"][asset] if one.strength > 1.5]
    recompute = {asset: of_volume(one.bars, np.ones(len(one.bars), dtype=bool)) for asset, one in recordings.items()}
    evidence = Evidence(recordings=recordings, events={"BTC": (), "ETH": ()}, recompute=recompute)
    return family_section("Volume", AlertKind.VOLUME_SPIKE, told, evidence)


def an_incident(bars, minute, strength):
    """Raised, and ended ten minutes later."""
    usd = float(bars.usd[minute - 4 : minute + 1].sum())
    common = {"value": usd, "threshold": usd / 2, "strength": strength, "alert_id": f"{bars.usd[0]}-{minute}"}
    return told_at(minute, **common), told_at(minute + 10, stage=Stage.ENDED, **common)


@pytest.fixture(scope="module")
def section():
    return a_section(every=350)


def rows(section, title):
    table = next(one for one in section.tables if one.title.startswith(title))
    return [dict(zip(table.columns, map(cell_text, row), strict=True)) for row in table.rows]


def test_alerts_at_random_score_the_base_rate_at_every_push_rate(section):
    for row in rows(section, "A2 at equal numbers"):
        assert float(row["A2, pooled"].split()[0]) == pytest.approx(float(row["base"]), abs=0.12)
    assert section.text[0].startswith("Better than as many price alarms, with an interval that excludes 0: no setting.")


def test_delivery_is_shown_on_and_off_with_recall_and_pushes(section):
    found = rows(section, "Selective delivery")

    assert {row["delivery"] for row in found} >= {"off: everything", "off", "on", "as the daemon does it"}
    assert found[0]["recall of consequential alerts"] == "1.00"
    assert all(float(row["pushes an asset and day"]) <= float(found[0]["pushes an asset and day"]) for row in found)


def test_how_long_an_incident_is_open_is_told(section):
    ours, *others = rows(section, "Reference events")

    assert ours["open, median min"] == "10.0"
    assert {one["open, median min"] for one in others} == {""}


def test_every_alert_is_recomputed(section):
    assert [row["not true because of"] for row in rows(section, "A1")] == ["-", "-"]


def test_curves_are_drawn_with_delivery_on_and_off(section):
    assert [plot.title for plot in section.plots] == ["Volume", "Selective delivery"]
    assert {line.name for line in section.plots[1].lines} == {"on", "off"}


def test_a_family_with_few_alerts_is_called_not_measurable():
    few = a_section(every=6 * DAY)

    assert {row["A2, pooled"] for row in rows(few, "A2 at equal numbers")} == {"not measurable"}
    assert {row["A1"] for row in rows(few, "A1")} == {"not measurable"}
    assert few.plots == ()
    assert rows(few, "Selective delivery")[0]["A2"] == "not measurable"
