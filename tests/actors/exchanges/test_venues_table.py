"""docs/venues.md says of each venue what the code does."""

import json
from pathlib import Path

import pytest

from actors.exchanges import verdicts
from actors.exchanges.bitget_frames import BASE, QUOTE, UNIT
from actors.exchanges.bybit_frames import BOTH, ONE, SIDES
from actors.exchanges.exchange import Feed, Instrument
from actors.exchanges.gate_frames import OF_ORDER, OF_POSITION, SIGN
from actors.exchanges.hyperliquid_frames import CONFIRMED, MARKS
from actors.exchanges.okx_frames import CAP, LIFTED
from actors.exchanges.registry import EXCHANGES, MARKET_DATA
from intelligence.market import Coverage, Liquidation, OpenInterest
from tests.actors.exchanges.frames import INSTRUMENTS, RECEIVED_MS, VALID, encoded

PAGE = (Path(__file__).parents[3] / "docs" / "venues.md").read_text()
DAY_MS = 86_400_000
T0_MS = 1_790_000_040_000
NAMES = {
    "binance": "{}USDT",
    "bybit": "{}USDT",
    "okx": "{}-USDT-SWAP",
    "gate": "{}_USDT",
    "bitget": "{}USDT",
    "hyperliquid": "{}",
    "deribit": "{}_USDC-PERPETUAL",
}


def table(heading):
    lines = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def hundred(venue):
    names = {f"COIN{n:02}": NAMES[venue].format(f"COIN{n:02}") for n in range(100)}
    return {name: Instrument(venue=venue, instrument=name, asset=asset) for asset, name in names.items()}


def decoded(venue):
    """All that the valid frames come to, a decoder for each."""
    for frame in VALID[venue]:
        yield from EXCHANGES[venue].decoder(INSTRUMENTS[venue]).decode(encoded(frame), RECEIVED_MS)


def told(venue, feed):
    """The cell of the table of feeds."""
    instruments, data = hundred(venue), MARKET_DATA[venue]
    one = next(iter(instruments.values()))
    assets = frozenset(each.asset for each in instruments.values())
    words = ["WS"] * any(feed in plan.feeds for plan in EXCHANGES[venue].sockets(instruments.values(), assets, {feed}))
    records = list(decoded(venue))
    if feed is Feed.LIQUIDATIONS and words:
        found = [one for one in records if isinstance(one, Liquidation) and one.coverage is not Coverage.AGGREGATE]
        words += {one.coverage.value for one in found}
        words += {f"({one.uncertain})" for one in found if one.uncertain}
    asked = {
        Feed.LIQUIDATIONS: lambda: data.liquidations(instruments, T0_MS, T0_MS + 60_000),
        Feed.OPEN_INTEREST: lambda: data.open_interest(instruments),
        Feed.KLINES: lambda: data.klines(one, T0_MS, T0_MS + 60_000),
    }
    words += ["REST"] * bool(feed in asked and asked[feed]())
    if feed is Feed.OPEN_INTEREST:
        words += {f"({one.uncertain})" for one in records if isinstance(one, OpenInterest) and one.uncertain}
    return " ".join(words) or "-"


@pytest.mark.parametrize("venue", EXCHANGES)
def test_the_feeds_are_those_of_the_table(venue):
    row = table("Feeds")[venue]

    assert {feed.value.replace("_", " "): told(venue, feed) for feed in Feed} == row


@pytest.mark.parametrize("venue", EXCHANGES)
def test_the_calls_are_those_of_the_table(venue):
    instruments, data = hundred(venue), MARKET_DATA[venue]
    one = next(iter(instruments.values()))
    now = data.open_interest(instruments)
    bars = data.klines(one, T0_MS, T0_MS + 10 * DAY_MS)
    history = data.open_interest_history(one, T0_MS, T0_MS + 60 * DAY_MS)
    turnover = data.turnover(instruments)

    assert table("REST")[venue] == {
        "open interest": str(len(now)),
        "weight": str(turnover[0].call.weight),  # the third column of that name
        "history, 5 min": rows_a_call(history, 60 * DAY_MS / 300_000),
        "bars, 1 min": rows_a_call(bars, 10 * DAY_MS / 60_000),
        "turnover": str(len(turnover)),
        "tiers": str(len(data.margin_tiers(instruments)) or "-"),
        "liquidations": str(len(data.liquidations(instruments, T0_MS, T0_MS + 60_000)) or "-"),
    }
    weights = [now[0].call.weight, bars[0].call.weight, turnover[0].call.weight]
    assert weights_in_the_table(venue) == [str(weight) for weight in weights]


