"""From what a symbol stream knows to what a picture shows. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from charts.parts import bursts, contract_name, cvd_points, heat_cells, joined_candles, open_interest_lines, over
from charts.requests import ChartKind, ChartRequest, Line, Profile, Theme
from intelligence.amounts import compact_duration, compact_price, compact_usd
from intelligence.minute import MINUTE_MS
from intelligence.tape import MarketTape
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


# -- kinds ------------------------------------------------------------------------------------------------------------


def _candles(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    return replace(
        request,
        title=f"{request.title} price and liquidations",
        subtitle=f"{_span(request)}, {over(tape.venues)}",
        candles=joined_candles(tape, request.step_ms),
        bursts=bursts(tape.cells, request.step_ms),
        notes=_price_notes(tape, request) + _liquidation_notes(tape, request),
    )


def _open_interest(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    lines = open_interest_lines(tape)
    return replace(
        request,
        title=f"{request.title} open interest",
        subtitle=f"{_period(request)}, change of coins at each venue",
        lines=lines,
        notes=("venues count differently: never add them",) if len(lines) > 1 else (),
    )


def _cvd(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    points, whose = cvd_points(tape)
    return replace(
        request,
        title=f"{request.title} CVD",
        subtitle=f"{_period(request)}, takers' buys less sells, {whose}",
        candles=joined_candles(tape, request.step_ms),
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
        candles=joined_candles(tape, MINUTE_MS)[-1:],
        notes=(f"value area 70 %, rows of {compact_price(found.row_width)}",),
    )


def _volume_by_price(tape: MarketTape, request: ChartRequest) -> tuple[VolumeProfile | None, str]:
    """And of what it is made: of trades for a quarter of an hour, of the closes of minutes for longer."""
    if request.until_ms - request.from_ms <= (WINDOW_S + 60) * 1_000:
        return tape.profile, over(tape.venues)
    ours = [(one.close, one.buy_usd + one.sell_usd) for one in tape.flow if one.close > 0]
    theirs = [(bar.close, bar.close * bar.coins if bar.usd is None else bar.usd) for bar in tape.bars]
    if len(theirs) > len(ours) and tape.reference is not None:
        return profile_of_closes(theirs, request.from_ms), f"minute closes of {contract_name(tape.reference)}"
    return profile_of_closes(ours, request.from_ms), f"minute closes, {over(tape.venues)}"


def _liquidations(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    cells, band = heat_cells(tape.cells, request.step_ms)
    return replace(
        request,
        title=f"{request.title} liquidations",
        subtitle=f"{_span(request)} by price and time",
        candles=joined_candles(tape, request.step_ms),
        cells=cells,
        band=band,
        notes=_liquidation_notes(tape, request),
    )


def _zones(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    """The price alone: `zone_assembly` knows the zones."""
    candles = joined_candles(tape, request.step_ms)
    return replace(request, title=f"{request.title} predicted zones", subtitle=_span(request), candles=candles)


def _incident(tape: MarketTape, request: ChartRequest) -> ChartRequest:
    return replace(
        request,
        subtitle=f"{_span(request)}, {over(tape.venues)}",
        candles=joined_candles(tape, request.step_ms),
        bursts=bursts(tape.cells, request.step_ms),
        lines=open_interest_lines(tape),
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


# -- words ------------------------------------------------------------------------------------------------------------


def _span(request: ChartRequest) -> str:
    return f"{_period(request)}, {compact_duration(request.step_ms)} steps"


def _period(request: ChartRequest) -> str:
    whole_minutes_ms = (request.until_ms - request.from_ms) // MINUTE_MS * MINUTE_MS
    return f"last {compact_duration(whole_minutes_ms)}"


def _price_notes(tape: MarketTape, request: ChartRequest) -> tuple[str, ...]:
    if not tape.bars or tape.reference is None:
        return ()
    if not tape.minutes:
        return (f"from minute closes of {contract_name(tape.reference)}",)
    return (f"until {clock(tape.minutes[0].from_ms, request.zone)} from closes of {contract_name(tape.reference)}",)


def _liquidation_notes(tape: MarketTape, request: ChartRequest) -> tuple[str, ...]:
    since = ""
    if tape.liquidations_from_ms > request.from_ms:
        since = f", heard since {clock(tape.liquidations_from_ms, request.zone)}"
    return (f"liquidations: lower bound{since}",)


def clock(at_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _signed_usd(value: float) -> str:
    return f"{'+' if value > 0 else ''}{compact_usd(value)}"
