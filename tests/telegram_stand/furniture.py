"""What stands behind the bot while docs/telegram.md is written: a market of SOL, predicted zones, outcomes, parts to operate."""

import json
from contextlib import closing

from actors import paths
from actors.messages.history import HistorySeen
from actors.messages.market import (
    FeedsHealth,
    LiquidationsSeen,
    MarksSeen,
    MinuteClosed,
    OpenInterestSeen,
    TradesSeen,
)
from actors.outcome_book import OutcomeBook
from actors.outcome_ledger import OutcomeLedger
from actors.zone_watch import ZoneWatch
from intelligence.alerts import AlertKind
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.history import BarSpan, OpenInterestSpan
from intelligence.market import Coverage, Kline, PositionSide
from intelligence.outcomes.rules import OutcomeRules
from intelligence.zones.rules import CutRule, ZoneRules
from tests.intelligence.builders import T0, VENUES, a_liquidation, a_mark, an_open_interest
from tests.intelligence.outcomes.test_scores import spread
from tests.intelligence.zones.builders import a_zone_minute

MINUTE_MS = 60_000
ON_TRIAL = AlertKind.VOLUME_SPIKE


def furnish(bot):
    """A market of SOL that has been watched for a while, a status that was written, and parts to operate."""
    now_ms = bot.theatre.clock.now_ms()
    at = {"exchange_ms": now_ms - 400, "received_ms": now_ms}
    marks = [
        a_mark(venue=venue, price=price, funding_rate=rate, next_funding_ms=now_ms + 9_000_000, **at)
        for venue, price, rate in (
            ("binance", 140.02, 0.0001),
            ("bybit", 140.0, 0.00012),
            ("hyperliquid", 139.97, 0.00001),
        )
    ]
    interests = [
        an_open_interest(
            venue=venue,
            instrument="SOL-P",
            coins=coins,
            uncertain=uncertain,
            exchange_ms=now_ms - 32_000,
            received_ms=now_ms,
        )
        for venue, coins, uncertain in (
            ("binance", 9_812_000.0, ""),
            ("bybit", 4_120_000.0, ""),
            ("okx", 2_050_000.0, "sides"),
        )
    ]
    steps = range(600)
    trades = [
        TradesSeen(
            asset="SOL",
            venue=venue,
            received_ms=now_ms,
            times_ms=[now_ms - 600_000 + 1_000 * step for step in steps[first::3]],
            prices=[140.0 + (step % 40 - 20) / 40 for step in steps[first::3]],
            coins=[(-1.0) ** step * (50.0 + step % 7) for step in steps[first::3]],
        )
        for first, venue in enumerate(("binance", "hyperliquid", "bybit"))
    ]
    events = tuple(
        a_liquidation(
            usd=usd,
            venue=venue,
            position_side=side,
            coverage=coverage,
            quantity=usd / 140.0,
            exchange_ms=now_ms - ago_ms,
            received_ms=now_ms,
        )
        for venue, usd, side, coverage, ago_ms in (
            ("binance", 61_000.0, PositionSide.LONG, Coverage.CAPPED, 50_000),
            ("bybit", 24_000.0, PositionSide.SHORT, Coverage.COMPLETE, 40_000),
        )
    )
    feeds = {
        (venue, kind): FeedHealth(Health.HEALTHY) for venue in ("binance", "bybit", "hyperliquid") for kind in FeedKind
    }
    feeds["hyperliquid", FeedKind.MARK_PRICES] = FeedHealth(Health.STALE, "no mark price for 42 s")
    told = LiquidationsSeen(asset="SOL", events=events, able=VENUES, configured=VENUES, after_reconnect=False)
    bot.theatre.record("/")
    bot.theatre.record("/core")
    bot.theatre.record(paths.FEEDS)
    bot.theatre.record("/edge")
    bot.dispatcher(trials=(ON_TRIAL,))
    past = (FeedsHealth(asset="SOL", feeds=feeds), HistorySeen(asset="SOL", span=_bars(now_ms)))
    bot.stream(
        "SOL",
        *past,
        *_open_interest_past(now_ms),
        *(MarksSeen(mark=mark) for mark in marks),
        *(OpenInterestSeen(record=one) for one in interests),
        *trades,
        told,
    )
    _write_status(bot)
    _predict(bot)
    _judge(bot)
    bot.charts().open(assets=("BTC", "ETH", "SOL"))


