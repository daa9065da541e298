"""Everything that can be measured, by name."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

Client = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Case:
    """`where`: module and function. `trades`: enough for half a second or more. `needs`: a package that may be missing.
    `server`: further words to it.
    """

    says: str
    where: str
    trades: int
    needs: str = ""
    server: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        return not self.needs or importlib.util.find_spec(self.needs) is not None

    def load(self) -> Client:
        module, _, function = self.where.partition(":")
        client: Client = getattr(importlib.import_module(f"benchmarks.stand.{module}"), function)
        return client


CASES = {
    "bare": Case("raw socket, msgspec, nothing else", "bare:bare", 600_000),
    "picows": Case("picows + msgspec", "bare:picows", 400_000, "picows"),
    "ingest": Case("our reader: socket to columns", "ours:ingest", 600_000),
    "inline": Case("our window, no actors: the bound", "bare:inline", 400_000),
    "pipeline": Case("our pipeline: socket to window in a symbol actor", "ours:pipeline", 400_000),
    "gathered": Case("our pipeline, gathering for 5 ms", "ours:gathered", 400_000),
    "cryptofeed": Case("cryptofeed's trade callback", "peers:cryptofeed", 100_000, "cryptofeed"),
    "unicorn_picows": Case(
        "unicorn on picows, orjson", "peers:unicorn_picows", 100_000, "unicorn_binance_websocket_api"
    ),
    "unicorn": Case("unicorn raw, orjson", "peers:unicorn", 60_000, "unicorn_binance_websocket_api"),
    "ccxt": Case("ccxt.pro", "peers:ccxt", 20_000, "ccxt", ("--after-subscribe",)),
    "python_binance": Case("python-binance", "peers:python_binance", 30_000, "binance"),
    "run_forever": Case("websocket-client run_forever, json", "peers:run_forever", 20_000),
}
