"""`python -m simulator`: print one JSON line once the sockets listen, then serve until told to end."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable

from simulator.assembly import market_server, ready_line, tape_server
from simulator.clock import ClockMap
from simulator.driver import TapePlayer, print_line, run_market, run_tape, run_ticks, standing_clock
from simulator.market import Market, MarketRules
from simulator.options import read_options
from simulator.server import SimulatorServer
from simulator.tape import Tape, TapeError, read_tapes

PARENT_POLL_S = 0.25


async def _parent_gone(parent: int) -> None:
    """Return once another process adopted us.

    Not PR_SET_PDEATHSIG: that one fires when the thread which started us ends, though its process lives on.
    """
    while os.getppid() == parent:  # noqa: ASYNC110  the kernel sends no event for it
        await asyncio.sleep(PARENT_POLL_S)


def _watch_signals() -> asyncio.Event:
    """Called before the ready line is out: who read it may send a signal at once."""
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked


async def _serve_market(options: argparse.Namespace) -> None:
    asked = _watch_signals()
    begin_ms = time.time_ns() // 1_000_000 if options.start is None else options.start
    start_ms = begin_ms // 100 * 100  # on a whole step, so that windows of a second end on it
    market = Market(
        seed=options.seed,
        start_ms=start_ms,
        assets=options.assets,
        venues=options.venues,
        rules=MarketRules(frenzies=options.frenzies),
        trades_per_s=options.trades_per_s / options.speed,
    )
    clock = ClockMap([(time.monotonic(), start_ms, 0.0 if options.hold else options.speed)])
    server = market_server(market, clock, venues=options.venues, speed=options.speed, announce=print_line)
    port = await server.start(options.port)
    print_line(ready_line(server, port, seed=options.seed, mode="market", assets=options.assets))
    await _until_the_end(server, options, asked, run_market(server, market))


async def _serve_tape(options: argparse.Namespace, tape: Tape) -> None:
    asked = _watch_signals()
    clock = standing_clock(tape, time.monotonic(), options.speed, options.lead_in)
    server = tape_server(tape, clock)
    port = await server.start(options.port)
    symbols = sum(len(tape.symbols(venue)) for venue in tape.venues)
    print_line(ready_line(server, port, seed=options.seed, mode="tape", assets=symbols))
    player = TapePlayer(server, tape, speed=options.speed, lead_in_s=options.lead_in)
    await _until_the_end(server, options, asked, run_tape(player))


async def _until_the_end(
    server: SimulatorServer, options: argparse.Namespace, asked: asyncio.Event, work: Awaitable[None]
) -> None:
    """Serve until a signal, the end of the parent, or the end of time; raises what went wrong in `work`."""
    jobs = [asyncio.ensure_future(work), asyncio.ensure_future(run_ticks(server))]
    ends = [asyncio.ensure_future(asked.wait()), asyncio.ensure_future(_parent_gone(options.parent))]
    if options.seconds > 0:
        ends.append(asyncio.ensure_future(asyncio.sleep(options.seconds)))
    waiting = {*jobs, *ends}
    while not any(end.done() for end in ends):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await server.stop()


def main() -> int:
    options = read_options()
    options.parent = options.parent or os.getppid()  # now: once the ready line is out, it may be gone any moment
    try:
        if options.tape:
            asyncio.run(_serve_tape(options, read_tapes(options.tape)))
        else:
            asyncio.run(_serve_market(options))
    except (TapeError, UnicodeDecodeError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
