"""What is measured: seven simulated venues, the daemon in a process of its own, and a Bot API server, all on loopback."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.soak import Daemon, Simulator
from tests.telegram_stand.proxy import Call
from tests.telegram_stand.stand import TOKEN, Stand

ASKING = tuple(range(101, 113))  # people in a private chat each; the first owns the daemon
TOLD = tuple(range(201, 205))  # chats that get alerts
ANSWERS = {"sendMessage", "sendPhoto", "editMessageText", "editMessageMedia"}
KEPT_FILES = 20_000  # more than any run sends
READY_S = 240.0
END_S = 15.0
TURN_S = 5.0


class Scene:
    """`calls()`: what the bot did since a moment that `mark()` told."""

    def __init__(self, simulator: Simulator, daemon: Daemon, stand: Stand, data_dir: Path) -> None:
        self.simulator, self.daemon, self.stand = simulator, daemon, stand
        self._log = data_dir / "log.jsonl"

    def mark(self) -> int:
        return len(self.stand.proxy.calls)

    def calls(self, since: int) -> list[Call]:
        return self.stand.proxy.calls[since:]

    def log(self, *events: str) -> list[dict[str, Any]]:
        """Lines of the daemon's log so far."""
        text = self._log.read_text(encoding="utf-8")
        lines = (json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}"))
        return [line for line in lines if line["event"] in events]

    def wait_ready(self) -> None:
        """Wait until all seven venues are able to report, the past is there, and the bot has greeted every chat."""
        wanted = len(self.simulator.ready["venues"])
        self._wait(lambda: len({line["venue"] for line in self.log("venue_able")}) >= wanted, "venues to report")
        self._wait(self._past_is_there, "the past of the assets", optional=True)
        everybody = {*ASKING, *TOLD}
        self._wait(lambda: {one.chat for one in self.calls(0) if one.method == "sendMessage"} >= everybody, "greetings")
        for chat in ASKING:
            self.stand.say("/alerts stop", chat=chat)
        time.sleep(TURN_S)

    def _past_is_there(self) -> bool:
        found = [re.match(r"(\d+) of (\d+) assets ready", note) for note in self.daemon.notes()]
        told = [one[1] == one[2] for one in found if one]
        return bool(told) and all(told)

    def _wait(self, condition: Callable[[], bool], what: str, *, optional: bool = False) -> None:
        say(f"waiting for {what}")
        end_s = time.monotonic() + READY_S
        while not condition():
            if self.daemon.process.poll() is not None:
                raise RuntimeError("the daemon has ended")
            if time.monotonic() > end_s:
                if optional:
                    say(f"no longer waiting for {what}")
                    return
                raise TimeoutError(f"waited {READY_S:g} s for {what}")
            time.sleep(1.0)


@contextmanager
def staged(data_dir: Path, *, assets: int, trades_per_s: float) -> Iterator[Scene]:
    simulator = Simulator(assets=assets, trades_per_s=trades_per_s)
    stand, daemon = Stand(max_assets=KEPT_FILES), None
    try:
        daemon = Daemon(
            simulator,
            data_dir,
            TELEGRAM_BOT_TOKEN=TOKEN,
            AUTHORIZED_USERS=",".join(map(str, (*ASKING, *TOLD))),
            FORESHOCK_TELEGRAM__API_URL=stand.url,
            FORESHOCK_LOGS__LEVEL="info",
            FORESHOCK_MARKET_CAPS__SOURCES="",  # they are not on loopback
            FORESHOCK_MARKET_WIDE__LEAST_ASSETS=str(assets),  # each incident tells itself,
            FORESHOCK_DETECTION__CASCADE__SEVERITY__P2_RATIO="1",  # and each is grave enough for a picture
        )
        yield Scene(simulator, daemon, stand, data_dir)
    finally:
        for process in (daemon.process if daemon is not None else None, simulator.process):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(END_S)
        stand.close()


def say(text: str) -> None:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{time.strftime('%H:%M:%S')}  load {load}  {text}", file=sys.stderr, flush=True)
