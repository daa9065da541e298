"""A process that is killed leaves enough behind for the next one to be warm at once."""

import signal
import sqlite3
from contextlib import closing

import pytest

from commands.simulated import Simulated
from tests.process.daemons import daemon
from tests.telegram_stand.stage import wait_for

pytestmark = pytest.mark.slow

VENUES = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")
A_DAY_OF_BARS = 1440 * 5 * 8  # bytes


def live_settings(simulated) -> dict[str, str]:
    """The live daemon before the simulator's addresses: their clocks agree, for both follow the machine's."""
    chosen = {
        "TELEGRAM_BOT_TOKEN": "",
        "FORESHOCK_ASSETS": "BTC",
        "FORESHOCK_CHECKPOINTS__EVERY_S": "1",
        "FORESHOCK_CHECKPOINTS__HISTORY_EVERY_S": "1",
        "FORESHOCK_BACKFILL__SETTLE_S": "1",
    }
    for venue in VENUES:
        prefix = f"FORESHOCK_VENUES__{venue.upper()}__"
        urls = simulated.venues.get(venue)
        chosen[f"{prefix}ENABLED"] = "true" if venue in ("binance", "okx") else "false"
        if urls is not None:
            chosen |= {f"{prefix}WS_URL": urls["ws_url"], f"{prefix}REST_URL": urls["rest_url"]}
    return chosen


def calls_until_ready(running) -> dict[str, int]:
    """By venue, how often it was asked before BTC was ready."""
    found: dict[str, int] = {}
    while len(found) < 2:
        line = running.wait_for("asset_ready")
        if line["asset"] == "BTC":
            found[line["venue"]] = line["calls"]
    return found


def has_a_day_of_history(data_dir) -> bool:
    with closing(sqlite3.connect(data_dir / "state.db")) as connection:
        rows = connection.execute(
            "SELECT length(state) FROM checkpoints WHERE owner = '/core/symbols/btc' AND part = 'history'"
        ).fetchall()
    return any(size > A_DAY_OF_BARS for (size,) in rows)


def test_what_a_killed_process_knew_of_the_past_is_not_asked_for_again(tmp_path) -> None:
    with Simulated(speed=1, seed=7, tapes=()) as simulated:
        settings = live_settings(simulated)
        with daemon(data_dir=tmp_path, **settings) as first:
            cold = calls_until_ready(first)
            wait_for(lambda: has_a_day_of_history(tmp_path), "a checkpoint of the past", 30.0)
            first.signal(signal.SIGKILL)
            first.end()

        with daemon(data_dir=tmp_path, **settings) as second:
            warm = calls_until_ready(second)
            refused = second.events("checkpoint_refused")

    assert cold["binance"] >= 4  # three for a day of minutes, one for the open interest of each contract
    assert warm["binance"] < cold["binance"]
    assert warm["okx"] < cold["okx"]
    assert refused == []
