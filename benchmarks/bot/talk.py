"""People who ask: how long each command takes from the poll that brings it to its answer at the Bot API server."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bot.scene import ANSWERS, ASKING, Scene, say
from tests.telegram_stand.proxy import Call

CHAT_GAP_S = 2.1  # fewer than the 30 commands a minute that one user may give, and slower than Telegram's 1 a second
LAST_S = 8.0  # how long the last answers are waited for
TELL_EVERY = 60

# "·": a button on the last message of the chat; "*": the owner's. {a}: an asset, another one each time.
COMMANDS = (
    *("/price {a}", "/price {a} 4h", "·price {a} 1h", "/volume {a} 1h", "/cvd {a} 4h", "/oi {a} 1h", "/profile {a}"),
    *("/liquidations {a} 4h", "/liquidations", "·liquidations 1h", "/funding {a}", "/zones {a}", "/price btcc"),
    *("/alerts", "/alerts status", "·alerts oi silent", "/watch {a}", "/unwatch {a}", "/watch all"),
    *("/threshold {a} liquidation 50k", "/mute {a} oi 4h", "/unmute all", "/quiet 23:00-07:00 Europe/Berlin"),
    *("/quiet off", "/budget 20", "/budget off", "/digest 08:00", "/digest off", "/timezone Europe/Berlin"),
    *("/why {id}", "/whynot {a} {now}", "/stats", "/status", "·status", "/status core/feeds", "/venues", "/config"),
    *("/test p1", "/version", "/help", "/start", "*/restart core/feeds", "*/pause edge", "*/resume edge"),
)
KINDS = ("price", "cvd", "oi", "profile", "liquidations")  # zones are predicted only where that is switched on
PERIODS = ("1h", "4h", "1d")
EACH = len(KINDS) * len(PERIODS)  # charts of an asset before the next one


@dataclass(slots=True)
class Asked:
    """Monotonic seconds: said, handed to the bot by a poll, answered (first, at the server)."""

    text: str
    chat: int
    said_s: float
    update_id: int
    handed_s: float | None = None
    answered_s: float | None = None
    method: str = ""

    @property
    def took_s(self) -> float:
        """Infinite where no answer came."""
        if self.handed_s is None or self.answered_s is None:
            return float("inf")
        return self.answered_s - self.handed_s


def commands(assets: Sequence[str], alert_id: str, rounds: int) -> Iterator[str]:
    names, now = itertools.cycle(assets), time.strftime("%H:%M", time.gmtime())
    for _ in range(rounds):
        for text in COMMANDS:
            yield text.format(a=next(names), id=alert_id, now=now)


def charts(assets: Sequence[str]) -> Iterator[str]:
    """Without end; with 50 assets none again for twelve minutes."""
    for turn in itertools.count():
        kind = KINDS[turn % len(KINDS)]
        period = PERIODS[turn // len(KINDS) % len(PERIODS)]
        yield f"/chart {kind} {assets[turn // EACH % len(assets)]} {period}"


def ask(scene: Scene, texts: Iterable[str], *, every_s: float, until_s: float = float("inf")) -> list[Asked]:
    """Say one after the other, each in the chat that has been quiet for longest, and wait for the answers."""
    since, asked = scene.mark(), []
    quiet_s = dict.fromkeys(ASKING, 0.0)
    due_s = time.monotonic()
    for number, text in enumerate(texts, start=1):
        chat = ASKING[0] if text.startswith("*") else min(quiet_s, key=quiet_s.__getitem__)
        due_s = max(due_s + every_s, quiet_s[chat] + CHAT_GAP_S)
        if due_s > until_s:
            break
        time.sleep(max(0.0, due_s - time.monotonic()))
        quiet_s[chat] = time.monotonic()
        asked.append(_say(scene, text.removeprefix("*"), chat))
        if number % TELL_EVERY == 0:
            say(f"{number} asked")
    time.sleep(LAST_S)
    polls = [call for call in scene.calls(0) if call.method == "getUpdates"]  # one was open before we began
    match(asked, [*polls, *scene.calls(since)])
    return asked


def _say(scene: Scene, text: str, chat: int) -> Asked:
    said_s = time.monotonic()
    if text.startswith("·"):
        update_id = scene.stand.press(text.removeprefix("·"), chat=chat)
    else:
        update_id = scene.stand.say(text, chat=chat)
    return Asked(text, chat, said_s, update_id)


def match(asked: Iterable[Asked], calls: Iterable[Call]) -> None:
    """Answers of a chat belong to its questions in their order: nothing else is sent there."""
    handed: dict[int, float] = {}
    answers: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        if call.method == "getUpdates" and call.answered_s is not None:
            handed.update((one["update_id"], call.answered_s) for one in call.result or () if isinstance(one, dict))
        elif call.method in ANSWERS:
            answers[call.chat].append(call)
    for one in asked:
        one.handed_s = handed.get(one.update_id)
        if one.handed_s is None:
            continue
        left = answers[one.chat]
        while left and left[0].at_s < one.handed_s:
            left.pop(0)
        if left:
            answer = left.pop(0)
            one.answered_s, one.method = answer.at_s, answer.method
