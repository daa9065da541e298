"""What recording costs: the reader's part of a read, and the recorder's: `python -m benchmarks.recording`."""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from actors import paths
from actors.clock import Clock
from actors.mailbox import Lane, MailboxSpec
from actors.messages.supervision import ChildExited, StopRequested
from actors.recording.entries import FramesRead
from actors.recording.recorder import Recorder
from actors.supervised import Birth
from actors.system import System
from config.loading import load_settings

READ_BYTES = 4096  # of a read of trades at some thousand trades a second
PAUSE_EVERY = 50  # reads, so that the recorder keeps up as it would with a venue
PAUSE_S = 0.002


def frames(count: int) -> bytes:
    """Lines like those of a socket of trades."""
    line = '{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{0},"s":"BTCUSDT","p":"{1}.10","q":"0.0{2}"}}}}\n'
    return "".join(
        line.format(1_750_000_000_000 + n, 60_000 + n * 37 % 900, n * 7919 % 997) for n in range(count)
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=20_000)
    args = parser.parse_args()
    system, ended = System(Clock()), threading.Event()
    place = system.place(paths.RECORDER, MailboxSpec(data_max=1_000, retain_max=100))
    place.epoch = 1
    with tempfile.TemporaryDirectory() as folder:
        made = {"folder": Path(folder), "rules": load_settings().settings.recording, "market": "live", "venues": ()}
        Recorder.start(
            Birth(system, paths.RECORDER, 1, made, lambda told: ended.set() if isinstance(told, ChildExited) else None)
        )
        spent_s = _feed(system, args.reads)
        system.address(paths.RECORDER).tell(StopRequested(reason="done", drain=True))
        ended.wait(60)
        on_disk = sum(file.stat().st_size for file in Path(folder).iterdir())
    written = args.reads * READ_BYTES
    print(f"reader: {spent_s / args.reads * 1e6:.1f} us a read of {READ_BYTES} bytes")
    print(f"recorder: {place.vitals.cpu_s / args.reads * 1e6:.1f} us a read on its own thread")
    print(f"{written / on_disk:.1f} times smaller, {place.mailbox.dropped} reads dropped")


def _feed(system: System, reads: int) -> float:
    """Send as a reader does; the processor time of that, in seconds."""
    text = memoryview(frames(20_000))
    recorder, spent_s = system.address(paths.RECORDER), 0.0
    for number in range(reads):
        start = number * READ_BYTES % (len(text) - READ_BYTES)
        begun_s = time.thread_time()
        read = FramesRead(
            at_ms=number,
            venue="binance",
            connection="binance-trades-1",
            reader=1,
            frames=(bytes(text[start : start + READ_BYTES]),),
        )
        recorder.tell(read, lane=Lane.DATA)
        spent_s += time.thread_time() - begun_s
        if number % PAUSE_EVERY == 0:
            time.sleep(PAUSE_S)
    return spent_s


if __name__ == "__main__":
    main()