def rows_a_call(queries, rows):
    """How many rows each call asks for, found back from the number of calls."""
    if not queries:
        return "-"
    fitting = [each for each in range(1, 5001) if -(-int(rows) // each) <= len(queries) <= -(-int(rows) // each) + 1]
    asked = [value for query in queries[:1] for name, value in query.call.params if name == "limit"]
    return asked[0] if asked else str(next(each for each in (1200, 2000, 4000) if each in fitting))


def weights_in_the_table(venue):
    lines = PAGE.partition("## REST")[2].partition("\n## ")[0].splitlines()
    row = next(line for line in lines if line.startswith(f"| {venue} "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    return [cells[2], cells[5], cells[7]]


@pytest.mark.parametrize("venue", EXCHANGES)
def test_the_sockets_are_those_of_the_table(venue):
    instruments, keepalive = hundred(venue).values(), EXCHANGES[venue].keepalive
    plans = EXCHANGES[venue].sockets(instruments, frozenset(one.asset for one in instruments), frozenset(Feed))

    assert table("Sockets")[venue] == {
        "sockets": str(len(plans)),
        "ping every": f"{keepalive.every_s:g} s" if keepalive.ping else "server",
        "silent for": f"{keepalive.silent_s:g} s",
        "renewed at": f"{keepalive.max_age_s / 3600:g} h",
    }


def test_the_conflicts_are_those_of_the_table():
    rows = table("Conflicts")

    assert {venue: (row["conflict"], row["verdicts"]) for venue, row in rows.items()} == {
        "gate": (SIGN, f"{OF_ORDER}, {OF_POSITION}"),
        "bitget": (UNIT, f"{QUOTE}, {BASE}"),
        "okx": (CAP, LIFTED),
        "bybit": (SIDES, f"{BOTH}, {ONE}"),
        "hyperliquid": (MARKS, CONFIRMED),
    }
    assert all(hasattr(verdicts, name) for row in rows.values() for name in row["votes"].split(", "))


def test_what_is_marked_is_marked_until_it_is_settled():
    for venue, row in table("Conflicts").items():
        marks = {one.uncertain for one in decoded(venue) if isinstance(one, Liquidation)} - {""}
        settled = {row["conflict"]: row["verdicts"].partition(",")[0]}
        decoder = EXCHANGES[venue].decoder(INSTRUMENTS[venue], settled)
        records = [record for frame in VALID[venue] for record in decoder.decode(encoded(frame), RECEIVED_MS)]

        assert marks == ({row["marked"]} if row["marked"] else set())
        assert not any(one.uncertain for one in records if isinstance(one, Liquidation))


@pytest.mark.parametrize("venue", EXCHANGES)
def test_trades_and_liquidations_never_share_a_socket_but_at_deribit(venue):
    instruments = hundred(venue).values()
    plans = EXCHANGES[venue].sockets(instruments, frozenset(one.asset for one in instruments), frozenset(Feed))

    shared = [plan.name for plan in plans if {Feed.TRADES, Feed.LIQUIDATIONS} <= plan.feeds]
    assert shared == (["trades-1"] if venue == "deribit" else [])
    assert all(plan.brings_liquidations == (Feed.LIQUIDATIONS in plan.feeds) for plan in plans)
    assert len({plan.name for plan in plans}) == len(plans)
    assert all(json.loads(frame) for plan in plans for frame in plan.subscribe)


@pytest.mark.parametrize("venue", EXCHANGES)
def test_five_hundred_assets_keep_to_the_limits_of_each_venue(venue):
    names = [f"COIN{n:03}" for n in range(500)]
    instruments = [Instrument(venue=venue, instrument=NAMES[venue].format(name), asset=name) for name in names]

    plans = EXCHANGES[venue].sockets(instruments, frozenset(names), frozenset(Feed))

    limits = {"binance": 10, "bybit": 20, "okx": 10, "gate": 10, "bitget": 40, "hyperliquid": 10, "deribit": 10}
    assert len(plans) <= limits[venue]
    if venue == "binance":
        assert all(len(json.loads(frame)["params"]) <= 50 for plan in plans for frame in plan.subscribe)
        assert all(len(plan.subscribe) <= 9 for plan in plans)  # 10 messages a second
    if venue == "hyperliquid":
        assert sum(len(plan.subscribe) for plan in plans) <= 1500  # a third of it is what the venue lists
