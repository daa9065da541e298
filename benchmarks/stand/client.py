"""One case in a process of its own: `python -m benchmarks.stand.client CASE PORT TRADES SYMBOLS`."""

import sys

from benchmarks.stand.cases import CASES

if __name__ == "__main__":
    name, port, trades, count = sys.argv[1:5]
    sys.modules["wsaccel"] = None  # type: ignore[assignment]  # what a plain installation has
    CASES[name].load()(int(port), int(trades), int(count))
