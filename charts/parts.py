"""The parts of pictures, out of what a symbol stream knows. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import floor, log

from charts.requests import Burst, Candle, Cell, Line
from intelligence.answers.layout import venue as venue_name
from intelligence.history import Contract
from intelligence.minute import MINUTE_MS
from intelligence.tape import BAND, MarketTape, TapeCell

MAX_BANDS = 36  # of a heat map
MAX_BANDS_HIGH = 400  # of the finest, however far the price moved


def joined_candles(tape: MarketTape, step_ms: int) -> tuple[Candle, ...]:
    """Candles of trades; before the first of them, of the closes of the reference contract's minutes."""
    begin_ms = tape.minutes[0].from_ms if tape.minutes else tape.at_ms
    fine = []
    before: float | None = None
    for bar in tape.bars:
        if bar.open_ms >= begin_ms:
            break
        opened = bar.close if before is None else before
        fine.append(Candle(bar.open_ms, opened, max(opened, bar.close), min(opened, bar.close), bar.close))
        before = bar.close
    fine += [Candle(*minute[:5]) for minute in tape.minutes]
    found: dict[int, Candle] = {}
    for one in fine:
        at_ms = one.from_ms - one.from_ms % step_ms
        known = found.get(at_ms)
        found[at_ms] = (
            Candle(at_ms, *one[1:])
            if known is None
            else Candle(at_ms, known.open, max(known.high, one.high), min(known.low, one.low), one.close)
        )
    return tuple(found.values())


def bursts(cells: Iterable[TapeCell], step_ms: int) -> tuple[Burst, ...]:
    found: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for cell in cells:
        both = found[cell.from_ms - cell.from_ms % step_ms]
        both[0] += cell.long_usd
        both[1] += cell.short_usd
    return tuple(Burst(at_ms, *both) for at_ms, both in sorted(found.items()))


def heat_cells(cells: tuple[TapeCell, ...], step_ms: int) -> tuple[tuple[Cell, ...], float]:
    """Cells in as many bands as a picture can show, and the height of one."""
    if not cells:
        return (), BAND
    bands = [_band(cell.low) for cell in cells]
    joined = max(1, -(-min(max(bands) - min(bands) + 1, MAX_BANDS_HIGH) // MAX_BANDS))
    found: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for cell, band in zip(cells, bands, strict=True):
        one = found[cell.from_ms - cell.from_ms % step_ms, band // joined]
        one[0] = min(one[0] or cell.low, cell.low * (1 + BAND) ** -(band % joined))
        one[1] += cell.long_usd
        one[2] += cell.short_usd
    return tuple(Cell(at_ms, *one) for (at_ms, _), one in sorted(found.items())), joined * BAND


def _band(low: float) -> int:
    return floor(log(low) / BAND + 0.5)


def open_interest_lines(tape: MarketTape) -> tuple[Line, ...]:
    """The change of each venue's coins in per cent, the largest venue first. A venue's own contracts are added."""
    by_venue: dict[str, dict[Contract, tuple[tuple[int, float], ...]]] = defaultdict(dict)
    for contract, points in tape.open_interest:
        if points:
            by_venue[contract[0]][contract] = points
    found = []
    for venue, contracts in by_venue.items():
        sums = _together(contracts)
        if len(sums) > 1 and sums[0][1] > 0:
            first, last = sums[0][1], sums[-1][1]
            change = tuple((at_ms, 100 * (coins / first - 1)) for at_ms, coins in sums)
            found.append((-last, Line(name=venue, label=f"{change[-1][1]:+.2f} %", points=change)))
    return tuple(line for _, line in sorted(found, key=lambda one: (one[0], one[1].name)))


def _together(contracts: Mapping[Contract, tuple[tuple[int, float], ...]]) -> list[tuple[int, float]]:
    """The sum over the contracts of one venue, from when on each is known."""
    known: dict[Contract, float] = {}
    found = []
    events = sorted((at_ms, contract, coins) for contract, points in contracts.items() for at_ms, coins in points)
    for at_ms, contract, coins in events:
        known[contract] = coins
        if len(known) == len(contracts):
            found.append((at_ms, sum(known.values())))
    return found


def cvd_points(tape: MarketTape) -> tuple[tuple[tuple[int, float], ...], str]:
    """(ms, USD) summed up from the beginning, and whose trades they are: all venues' if they reach back far enough."""
    closed = [(one.from_ms + MINUTE_MS, one.buy_usd - one.sell_usd) for one in tape.flow]
    last_ms = closed[-1][0] if closed else 0
    ours = closed + [
        (minute.from_ms + MINUTE_MS, minute.buy_usd - minute.sell_usd)
        for minute in tape.minutes
        if minute.from_ms >= last_ms
    ]
    theirs = [
        (bar.open_ms + MINUTE_MS, (2 * bar.taker_buy_coins - bar.coins) * bar.close)
        for bar in tape.bars
        if bar.taker_buy_coins is not None
    ]
    if len(theirs) > len(ours) and tape.reference is not None:
        return _running(theirs), f"only {contract_name(tape.reference)}"
    return _running(ours), over(tape.venues)


def _running(deltas: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    total, found = 0.0, []
    for at_ms, delta in deltas:
        total += delta
        found.append((at_ms, total))
    return tuple(found)


def over(venues: tuple[str, ...]) -> str:
    """Whose figures they are."""
    if not venues:
        return "venues not judged yet"
    return f"{len(venues)} venues" if len(venues) > 3 else ", ".join(map(venue_name, venues))


def contract_name(contract: Contract) -> str:
    return f"{venue_name(contract[0])} {contract[1]}"