def _predict(bot):
    """Zones of SOL after an hour in which open interest grew."""
    bot.theatre.record(paths.ZONES)
    path = paths.zones_path("SOL")
    rules = ZoneRules(cut=CutRule(reach_least=0.25))
    bot.theatre.start(path, ZoneWatch, child_id="sol", rules=rules, venues=())
    first = (bot.theatre.clock.now_ms() - T0) // MINUTE_MS - 60
    for step in range(60):
        minute = a_zone_minute(first + step, 140.0, 1e6 * (1 + 0.01 * step))
        bot.theatre.tell(path, MinuteClosed(minute=minute))
    bot.theatre.quiet(path)


def _judge(bot):
    """Cascades whose outcomes are known, and volume spikes on trial."""
    last = bot.theatre.clock.now_ms() // MINUTE_MS - 120
    found = [*spread(60, 24, last=last), *spread(5, 25, last=last - 7, kind=ON_TRIAL, shadow=True)]
    with closing(OutcomeBook(bot.folder / "outcomes.db", 1.0)) as book:
        for one in found:
            book.put_told(one.told)
            book.put_outcome(one.outcome)
            book.end(one.told.alert_id)
    bot.theatre.start(
        paths.OUTCOMES,
        OutcomeLedger,
        file=bot.folder / "outcomes.db",
        busy_s=1.0,
        rules=OutcomeRules(),
        fresh=False,
    )


def _bars(now_ms):
    """Four hours of minutes, slowly rising."""
    last = now_ms // 60_000 * 60_000 - 60_000
    rows = tuple(
        Kline(
            venue="binance",
            instrument="SOLUSDT",
            asset="SOL",
            exchange_ms=last - 60_000 * ago,
            received_ms=now_ms,
            interval="1m",
            **dict.fromkeys(("open", "high", "low", "close"), 140.0 - ago / 200),
            quantity=3_000.0,
            notional_usd=420_000.0,
            taker_buy_quantity=1_560.0,
            closed=True,
        )
        for ago in range(245)
    )
    from_ms = last - 60_000 * 244
    return BarSpan(
        venue="binance",
        instrument="SOLUSDT",
        interval="1m",
        from_ms=from_ms,
        until_ms=now_ms,
        received_ms=now_ms,
        rows=rows,
    )


def _open_interest_past(now_ms):
    """A point in five minutes for a day, towards what is open now."""
    for venue, now, hourly in (("binance", 9_812_000.0, 0.04), ("bybit", 4_120_000.0, -0.01)):
        rows = tuple(
            an_open_interest(
                venue=venue,
                instrument="SOL-P",
                coins=now * (1 - min(ago / 12, 2) * hourly),
                exchange_ms=now_ms - 32_000 - 300_000 * ago,
                received_ms=now_ms,
            )
            for ago in range(288, 0, -1)
        )
        span = OpenInterestSpan(
            venue=venue,
            instrument="SOL-P",
            from_ms=rows[0].exchange_ms,
            until_ms=now_ms,
            received_ms=now_ms,
            rows=rows,
        )
        yield HistorySeen(asset="SOL", span=span)


def _write_status(bot):
    feed = {"path": f"{paths.FEEDS}/binance-market", "health": "healthy", "state": "running", "epoch": 1}
    poller = {
        "path": f"{paths.OPEN_INTEREST}/okx",
        "health": "unhealthy",
        "state": "parked",
        "why": "HTTP 451: refused here",
    }
    report = {"version": "0.1.0", "uptime_s": 93_780.0, "tree": {"path": "/", "children": [feed, poller]}}
    (bot.folder / "status.json").write_text(json.dumps(report))
    (bot.folder / "status.txt").write_text("Foreshock healthy, up 1 d 2 h\n\nok /core running\nok /notify running\n")
