"""Quarters of an hour in bounded memory, against a plain dictionary of all that were ever told."""

from math import nan
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intelligence.quarter_hours import DAY, QUARTER_MS, QuarterHours

START = 1_800_000  # the number of a quarter of 2021
told = st.dictionaries(st.integers(0, 40 * DAY), st.floats(0.0, 1e9), max_size=60)


def a_memory(figures, days=7):
    memory = QuarterHours((days,))
    for quarter, figure in sorted(figures.items()):
        memory.add((START + quarter + 1) * QUARTER_MS, (figure,))
    return memory


@given(told, st.integers(0, 41 * DAY))
def test_the_recent_figure_is_the_median_of_the_seven_days_before(figures, before):
    newest = max(figures, default=0)
    kept = [
        figure
        for quarter, figure in figures.items()
        if before - 7 * DAY <= quarter < before and quarter > newest - 7 * DAY
    ]

    found = a_memory(figures).recent(0, (START + before) * QUARTER_MS)

    assert (found.value, found.samples) == (pytest.approx(median(kept)), len(kept)) if kept else found is None


@given(told, st.integers(0, 41 * DAY))
def test_a_time_of_day_is_compared_with_its_own_half_hours(figures, at):
    newest = max(figures, default=0)
    near = [
        figure
        for quarter, figure in figures.items()
        if quarter < at - 1
        and newest - 28 * DAY < quarter
        and quarter >= at - 1 - 28 * DAY - 2
        and min((quarter - at + 1) % DAY, (at - 1 - quarter) % DAY) <= 2
    ]

    found = a_memory(figures, days=28).at_time_of_day(0, (START + at) * QUARTER_MS, (START + at - 1) * QUARTER_MS)

    assert (found.value, found.samples) == (pytest.approx(median(near)), len(near)) if near else found is None


@given(told)
def test_what_is_kept_is_restored_whole(figures):
    memory = a_memory(figures)
    before_ms = (START + 40 * DAY + 1) * QUARTER_MS

    assert QuarterHours((7,), memory.state).recent(0, before_ms) == memory.recent(0, before_ms)
    assert QuarterHours((7,), memory.state).state == memory.state or figures == {}


def test_a_checkpoint_of_another_shape_is_not_used():
    memory = a_memory({0: 1.0})

    assert QuarterHours((7, 28), memory.state).recent(0, (START + 5) * QUARTER_MS) is None


def test_a_missing_figure_is_not_zero():
    memory = a_memory({0: 4.0, 1: nan, 2: 6.0})

    found = memory.recent(0, (START + 3) * QUARTER_MS)

    assert (found.value, found.samples) == (5.0, 2)


def test_a_quarter_that_is_told_again_changes_nothing():
    memory = a_memory({0: 4.0, 1: 6.0})
    memory.add((START + 1) * QUARTER_MS, (100.0,))

    assert memory.recent(0, (START + 2) * QUARTER_MS).value == 5.0


def test_what_comes_from_elsewhere_fills_only_what_nobody_watched():
    memory = QuarterHours((7, 7))
    for quarter, figures in ((0, (1.0, nan)), (3, (2.0, 2.0))):
        memory.add((START + quarter + 1) * QUARTER_MS, figures)
    for quarter in range(5):
        memory.fill((START + quarter + 1) * QUARTER_MS, (9.0, 9.0))

    found = QuarterHours((7, 7))
    for quarter, figures in enumerate(((1.0, 9.0), (9.0, 9.0), (9.0, 9.0), (2.0, 2.0), (9.0, 9.0))):
        found.add((START + quarter + 1) * QUARTER_MS, figures)
    assert memory.state == found.state


def test_what_is_too_old_to_be_kept_is_not_filled_in():
    memory = a_memory({8 * DAY: 1.0})
    memory.fill((START + 1) * QUARTER_MS, (9.0,))

    assert memory.state == a_memory({8 * DAY: 1.0}).state
