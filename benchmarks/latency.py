"""How long an alert takes, at speed 1: from the exchange's event to the bot's server, and what the daemon costs meanwhile.

    .venv/bin/python -m benchmarks.latency [--alerts 60] [--every 5]

A tape of Binance forced orders, one above its threshold every few seconds, is served by the simulator; the daemon sends
to a Bot API server on loopback (lo-bot-api-emulator) which stamps what it receives. The tape's clock is the machine's, so
"event to server" holds everything: the simulator's send, the socket, detection, outbox, pacing and HTTP. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from lo_bot_api_emulator import LoBotApiEmulator

ROOT = Path(__file__).resolve().parent.parent
CHAT, TOKEN = 11, "123456:benchmark-token-of-nobody-0000000000"
ASSETS = ("BTC", "ETH", "SOL", "XRP", "DOGE")
ALERT_ID = re.compile(r"\b([a-z2-7]{12})\b")


def tape(path: Path, alerts: int, every_s: float) -> None:
    """One forced order of 300 000 USD every `every_s`, in the merged stream's wire form."""
    begin_ms = 1_790_000_000_000
    with path.open("w", encoding="utf-8") as file:
        for number in range(alerts):
            at_ms = begin_ms + int(number * every_s * 1000)
            order = {"s": f"{ASSETS[number % len(ASSETS)]}USDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "X": "FILLED"}
            order |= {"q": "3000", "p": "100", "ap": "100", "l": "3000", "z": "3000", "T": at_ms}
            event = {"e": "forceOrder", "E": at_ms, "o": order, "ps": order["s"], "st": 1}
            file.write(json.dumps({"stream": "!forceOrder@arr", "data": event}) + "\n")


class BotServer:
    """The emulator in a thread of its own, stamping every sendMessage with the wall clock."""

    def __init__(self) -> None:
        self.received: list[tuple[float, str]] = []
        self.url = ""
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        @web.middleware
        async def stamp(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.path.endswith("/sendMessage"):
                at_s = time.time()
                body = (await request.read()).decode()
                self.received.append((at_s, body))
                message = {"message_id": len(self.received), "date": int(at_s), "chat": {"id": CHAT, "type": "private"}}
                return web.json_response({"ok": True, "result": message})
            response: web.StreamResponse = await handler(request)
            return response

        app = LoBotApiEmulator(max_assets=10).app()
        app.middlewares.append(stamp)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await asyncio.Event().wait()


def quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        "worst_ms": round(ordered[-1], 1),
    }


def measure(alerts: int, every_s: float) -> dict[str, Any]:
    server = BotServer()
    with tempfile.TemporaryDirectory() as folder:
        path, data = Path(folder) / "tape.jsonl", Path(folder) / "data"
        tape(path, alerts, every_s)
        env = {**os.environ, "TELEGRAM_BOT_TOKEN": TOKEN, "AUTHORIZED_USERS": str(CHAT)}
        env |= {"FORESHOCK_TELEGRAM__API_URL": server.url, "FORESHOCK_DATA_DIR": str(data)}
        command = [sys.executable, "run.py", "demo", "--seconds", "0", "--speed", "1", "--telegram"]
        command += ["--tape", f"binance:{path}"]
        output = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603
        status = json.loads((data / "status.json").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in output.splitlines()]
    raised = {line["alert_id"]: line for line in lines if line["event"] == "alert_raised"}
    # The wall clock's lead over market time, from the line that carries both.
    leads = [_wall_ms(line) - line["detected_ms"] for line in raised.values()]
    lead_ms = statistics.median(leads)
    totals = []
    for at_s, body in server.received:
        found = [raised[word] for word in ALERT_ID.findall(body) if word in raised]
        if found and found[0]["kind"] == "liquidation":
            totals.append(at_s * 1000 - lead_ms - found[0]["exchange_ms"])
    detection = [line["detected_ms"] - line["exchange_ms"] for line in raised.values() if line["kind"] == "liquidation"]
    return {
        "alerts": len(raised),
        "event_to_detection": quantiles(detection),
        "event_to_bot_server": quantiles(totals),
        "ready_after_s": next(line["took_s"] for line in lines if line["event"] == "daemon_ready"),
        "rss_mib": status["totals"]["rss_mib"],
    }


def _wall_ms(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp() * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=60)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between alerts")
    args = parser.parse_args()
    print(json.dumps(measure(args.alerts, args.every), indent=2))


if __name__ == "__main__":
    main()
