"""docs/telegram.md: the commands as the bot has them, and a conversation that was held with it on the stand.

`python -m tests.telegram_stand.page` writes it; tests/actors/telegram/test_telegram_page.py holds it true.
"""

import tempfile
from pathlib import Path

from actors import paths
from actors.clock import ManualClock
from actors.messages.alerts import AlertRaised
from actors.messages.chats import AskAlerts
from actors.notifiers.buttons import alert_buttons
from actors.notifiers.texts import html
from actors.telegram.access import Right
from intelligence.alerts import Severity
from tests.actors.test_herald import Town
from tests.intelligence import test_every_family
from tests.intelligence.builders import an_alert
from tests.telegram_stand import tdlib
from tests.telegram_stand.bot import Bot
from tests.telegram_stand.furniture import furnish
from tests.telegram_stand.stand import GROUP, ME, STRANGER, Stand
from tests.telegram_stand.talk import Talk

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
The pictures, as they are drawn of a simulated market (`charts.theme` has a light one too, of each). All were looked at 390 pixels
wide, in both themes and without colour:

| price and liquidations | open interest | CVD |
|---|---|---|
| ![candles](images/chart-candles-dark.png) | ![open interest](images/chart-oi-dark.png) | ![CVD](images/chart-cvd-dark.png) |

| volume profile | liquidations | behind the text of a cascade |
|---|---|---|
| ![profile](images/chart-profile-dark.png) | ![heat map](images/chart-liquidations-dark.png) | ![incident](images/chart-incident-dark.png) |

| of open interest | of a volume spike | of the whole market |
|---|---|---|
| ![open interest](images/chart-incident-open_interest-dark.png) | ![volume](images/chart-incident-volume_spike-dark.png) | ![market](images/chart-incident-market_wide-dark.png) |

