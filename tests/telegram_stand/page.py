"""docs/telegram.md: the commands as the bot has them, and a conversation that was held with it on the stand.

`python -m tests.telegram_stand.page` writes it; tests/actors/telegram/test_telegram_page.py holds it true.
"""

import json
import tempfile
from pathlib import Path

from actors import paths
from actors.clock import ManualClock
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.messages.history import HistorySeen
from actors.messages.market import FeedsHealth, LiquidationsSeen, MarksSeen, OpenInterestSeen, TradesSeen
from actors.notifiers.buttons import alert_buttons
from actors.notifiers.texts import html
from actors.telegram.access import Right
from intelligence.feed_health import FeedHealth, FeedKind, Health
from intelligence.history import BarSpan, OpenInterestSpan
from intelligence.market import Coverage, Kline, PositionSide
from tests.intelligence.builders import VENUES, a_liquidation, a_mark, an_alert, an_open_interest
from tests.telegram_stand import tdlib
from tests.telegram_stand.bot import Bot
from tests.telegram_stand.stage import wait_for
from tests.telegram_stand.stand import ME, Stand

PAGE = Path("docs/telegram.md")
HEAD = """# The bot

<!-- Written by `python -m tests.telegram_stand.page` and held true by a test: change the words in the code, not here. -->

Whoever is named in `AUTHORIZED_USERS` may ask; an authorised group may ask whoever writes there, and only authorised users
change anything. `OWNER_USERS` may also operate. Everybody else learns the own ids and nothing more. Answers come from memory:
no venue is asked for them. A button gives the command that stands on it, so the buttons of every old message still work.

## Commands

| command | does | who |
|---|---|---|
"""
RIGHTS = {Right.ASK: "whoever may ask", Right.CHANGE: "authorised users", Right.OPERATE: "owners"}

# What the pictures look like; `python -m tests.charts.samples` draws them.
PICTURES = """
The pictures, as they are drawn of a simulated market (`charts.theme` has a light one too, of each):

| price and liquidations | open interest | CVD |
|---|---|---|
| ![candles](images/chart-candles-dark.png) | ![open interest](images/chart-oi-dark.png) | ![CVD](images/chart-cvd-dark.png) |

| volume profile | liquidations | behind the text of a cascade |
|---|---|---|
| ![profile](images/chart-profile-dark.png) | ![heat map](images/chart-liquidations-dark.png) | ![incident](images/chart-incident-dark.png) |

| of open interest | of a volume spike | of the whole market |
|---|---|---|
| ![open interest](images/chart-incident-open_interest-dark.png) | ![volume](images/chart-incident-volume_spike-dark.png) | ![market](images/chart-incident-market_wide-dark.png) |
"""

# What is typed, and what is pressed ("·") on the message before it; "+": what comes is a picture.
CONVERSATION = (
    ("Markets", ("/price sol", "·price SOL 4h", "/volume SOL", "/cvd SOL", "/oi SOL 1h", "/profile SOL")),
    (
        "Who was liquidated, and who pays",
        ("/liquidations SOL", "·liquidations SOL 4h", "/liquidations", "/funding SOL"),
    ),
    ("Pictures", ("+/chart SOL 4h", "+·chart cvd SOL 4h", "+·chart liquidations SOL 1d")),
    ("Forgiving input", ("/price 1000SOL/USDT", "/price slo", "/oi")),
    (
        "What this chat is told",
        (
            *("/alerts", "·alerts oi silent", "·alerts p3 off", "/watch SOL BTC", "/unwatch BTC", "/watch all"),
            *("/threshold SOL liquidation 50k", "/threshold BTC oi 10%", "/threshold BTC oi off"),
            *("/mute SOL oi 4h", "/unmute SOL", "/quiet 23:00-07:00 Europe/Berlin", "/quiet off", "/budget 20"),
            *("/timezone Europe/Berlin", "/digest 8:00", "/alerts status", "/alerts stop", "/alerts start"),
        ),
    ),
    (
        "An alert, its buttons, and why",
        ("!", "·mute BTC liquidation 1h", "·vote abcdefghijkl up", "/why abcdefghijkl", "/whynot BTC 23:13"),
    ),
    ("The daemon", ("/status", "·status", "/venues", "/config", "/test p1", "/version")),
    ("Owners", ("/restart core/feeds", "·confirm", "/pause edge", "/resume core/feeds")),
)


def page():
    """The whole page, from a bot of its own."""
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand()
        bot = Bot(stand, Path(folder), clock=ManualClock())
        try:
            _furnish(bot)
            rows = [_row(command) for command in bot.commands() if command.hint]
            return HEAD + "\n".join(rows) + "\n" + "".join(_chapter(bot, *chapter) for chapter in CONVERSATION)
        finally:
            bot.theatre.close()
            stand.close()


def _row(command):
    usage = f"/{command.name} {command.usage}".rstrip().replace("|", "\\|")
    return f"| `{usage}` | {command.hint} | {RIGHTS[command.least]} |"


