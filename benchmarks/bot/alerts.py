"""Alerts and incidents on order: from a frame at the socket to the message at the Bot API server, and to its picture."""

import itertools
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.bot.scene import TOLD, Scene, say
from tests.telegram_stand.proxy import Call

LAST_S = 15.0  # how long the last messages are waited for
TELL_EVERY = 10
CHAT_GAP_S = 1.05  # the pace that the bot keeps in a private chat
SINGLE_USD = {
    "BTC": 1_500_000.0,
    "ETH": 750_000.0,
    "SOL": 375_000.0,
}  # above ten static thresholds, the cold start's cap
OTHER_USD = 150_000.0
ALERT_ID = re.compile(r"\b[a-z2-7]{12}\b")
NEWS_S = 6.0
NEWS_MOVE = 0.06  # enough for some 50 positions of most assets


@dataclass(frozen=True, slots=True)
class Sent:
    """One forced order that the venue sent at `at_s`; `exchange_ms` is its time in the frame."""

    asset: str
    exchange_ms: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """Seconds from the frame to the message in one chat. `paced`: other messages there had used up Telegram's pace."""

    took_s: float
    paced: bool


def order_alerts(scene: Scene, assets: Sequence[str], *, number: int, every_s: float) -> list[Arrival]:
    """One liquidation above its threshold every few seconds, of another asset each time."""
    since, prices = scene.mark(), _prices(scene, assets)
    sent: list[Sent] = []
    begin_s = time.monotonic()
    for turn, asset in enumerate(itertools.islice(itertools.cycle(prices), number), start=1):
        time.sleep(max(0.0, begin_s + turn * every_s - time.monotonic()))
        sent.append(_publish(scene, asset, prices[asset]))
        if turn % TELL_EVERY == 0:
            say(f"{turn} of {number} alerts")
    time.sleep(LAST_S)
    return _arrivals(scene, sent, scene.calls(since))


def _prices(scene: Scene, assets: Sequence[str]) -> dict[str, float]:
    """USD per coin of those that Binance lists by their own name."""
    rows = scene.simulator.ask("/truth/open_interest")["open_interest"]
    mine = {row["asset"]: row["notional_usd"] / row["quantity"] for row in rows if _is_plain(row)}
    return {asset: mine[asset] for asset in assets if asset in mine}


def _is_plain(row: dict[str, Any]) -> bool:
    return bool(row["venue"] == "binance" and row["symbol"] == f"{row['asset']}USDT")


def _publish(scene: Scene, asset: str, price: float) -> Sent:
    at_ms, usd = time.time_ns() // 1_000_000, SINGLE_USD.get(asset, OTHER_USD)
    symbol, size, shown = f"{asset}USDT", f"{usd / price:.8g}", f"{price:.8g}"
    order = {"s": symbol, "S": "SELL", "o": "LIMIT", "f": "IOC", "q": size, "p": shown, "ap": shown, "X": "FILLED"}
    order |= {"l": size, "z": size, "T": at_ms}
    event = {"e": "forceOrder", "E": at_ms, "o": order, "ps": symbol, "st": 1}
    at_s = time.monotonic()
    told = scene.simulator.ask("/publish", {"venue": "binance", "topic": "!forceOrder@arr", "payload": event})
    if told["receivers"] != 1:
        say(f"the frame of {asset} had {told['receivers']} receivers")
    return Sent(asset, at_ms, at_s)


def _arrivals(scene: Scene, sent: Sequence[Sent], calls: Sequence[Call]) -> list[Arrival]:
    """Of every order in every chat; infinite where nothing came."""
    raised = {(line["asset"], line["exchange_ms"]): line["alert_id"] for line in scene.log("alert_raised")}
    messages = {chat: [one for one in calls if one.method in _PACED and one.chat == chat] for chat in TOLD}
    found = []
    for one in sent:
        alert_id = raised.get((one.asset, one.exchange_ms), "never raised")
        for chat in TOLD:
            places = [
                place
                for place, call in enumerate(messages[chat])
                if call.method == "sendMessage" and alert_id in call.text
            ]
            if not places:
                found.append(Arrival(float("inf"), paced=False))
                continue
            took_s = messages[chat][places[0]].at_s - one.at_s
            before_s = [call.at_s for call in messages[chat][: places[0]] if call.at_s < one.at_s]
            found.append(Arrival(took_s, paced=free_s(before_s) > one.at_s))
    return found


_PACED = {"sendMessage", "editMessageText", "sendPhoto"}


def free_s(sent_s: Iterable[float]) -> float:
    """From when on a chat that got these messages may get another: each takes the pace, a picture on the heels of its text too."""
    free = 0.0
    for at_s in sent_s:
        free = max(free, at_s) + CHAT_GAP_S
    return free


# -- pictures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pictured:
    """Seconds from the text of an incident to its picture in one chat; infinite where none came."""

    alert_id: str
    kind: str
    took_s: float


def order_incidents(scene: Scene, assets: Sequence[str], *, number: int, every_s: float) -> list[Pictured]:
    """Bad news for one asset after the other: its positions are liquidated, and the cascade is told with its picture."""
    since, begin_s = scene.mark(), time.monotonic()
    for turn, asset in enumerate(itertools.islice(itertools.cycle(assets), number), start=1):
        time.sleep(max(0.0, begin_s + turn * every_s - time.monotonic()))
        move = -NEWS_MOVE if turn % 2 else NEWS_MOVE
        scene.simulator.ask("/news", {"asset": asset, "move": move, "seconds": NEWS_S})
        if turn % TELL_EVERY == 0:
            say(f"{turn} of {number} pieces of news")
    time.sleep(LAST_S + NEWS_S)
    return pictures(scene, since)


def pictures(scene: Scene, since: int) -> list[Pictured]:
    """Of every grave incident that was told since."""
    kinds = {line["alert_id"]: line["kind"] for line in scene.log("alert_raised") if _is_pictured(line)}
    calls = scene.calls(since)
    photos = {(one.chat, _replied(one)): one.at_s for one in calls if one.method == "sendPhoto" and one.chat in TOLD}
    found = []
    for call in calls:
        if call.method != "sendMessage" or call.chat not in TOLD or not isinstance(call.result, dict):
            continue
        for alert_id in kinds.keys() & set(ALERT_ID.findall(call.text)):
            at_s = photos.get((call.chat, call.result["message_id"]), float("inf"))
            found.append(Pictured(alert_id, kinds[alert_id], at_s - call.at_s))
    return found


def _is_pictured(line: dict[str, Any]) -> bool:
    grave = line["severity"] in {"P1", "P2"} and line["stage"] == "raised"
    return grave and line["kind"] in {"cascade", "open_interest", "volume_spike", "market_wide"}


def _replied(call: Call) -> int:
    """The message that a photo answers; a form tells it as text, JSON as it is."""
    told = call.fields["reply_parameters"]
    return int((json.loads(told) if isinstance(told, str) else told)["message_id"])
