"""From what a symbol stream knows to what a picture shows. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import copysign, floor, log
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from charts.requests import Burst, Candle, Cell, ChartKind, ChartRequest, Line, Profile, Theme, Threshold
from intelligence.alerts import Alert, AlertKind
from intelligence.amounts import compact_duration, compact_price, compact_usd
from intelligence.answers.layout import venue as venue_name
from intelligence.history import Contract
from intelligence.market import PositionSide
from intelligence.minute import MINUTE_MS
from intelligence.tape import BAND, MarketTape, TapeCell
from intelligence.trade_window import WINDOW_S, VolumeProfile, profile_of_closes

STEPS_S = (60, 300, 900, 1_800, 3_600)
MAX_STEPS = 72  # of candles side by side: 15 pixels each, 5 on a phone
MAX_BANDS = 36  # of a heat map
MAX_BANDS_HIGH = 400  # of the finest, however far the price moved
INCIDENT_PERIOD_S = 3_600


def step_ms_of(period_s: int) -> int:
    return 1_000 * next((step for step in STEPS_S if period_s / step <= MAX_STEPS), STEPS_S[-1])


def chart_of(
    kind: ChartKind, tape: MarketTape, *, theme: Theme = Theme.DARK, zone: str = "UTC", heading: str = ""
) -> ChartRequest:
    """The picture of one kind over all of the tape; `heading` says so where the market is simulated or replayed."""
    request = ChartRequest(
        kind=kind,
        title=f"{heading} {tape.asset}".strip(),
        subtitle="",
        from_ms=tape.from_ms,
        until_ms=tape.at_ms,
        step_ms=step_ms_of((tape.at_ms - tape.from_ms) // 1_000),
        theme=theme,
        zone=zone,
    )
    return _PARTS[kind](tape, request)


def incident_chart(
    alert: Alert, tape: MarketTape, *, theme: Theme = Theme.DARK, zone: str = "UTC", heading: str = ""
) -> ChartRequest:
    """What happened around an alert: price, liquidations by side, open interest, and the line that was crossed."""
    request = chart_of(ChartKind.INCIDENT, tape, theme=theme, zone=zone, heading=heading)
    measure, unit = _MEASURES.get(alert.kind, _nothing)(alert, tape)
    return replace(
        request,
        title=f"{heading} {_INCIDENTS.get(alert.kind, alert.kind.value)}: {asset_shown(alert)}".strip(),
        threshold=_threshold(alert),
        measure=measure,
        measure_unit=unit,
        notes=(*request.notes, f"{alert.severity}, id {alert.alert_id}"),
    )


def asset_shown(alert: Alert) -> str:
    """The asset whose market the picture shows: of an incident of the whole market the one that moved first."""
    return str(dict(alert.context).get("first_mover", alert.asset))


def incident_period_s(alert: Alert) -> int:
    """An hour; where open interest changed, the window over which it did, so that the line of the threshold is exact."""
    if alert.kind is AlertKind.OPEN_INTEREST:
        return int(float(dict(alert.context).get("window_s", INCIDENT_PERIOD_S)))
    return INCIDENT_PERIOD_S


# -- kinds ------------------------------------------------------------------------------------------------------------


def _candles(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    return replace(
        request,
        title=f"{request.title} price and liquidations",
        subtitle=f"{_span(request)}, {_over(tape.venues)}",
        candles=_joined_candles(tape, request.step_ms),
        bursts=_bursts(tape.cells, request.step_ms),
        notes=_price_notes(tape, request) + _liquidation_notes(tape, request),
    )


def _open_interest(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    lines = _open_interest_lines(tape)
    return replace(
        request,
        title=f"{request.title} open interest",
        subtitle=f"{_period(request)}, change of coins at each venue",
        lines=lines,
        notes=("venues count differently: never add them",) if len(lines) > 1 else (),
    )


def _cvd(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    points, whose = _cvd_points(tape)
    return replace(
        request,
        title=f"{request.title} CVD",
        subtitle=f"{_period(request)}, takers' buys less sells, {whose}",
        candles=_joined_candles(tape, request.step_ms),
        lines=(Line(name="CVD", label=_signed_usd(points[-1][1]), points=points),) if points else (),
        notes=_price_notes(tape, request),
    )


def _profile(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    found, how = _volume_by_price(tape, request)
    if found is None:
        return replace(request, title=f"{request.title} volume profile", subtitle="no trades yet")
    return replace(
        request,
        title=f"{request.title} volume profile",
        subtitle=f"last {compact_duration(tape.at_ms - found.from_ms)}, {how}",
        from_ms=found.from_ms,
        profile=Profile(
            rows=found.rows,
            row_width=found.row_width,
            poc=found.poc,
            value_area_low=found.value_area_low,
            value_area_high=found.value_area_high,
        ),
        candles=_joined_candles(tape, MINUTE_MS)[-1:],
        notes=(f"value area 70 %, rows of {compact_price(found.row_width)}",),
    )


def _volume_by_price(tape: MarketTape, request: ChartRequest) -> tuple[VolumeProfile | None, str]:
    """And of what it is made: of trades for a quarter of an hour, of the closes of minutes for longer."""
    if request.until_ms - request.from_ms <= (WINDOW_S + 60) * 1_000:
        return tape.profile, _over(tape.venues)
    ours = [(one.close, one.buy_usd + one.sell_usd) for one in tape.flow if one.close > 0]
    theirs = [(bar.close, bar.close * bar.coins if bar.usd is None else bar.usd) for bar in tape.bars]
    if len(theirs) > len(ours) and tape.reference is not None:
        return profile_of_closes(theirs, request.from_ms), f"minute closes of {_contract(tape.reference)}"
    return profile_of_closes(ours, request.from_ms), f"minute closes, {_over(tape.venues)}"


def _liquidations(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    cells, band = _heat_cells(tape.cells, request.step_ms)
    return replace(
        request,
        title=f"{request.title} liquidations",
        subtitle=f"{_span(request)} by price and time",
        candles=_joined_candles(tape, request.step_ms),
        cells=cells,
        band=band,
        notes=_liquidation_notes(tape, request),
    )


def _zones(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    """The price alone: `zone_assembly` knows the zones."""
    candles = _joined_candles(tape, request.step_ms)
    return replace(request, title=f"{request.title} predicted zones", subtitle=_span(request), candles=candles)


def _incident(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    return replace(
        request,
        subtitle=f"{_span(request)}, {_over(tape.venues)}",
        candles=_joined_candles(tape, request.step_ms),
        bursts=_bursts(tape.cells, request.step_ms),
        lines=_open_interest_lines(tape),
    )


_PARTS: Mapping[ChartKind, Callable[[MarketTape, ChartRequest], ChartRequest]] = {
    ChartKind.CANDLES: _candles,
    ChartKind.OPEN_INTEREST: _open_interest,
    ChartKind.CVD: _cvd,
    ChartKind.PROFILE: _profile,
    ChartKind.LIQUIDATIONS: _liquidations,
    ChartKind.ZONES: _zones,
    ChartKind.INCIDENT: _incident,
}
_INCIDENTS = {
    AlertKind.CASCADE: "Cascade",
    AlertKind.OPEN_INTEREST: "Open interest",
    AlertKind.VOLUME_SPIKE: "Volume spike",
    AlertKind.MARKET_WIDE: "Market-wide, first",
}


def _threshold(alert: Alert) -> Threshold:
    at_ms = alert.started_ms or alert.exchange_ms
    if alert.kind is AlertKind.OPEN_INTEREST:
        pct = copysign(alert.threshold, float(dict(alert.context).get("change_pct", 1.0)))
        return Threshold(at_ms=at_ms, label=f"threshold {pct:+.3g} %", open_interest_pct=pct)
    if alert.kind is AlertKind.VOLUME_SPIKE:
        return Threshold(at_ms=at_ms, label=f"threshold {compact_usd(alert.threshold)}", measure=alert.threshold)
    if alert.kind is AlertKind.MARKET_WIDE:
        return Threshold(at_ms=at_ms, label=f"threshold {alert.threshold:.0f} assets", measure=alert.threshold)
    if alert.kind in {AlertKind.CASCADE, AlertKind.LIQUIDATION}:
        usd = alert.threshold if alert.position_side is PositionSide.SHORT else -alert.threshold
        return Threshold(at_ms=at_ms, label=f"threshold {compact_usd(alert.threshold)} in 1 min", burst_usd=usd)
    return Threshold(at_ms=at_ms, label="")


def _volume(alert: Alert, tape: MarketTape) -> tuple[Line | None, str]:
    """What was traded in each window of minutes that the alert is about, at its end."""
    minutes = max(1, int(float(dict(alert.context).get("window_s", 60)) / 60))
    sums = [one.buy_usd + one.sell_usd for one in tape.minutes]
    points = tuple(
        (one.from_ms + MINUTE_MS, sum(sums[end - minutes : end]))
        for end, one in enumerate(tape.minutes, start=1)
        if end >= minutes and one.from_ms + MINUTE_MS <= tape.at_ms
    )
    name = f"traded in {compact_duration(minutes * MINUTE_MS)}, USD"
    return (Line(name=name, label="", points=points) if len(points) > 1 else None), "USD"


def _breadth(alert: Alert, tape: MarketTape) -> tuple[Line | None, str]:
    """How many assets had fired, one after the other."""
    joined = [float(word) for word in str(dict(alert.context).get("joined_s", "")).split(",") if word]
    begun_ms = alert.started_ms or alert.exchange_ms
    points: list[tuple[int, float]] = [(tape.from_ms, 0.0)]
    for n, after_s in enumerate(joined, start=1):
        at_ms = begun_ms + int(1_000 * after_s)
        points += [(at_ms, n - 1.0), (at_ms, float(n))]
    points.append((tape.at_ms, float(len(joined))))
    return (Line(name="assets with alerts of their own", label="", points=tuple(points)) if joined else None), ""


def _nothing(_alert: Alert, _tape: MarketTape) -> tuple[Line | None, str]:
    return None, ""


_MEASURES: Mapping[AlertKind, Callable[[Alert, MarketTape], tuple[Line | None, str]]] = {
    AlertKind.VOLUME_SPIKE: _volume,
    AlertKind.MARKET_WIDE: _breadth,
}

# -- parts ------------------------------------------------------------------------------------------------------------


def _joined_candles(tape: MarketTape, step_ms: int) -> tuple[Candle, ...]:
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


def _bursts(cells: Iterable[TapeCell], step_ms: int) -> tuple[Burst, ...]:
    found: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for cell in cells:
        both = found[cell.from_ms - cell.from_ms % step_ms]
        both[0] += cell.long_usd
        both[1] += cell.short_usd
    return tuple(Burst(at_ms, *both) for at_ms, both in sorted(found.items()))


def _heat_cells(cells: tuple[TapeCell, ...], step_ms: int) -> tuple[tuple[Cell, ...], float]:
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


def _open_interest_lines(tape: MarketTape) -> tuple[Line, ...]:
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


def _cvd_points(tape: MarketTape) -> tuple[tuple[tuple[int, float], ...], str]:
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
        return _running(theirs), f"only {_contract(tape.reference)}"
    return _running(ours), _over(tape.venues)


def _running(deltas: Iterable[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    total, found = 0.0, []
    for at_ms, delta in deltas:
        total += delta
        found.append((at_ms, total))
    return tuple(found)


# -- words ------------------------------------------------------------------------------------------------------------


def _span(request: ChartRequest) -> str:
    return f"{_period(request)}, {compact_duration(request.step_ms)} steps"


def _period(request: ChartRequest) -> str:
    whole_minutes_ms = (request.until_ms - request.from_ms) // MINUTE_MS * MINUTE_MS
    return f"last {compact_duration(whole_minutes_ms)}"


def _over(venues: tuple[str, ...]) -> str:
    if not venues:
        return "venues not judged yet"
    return f"{len(venues)} venues" if len(venues) > 3 else ", ".join(map(venue_name, venues))


def _contract(contract: Contract) -> str:
    return f"{venue_name(contract[0])} {contract[1]}"


def _price_notes(tape: MarketTape, request: ChartRequest) -> tuple[str, ...]:
    if not tape.bars or tape.reference is None:
        return ()
    if not tape.minutes:
        return (f"from minute closes of {_contract(tape.reference)}",)
    return (f"until {clock(tape.minutes[0].from_ms, request.zone)} from closes of {_contract(tape.reference)}",)


def _liquidation_notes(tape: MarketTape, request: ChartRequest) -> tuple[str, ...]:
    since = ""
    if tape.liquidations_from_ms > request.from_ms:
        since = f", heard since {clock(tape.liquidations_from_ms, request.zone)}"
    return (f"liquidations: lower bound{since}",)


def clock(at_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _signed_usd(value: float) -> str:
    return f"{'+' if value > 0 else ''}{compact_usd(value)}"
