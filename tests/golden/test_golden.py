import pytest

from tests.golden.make import GOLDEN, RECORDED, VENUES, golden_files

FILES = [f"{venue}.{part}.txt" for venue in VENUES for part in ("fixtures", "streams")]
TOTALS = ["binance.totals.txt", "hyperliquid.totals.txt"]


@pytest.fixture(scope="module")
def made_now():
    if not RECORDED.is_dir():
        pytest.skip(f"recorded data is not here: {RECORDED}")
    return {path.name: lines for path, lines in golden_files()}


@pytest.mark.parametrize("name", [*FILES, *TOTALS])
def test_every_recorded_frame_is_still_read_as_it_was_reviewed(made_now, name):
    assert made_now[name] == (GOLDEN / name).read_text().splitlines()


def test_there_is_a_golden_file_for_all_that_is_recorded(made_now):
    assert sorted(made_now) == sorted(path.name for path in GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("name", [*FILES, *TOTALS])
def test_no_recorded_frame_is_an_error(name):
    assert "FrameError" not in (GOLDEN / name).read_text()
