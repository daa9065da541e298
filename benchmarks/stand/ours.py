"""Our own classes as the daemon runs them: the reader alone, and a connection actor with symbol streams on a worker."""

import gc
import itertools
import queue
import sys
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.clock import Clock
from actors.connection import Connection, ConnectionRules
from actors.exchanges.exchange import Feed, Instrument, TradeColumns
from actors.exchanges.registry import EXCHANGES
from actors.mailbox import Lane, Letter, MailboxSpec, new_future
from actors.messages.market import OpenInterestSeen
from actors.messages.supervision import ChildReady
from actors.reader_words import ReaderEnded
from actors.socket_reader import SocketReader, SocketRules
from actors.supervised import Birth, Supervised
from actors.symbol_stream import SymbolStream
from actors.system import System
from actors.worker import Worker
from benchmarks.stand.frames import symbols
from benchmarks.stand.meter import Meter
from intelligence.detectors.asset import DetectionRules
from intelligence.market import OpenInterest

VENUE = EXCHANGES["binance"]
GATHER_S = 0.005
LAST = OpenInterestSeen(
    record=OpenInterest(
        venue="binance", instrument="", asset="", exchange_ms=0, received_ms=0, quantity=0.0, notional_usd=None
    )
)


class Sink(Supervised):
    """Stands where the venue monitor and the catalogue would."""

    def handle(self, message: Any) -> None:
        pass


class Measured(Connection):
    """A connection whose trades are counted once they are on their way."""

    meter: Meter

    def _publish_trades(self, reader: SocketReader, columns: dict[str, TradeColumns], received_ms: int) -> None:
        super()._publish_trades(reader, columns, received_ms)
        if reader.counts["trades_shed"]:
            raise SystemExit("trades were shed")
        self.meter.step(sum(len(times_ms) for times_ms, _, _ in columns.values()))


def listed(count: int) -> tuple[Instrument, ...]:
    return tuple(
        Instrument(venue="binance", instrument=name, asset=name.removesuffix("USDT")) for name in symbols(count)
    )


def arrangements(port: int, count: int, gather_s: float) -> dict[str, Any]:
    instruments = listed(count)
    assets = frozenset(one.asset for one in instruments)
    return {
        "instruments": instruments,
        "assets": assets,
        "url": f"ws://127.0.0.1:{port}",
        # A venue has more sockets than the stand: all symbols go over one.
        "plan": VENUE.sockets(instruments, assets, frozenset({Feed.TRADES}))[0],
        "rules": SocketRules(connect_timeout_s=5.0, subscribe_ack_s=30.0, max_frame_bytes=1 << 20, gather_s=gather_s),
    }


def ingest(port: int, trades: int, count: int) -> None:
    """Socket to columns in coins, by the reader's thread."""
    given = arrangements(port, count, 0.0)
    step, told = Meter(trades).step, queue.SimpleQueue[Any]()

    def publish(_reader: SocketReader, columns: dict[str, TradeColumns], _received_ms: int) -> None:
        step(sum(len(times_ms) for times_ms, _, _ in columns.values()))

    reader = SocketReader(
        number=1,
        name="/ingest",
        url=given["url"] + given["plan"].path,
        plan=given["plan"],
        exchange=VENUE,
        keepalive=VENUE.keepalive,
        instruments={one.instrument: one for one in given["instruments"]},
        rules=given["rules"],
        clock=Clock(),
        notify=told.put,
        publish=lambda _reader, _records: None,
        publish_trades=publish,
    )
    gc.freeze()
    reader.start()
    while not isinstance(word := told.get(), ReaderEnded):
        pass
    raise SystemExit(f"the reader ended: {word.reason}")


def pipeline(port: int, trades: int, count: int, gather_s: float = 0.0) -> None:
    """Socket to updated window in the symbol actors, waiting at the end until every one has nothing left to do."""
    given = arrangements(port, count, gather_s)
    clock, worker = Clock(), Worker("symbols")
    clock.start()
    worker.start()
    system, notices, epochs = System(clock), queue.SimpleQueue[Any](), itertools.count(1)

    def start(path: str, actor: type[Supervised], on: Worker | None = None, **args: Any) -> None:
        place = system.place(path, MailboxSpec(retain_max=64))
        place.epoch = next(epochs)
        actor.start(Birth(system, path, place.epoch, args, notices.put, on))
        if not isinstance(notice := notices.get(timeout=10), ChildReady):
            sys.exit(f"not started: {notice}")

    def settle() -> None:
        """In the lane of the trades, so that every answer comes behind all of them."""
        futures = [new_future() for _ in given["instruments"]]
        for future, one in zip(futures, given["instruments"], strict=True):
            system.post(paths.symbol_path(one.asset), Letter(LAST, Lane.DATA, reply=future))
        for future in futures:
            future.get(timeout=30)

    start(paths.VENUES, Sink)
    start(f"{paths.CATALOGUES}/binance", Sink)
    for one in given["instruments"]:
        path = paths.symbol_path(one.asset)
        start(path, SymbolStream, worker, child_id=path.rpartition("/")[2], rules=DetectionRules())
    Measured.meter = Meter(trades, settle)
    gc.freeze()
    start(
        f"{paths.FEEDS}/binance-trades-1",
        Measured,
        child_id="binance-trades-1",
        venue="binance",
        ws_url=given["url"],
        plan=given["plan"],
        keepalive=VENUE.keepalive,
        instruments=given["instruments"],
        assets=given["assets"],
        rules=ConnectionRules(socket=given["rules"], backoff=Backoff(base_s=1, factor=2, cap_s=60), dedup_s=5.0),
    )
    sys.exit(f"an actor ended: {notices.get()}")


def gathered(port: int, trades: int, count: int) -> None:
    pipeline(port, trades, count, GATHER_S)