| predicted zones | the same in the light theme |
|---|---|
| ![zones](images/chart-zones-dark.png) | ![zones, light](images/chart-zones-light.png) |
"""

# What is typed, and what is pressed ("·") of what was seen so far; "#": typed in a topic of the group, "?": by a stranger;
# "!": an alert comes.
CONVERSATION = (
    ("Beginning", ("?/start", "/start", "/help")),
    ("Markets", ("/price sol", "·price SOL 4h", "/volume SOL", "/cvd SOL", "/oi SOL 1h", "/profile SOL")),
    (
        "Who was liquidated, and who pays",
        (
            "/liquidations SOL",
            "·liquidations SOL 4h",
            "/liquidations",
            "/funding SOL",
            "/zones SOL",
            "·chart zones SOL",
        ),
    ),
    ("Pictures", ("/chart SOL 4h", "·chart cvd SOL 4h", "·chart liquidations SOL 4h")),
    ("Forgiving input", ("/price 4h 1000SOL/USDT", "oi sol", "/price slo", "/oi", "/vol sol 1h", "/fundign sol")),
    (
        "What this chat is told",
        (
            *("/alerts", "·alerts oi silent", "·alerts p3 off", "/watch SOL BTC", "/unwatch BTC", "/watch all"),
            *("/threshold SOL liquidation 50k", "/threshold 10% BTC oi", "/threshold BTC oi off"),
            *(
                "/mute SOL oi 4h",
                "/mute",
                "/unmute SOL",
                "/quiet 23:00-07:00 Europe/Berlin",
                "/quiet off",
                "/budget 20",
            ),
            *("/timezone berlin", "/digest 8:00", "/alerts status", "/alerts stop", "/alerts start"),
        ),
    ),
    ("Topics of a group", ("#/alerts", "#/alerts here oi", "#/digest off")),
    (
        "An alert, its buttons, and why",
        ("!", "·mute BTC liquidation 1h", "·vote abcdefghijkl up", "/why abcdefghijkl", "/whynot BTC 23:13"),
    ),
    ("The daemon", ("/status", "·status", "/venues", "/config", "/test p1", "/version", "/stats")),
    (
        "Owners",
        (
            *("/restart core/feeds", "·confirm", "/pause edge", "/pause core/feeds", "/resume core/feeds"),
            *("/promote", "/promote volume", "/promote volume anyway", "/promote volume off"),
        ),
    ),
)
TOPIC = 7


def page():
    """The whole page, and the conversation, from a bot of its own."""
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand()
        bot = Bot(stand, Path(folder), clock=ManualClock())
        try:
            furnish(bot)
            talk = Talk(bot)
            talk.offered = {command.name for command in bot.commands() if command.hint} | {"start"}
            rows = [_row(command) for command in bot.commands() if command.hint]
            chapters = [_chapter(bot, talk, *chapter) for chapter in CONVERSATION]
            told = HEAD + "\n".join(rows) + "\n" + "".join(chapters) + _families() + _by_itself() + _every_button(talk)
        finally:
            bot.theatre.close()
            stand.close()
    return told, talk


def _row(command):
    usage = f"/{command.name} {command.usage}".rstrip().replace("|", "\\|")
    return f"| `{usage}` | {command.hint} | {RIGHTS[command.least]} |"


def _chapter(bot, talk, title, steps):
    steps_told = "\n".join(_block(_step(bot, talk, step)) for step in steps)
    return f"\n## {title}\n\n{steps_told}{PICTURES if title == 'Pictures' else ''}"


def _block(words):
    return f"```\n{words}\n```\n"


def _step(bot, talk, step):
    match step[0]:
        case "!":
            return _alert(bot, talk)
        case "·":
            return talk.presses(step[1:])
        case "#":
            return talk.types(step[1:], chat=GROUP, topic=TOPIC)
        case "?":
            return talk.types(step[1:], chat=STRANGER)
    return talk.types(step)


def _alert(bot, talk):
    """An alert as the sender would bring it: this conversation has none of its own."""
    now_ms = bot.theatre.clock.now_ms()
    alert = an_alert(exchange_ms=now_ms - 900, detected_ms=now_ms - 400)
    bot.theatre.tell(paths.DISPATCHER, AlertRaised(alert=alert))
    bot.theatre.ask(paths.DISPATCHER, AskAlerts(chat_id=ME))
    rows = alert_buttons(alert)["inline_keyboard"]
    talk.note(rows)
    labels = " ".join(f"[{one['text']}]" for row in rows for one in row)
    return f"{_plain(html(alert, heading='', age_ms=900, zone='Europe/Berlin'))}\n\n{labels}"


def _families():
    """What the detectors tell, each with the line that says how such alerts have done."""
    told = [
        _plain(html(test_every_family.alerts()[family], heading="", age_ms=900, score=test_every_family.SCORE))
        for family in test_every_family.FAMILIES
    ]
    return "\n## An alert of every family\n\n" + "\n".join(map(_block, told))


def _by_itself():
    """The daemon's own words: a start, a digest, a restart."""
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder))
        try:
            town.start(digest_at=60)
            now_ms = town.clock.now_ms()
            held = an_alert(alert_id="heldback", asset="ETH", severity=Severity.P3, exchange_ms=now_ms, value=61_000.0)
            town.store(an_alert(exchange_ms=now_ms + 1_000))
            town.store(held, held="budget")
            town.pass_s(3_600)
            town.end()
            town.clock.advance(754)
            town.start(digest_at=60)
            texts = list(filter(None, town.texts()))
        finally:
            town.close()
    return "\n## What comes by itself\n\n" + "\n".join(map(_block, texts))


def _every_button(talk):
    """Whatever can be pressed on the messages above, and on what that brings."""
    rows = "\n".join(talk.the_rest())
    return (
        "\n## Every other button of this conversation\n\n"
        f"Each was pressed once, and what that brought begins so:\n\n| gives | label | then |\n|---|---|---|\n{rows}\n"
    )


def _plain(words):
    return tdlib.parse(words, "HTML").plain


if __name__ == "__main__":
    PAGE.write_text(page()[0])
