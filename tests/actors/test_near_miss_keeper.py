import pytest

from actors import paths
from actors.clock import ManualClock
from actors.messages.alerts import NearMissesSeen
from actors.near_miss_book import NearMissBook
from actors.near_miss_keeper import NearMissKeeper
from intelligence.alerts import AlertKind
from intelligence.near_misses import NearMiss
from tests.intelligence.builders import T0
from tests.telegram_stand.stage import Stage as Theatre

DAY_MS = 86_400_000


def a_near_miss(at_ms=T0, asset="SOL"):
    return NearMiss(
        asset=asset,
        kind=AlertKind.LIQUIDATION,
        from_ms=at_ms,
        value=9.0,
        threshold=10.0,
        source="static",
        missing=("threshold 9 of 10",),
    )


@pytest.fixture
def theatre():
    one = Theatre(ManualClock(market_ms=T0))
    yield one
    one.close()


def run(theatre, file, *found, seconds=10.0):
    theatre.start(paths.NEAR_MISSES, NearMissKeeper, file=file, busy_s=1.0, keep_days=7.0)
    theatre.tell(paths.NEAR_MISSES, NearMissesSeen(found=found))
    theatre.quiet(paths.NEAR_MISSES)
    theatre.clock.advance(seconds)
    theatre.quiet(paths.NEAR_MISSES)


def kept(file, asset="SOL"):
    book = NearMissBook(file, 1.0)
    try:
        return book.between(asset, 0, T0 + DAY_MS)
    finally:
        book.close()


def test_what_came_near_is_found_by_asset_and_time(theatre, tmp_path):
    run(theatre, tmp_path / "near.db", a_near_miss(), a_near_miss(asset="BTC"))

    assert kept(tmp_path / "near.db") == [a_near_miss()]


def test_after_a_week_it_is_forgotten(theatre, tmp_path):
    run(theatre, tmp_path / "near.db", a_near_miss(T0 - 8 * DAY_MS), a_near_miss(), seconds=3_700.0)

    assert kept(tmp_path / "near.db") == [a_near_miss()]


def test_a_file_that_cannot_be_written_costs_nothing_but_explanations(theatre, tmp_path):
    (tmp_path / "folder").mkdir()
    run(theatre, tmp_path / "folder", a_near_miss())

    assert theatre.exits == []
