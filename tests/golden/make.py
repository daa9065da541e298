"""What our decoders make of every recorded frame, as text: `python -m tests.golden.make` writes the files anew.

The recordings stay where they are; here is only our reading of them. See README.md for how it was reviewed.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from actors.exchanges.exchange import FrameError
from actors.exchanges.registry import EXCHANGES

GOLDEN = Path(__file__).parent
RECORDED = GOLDEN.parents[2] / "shared" / "data"
LISTS = {  # the others are read without
    "okx": "okx/rest/instruments_swap_2022-05-13.json",
    "gate": "gate/rest/contracts_usdt_2023-05-24.json.gz",
    "all_dexs_asset_ctxs.json": "hyperliquid/rest/meta_sdk.json",  # of 2023, whose places still hold
}
VENUES = tuple(EXCHANGES)
NO_CLOCK_MS = {"hyperliquid": 1_777_777_777_000}  # its contexts carry no time, so that of receipt has to be one


def fixtures(venue: str) -> Iterator[str]:
    """Every record of the single messages, in full."""
    for file in sorted((RECORDED / venue / "fixtures").glob("*.jsonl")):
        yield f"# {file.name}"
        for number, (_, text) in enumerate(outcomes(venue, file), start=1):
            yield from (f"{number} {line}" for line in text.splitlines())


def streams(venue: str) -> Iterator[str]:
    """One line for each frame of the streams: what it is, and the digest of its records."""
    for file in sorted((RECORDED / venue / "ws").glob("*.json*")):
        if file.suffix == ".gz":
            continue
        yield f"# {file.name}"
        for number, (kinds, text) in enumerate(outcomes(venue, file), start=1):
            yield f"{number} {_digest(text)[:12]} {kinds}"


def totals(venue: str) -> Iterator[str]:
    """Of the compressed streams: how many of what, the digest of all, and every 2000th frame in full."""
    for file in sorted((RECORDED / venue).glob("[wn][so]*/*.jsonl.gz")):  # ws/ and, of Hyperliquid, node_fills/
        found = list(outcomes(venue, file))
        yield f"# {file.name}"
        yield f"digest {_digest(''.join(text for _, text in found))}"
        yield from (f"{count} x {kinds}" for kinds, count in sorted(Counter(kinds for kinds, _ in found).items()))
        for number in range(0, len(found), 2000):
            yield from (f"{number + 1} {line}" for line in found[number][1].splitlines())


def outcomes(venue: str, file: Path) -> Iterator[tuple[str, str]]:
    """The kinds of the records of each line, and the records as JSON lines; `received_ms` is the recorder's, or 0."""
    exchange = EXCHANGES[venue]
    listing = LISTS.get(file.name) or LISTS.get(venue)
    page = exchange.read_instruments(_content(RECORDED / listing)) if listing else None
    decoder = exchange.decoder({one.instrument: one for one in page.instruments} if page else {})
    lines = [_content(file)] if file.suffix == ".json" else _content(file).splitlines()
    clock = file.with_suffix(".recv_ms")
    without = [NO_CLOCK_MS.get(venue, 0)] * len(lines)
    times = [int(line) for line in clock.read_text().split()] if clock.exists() else without
    for line, received_ms in zip(lines, times, strict=True):
        try:
            decoded = decoder.decode(line, received_ms)
        except FrameError as error:
            yield "FrameError", f"FrameError {error}\n"
            continue
        kinds = Counter(getattr(record, "reason", type(record).__name__) for record in decoded)
        yield (
            " ".join(f"{kind}*{count}" if count > 1 else kind for kind, count in kinds.items()),
            "".join(f"{msgspec.json.encode(record).decode()}\n" for record in decoded),
        )


def _content(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def golden_files() -> Iterator[tuple[Path, list[str]]]:
    for venue in VENUES:
        for make in (fixtures, streams, totals):
            if lines := list(make(venue)):
                yield GOLDEN / f"{venue}.{make.__name__}.txt", lines


if __name__ == "__main__":
    for path, lines in golden_files():
        path.write_text("\n".join(lines) + "\n")