def _furnish(bot):
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
    trades = TradesSeen(
        asset="SOL",
        venue="bybit",
        received_ms=now_ms,
        times_ms=[now_ms - 600_000 + 1_000 * step for step in steps],
        prices=[140.0 + (step % 40 - 20) / 40 for step in steps],
        coins=[(-1.0) ** step * (50.0 + step % 7) for step in steps],
    )
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
    bot.dispatcher()
    past = (FeedsHealth(asset="SOL", feeds=feeds), HistorySeen(asset="SOL", span=_bars(now_ms)))
    bot.stream(
        "SOL",
        *past,
        *_open_interest_past(now_ms),
        *(MarksSeen(mark=mark) for mark in marks),
        *(OpenInterestSeen(record=one) for one in interests),
        trades,
        told,
    )
    _write_status(bot)
    bot.charts().open(assets=("BTC", "ETH", "SOL"))


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
    for venue, coins in (("binance", 9_400_000.0), ("bybit", 4_160_000.0)):
        record = an_open_interest(
            venue=venue, instrument="SOL-P", coins=coins, exchange_ms=now_ms - 3_610_000, received_ms=now_ms
        )
        span = OpenInterestSpan(
            venue=venue,
            instrument="SOL-P",
            from_ms=record.exchange_ms,
            until_ms=now_ms,
            received_ms=now_ms,
            rows=(record,),
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


def _chapter(bot, title, steps):
    steps_told = "\n".join(f"```\n{_step(bot, step)}\n```\n" for step in steps)
    return f"\n## {title}\n\n{steps_told}{PICTURES if title == 'Pictures' else ''}"


def _step(bot, step):
    if step == "!":
        return _alert(bot)
    if step.startswith("+"):
        return _picture(bot, step.removeprefix("+"))
    if step.startswith("·"):
        return _press(bot, step.removeprefix("·"))
    before = len(bot.stand.sent(ME))
    bot.stand.say(step)
    call = bot.stand.wait_sent(before + 1, ME)[before]
    return f"> {step}\n\n{_shown(call)}"


def _picture(bot, step):
    """A photo that is asked for, or pressed for on the last one and changed in place."""
    photos = bot.stand.calls("sendPhoto")
    if not step.startswith("·"):
        bot.stand.say(step)
        call = wait_for(lambda: len(got := bot.stand.calls("sendPhoto")) > len(photos) and got[-1], "a photo", 20)
        wait_for(lambda: call.result is not None)
        return f"> {step}\n\n(a photo) {_shown(call, call.fields['caption'])}"
    edits = len(bot.stand.calls("editMessageMedia"))
    command = step.removeprefix("·")
    bot.stand.press(command, photo=photos[-1])
    call = wait_for(lambda: len(got := bot.stand.calls("editMessageMedia")) > edits and got[-1], "an edit", 20)
    return f"> [{_label_in(call, command)}]\n\n(the photo changed) {_shown(call, json.loads(call.fields['media'])['caption'])}"


def _label_in(call, command):
    """The period or kind that a button now marks as shown."""
    return next(one["text"] for row in _rows(call) for one in row if one["callback_data"] == command).strip("· ")


def _press(bot, command):
    """Press what begins so, on the newest message."""
    newest = (bot.stand.edits(ME) + bot.stand.sent(ME))[-1] if command.startswith("confirm") else None
    given = next((one for one in _commands(newest) if one.startswith(command)), command) if newest else command
    label = _label(bot, given)
    edits = len(bot.stand.edits(ME))
    notice = bot.stand.presses(given)
    if notice:
        return f"> [{label}]\n\n{notice}"
    wait_for(lambda: len(bot.stand.edits(ME)) > edits)
    return f"> [{label}]\n\n{_shown(bot.stand.edits(ME)[edits])}"


def _label(bot, command):
    """What stands on the newest button that gives it."""
    calls = sorted((*bot.stand.sent(ME), *bot.stand.edits(ME)), key=lambda call: call.at_s)
    labels = (
        one["text"] for call in reversed(calls) for row in _rows(call) for one in row if one["callback_data"] == command
    )
    return next(labels, command)


def _alert(bot):
    """An alert as the sender would bring it: this conversation has none of its own."""
    now_ms = bot.theatre.clock.now_ms()
    alert = an_alert(exchange_ms=now_ms - 900, detected_ms=now_ms - 400)
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
    bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))
    labels = " ".join(f"[{one['text']}]" for row in alert_buttons(alert)["inline_keyboard"] for one in row)
    return f"{tdlib.parse(html(alert, heading=''), 'HTML').plain}\n\n{labels}"


def _rows(call):
    markup = call.fields.get("reply_markup")
    return json.loads(markup)["inline_keyboard"] if markup else []


def _commands(call):
    return [one["callback_data"] for row in _rows(call) for one in row]


def _shown(call, caption=None):
    html_text = call.text if caption is None else caption
    text = tdlib.parse(html_text, call.fields.get("parse_mode", "HTML")).plain
    buttons = "\n".join(" ".join(f"[{one['text']}]" for one in row) for row in _rows(call))
    return f"{text}\n\n{buttons}" if buttons else text


if __name__ == "__main__":
    PAGE.write_text(page())
