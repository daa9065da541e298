"""Every recorded frame of the seven venues and what it comes to: `python -m benchmarks.frames_table`.

Frames are read as for the golden files (tests/golden). Exit 1 if any frame was not understood, 2 without recordings.
"""

import sys
from collections import Counter
from pathlib import Path

from actors.exchanges.registry import EXCHANGES
from tests.golden.make import RECORDED, outcomes

_MALFORMED, _NO_RECORDINGS = 1, 2


def recordings(venue: str) -> list[Path]:
    """The frames of sockets and the single messages; a venue's REST replies and tables are no frames."""
    places = ("fixtures", "ws", "node_fills")
    return [file for place in places for file in sorted((RECORDED / venue / place).glob("*.json*"))]


def main() -> int:
    if not RECORDED.is_dir():
        print(f"recorded data is not here: {RECORDED}", file=sys.stderr)
        return _NO_RECORDINGS
    totals: Counter[str] = Counter()
    for venue in EXCHANGES:
        for file in recordings(venue):
            counted: Counter[str] = Counter()
            frames = 0
            for kinds, _ in outcomes(venue, file):
                frames += 1
                counted.update({kind.partition("*")[0]: int(kind.partition("*")[2] or 1) for kind in kinds.split()})
            totals.update(counted)
            told = ", ".join(f"{number} {kind}" for kind, number in counted.most_common())
            print(f"{venue:<12}{file.parent.name}/{file.name:<58}{frames:>7}  {told}")
    print(f"\n{'outcome':<24}{'records':>9}")
    for kind, number in totals.most_common():
        print(f"{kind:<24}{number:>9}")
    return _MALFORMED if totals["FrameError"] else 0


if __name__ == "__main__":
    sys.exit(main())
