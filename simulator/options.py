"""The command line of `python -m simulator`."""

import argparse
from collections.abc import Sequence

from simulator.assets import ASSETS
from simulator.listings import DEFAULT_VENUES, VENUES


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=_ABOUT)
    parser.add_argument("--speed", type=_positive, default=10.0, help="market seconds per real second (default 10)")
    parser.add_argument("--seed", type=int, default=4, help="of the market model (default 4)")
    parser.add_argument("--assets", type=_asset_count, default=50, help="how many assets (default 50)")
    parser.add_argument("--venues", type=_venues, default=DEFAULT_VENUES, help=_VENUES)
    parser.add_argument("--trades-per-s", type=_not_negative, default=1000.0, help=_TRADES)
    parser.add_argument("--frenzies", action="store_true", help="let an asset be the talk of the town now and then")
    parser.add_argument("--start", type=int, default=None, metavar="MS", help="market time of the start (default now)")
    parser.add_argument("--hold", action="store_true", help="let market time stand still until POST /_sim/go")
    parser.add_argument("--tape", action="append", default=[], metavar="VENUE:FILE", help="serve a recording instead")
    parser.add_argument("--lead-in", type=_positive, default=1.0, help="real seconds from subscriber to first record")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so many real seconds (default 0: never)")
    parser.add_argument("--parent", type=int, default=None, metavar="PID", help="end when this parent is gone")
    return parser.parse_args(arguments)


_VENUES = f"comma-separated, some of {', '.join(VENUES)}; all for all of them (default {','.join(DEFAULT_VENUES)})"
_TRADES = """trades per real second over all venues and assets; at a higher --speed each stands for more of the market's
volume, so that a faster market does not mean more trades a real second (default 1000)"""
_ABOUT = """Serve a simulated market, or recorded tapes, on loopback in the protocols of the venues. The first line
on stdout is JSON and says where. Ends with its parent process, on SIGTERM, and after --seconds."""


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected more than 0, was {text}")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, was {text}")
    return value


def _asset_count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= len(ASSETS):
        raise argparse.ArgumentTypeError(f"expected 1 to {len(ASSETS)}, was {text}")
    return value


def _venues(text: str) -> tuple[str, ...]:
    if text == "all":
        return VENUES
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in VENUES:
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(VENUES)}, was {name!r}")
    return names
