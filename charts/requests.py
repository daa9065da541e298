"""What a picture is to show, as plain data: it travels over a pipe to the process that draws."""

from enum import StrEnum
from typing import NamedTuple

import msgspec


class ChartKind(StrEnum):
    CANDLES = "candles"
    OPEN_INTEREST = "oi"
    CVD = "cvd"
    PROFILE = "profile"
    LIQUIDATIONS = "liquidations"
    ZONES = "zones"
    INCIDENT = "incident"


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class Candle(NamedTuple):
    """USD per coin."""

    from_ms: int
    open: float
    high: float
    low: float
    close: float


class Burst(NamedTuple):
    """Liquidated positions of one step of time, USD."""

    from_ms: int
    long_usd: float
    short_usd: float


class Cell(NamedTuple):
    """Liquidated positions of one step of time and one band of prices, USD; `low` is the band's lower edge."""

    from_ms: int
    low: float
    long_usd: float
    short_usd: float


class ZoneBand(NamedTuple):
    """A predicted zone: prices in USD per coin, whose positions, since when; `label` stands beside it."""

    low: float
    high: float
    longs: bool
    from_ms: int
    label: str


class Rate(NamedTuple):
    """How many of `predicted` were `reached`; `by_chance`: the share that a price without drift reaches."""

    name: str
    reached: int
    predicted: int
    by_chance: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """(ms, value) oldest first. `label` stands at its end."""

    name: str
    label: str
    points: tuple[tuple[int, float], ...]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Volume by price: (lower edge, USD) in rows of `row_width` USD per coin; edges of the value area."""

    rows: tuple[tuple[float, float], ...]
    row_width: float
    poc: float
    value_area_low: float
    value_area_high: float


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What an incident passed at `at_ms`: a level of `Burst` sums in USD, of open interest in per cent, or of the request's
    `measure`.
    """

    at_ms: int
    label: str
    burst_usd: float | None = None
    open_interest_pct: float | None = None
    measure: float | None = None


class ChartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`title`, `subtitle` and `notes` are written as they are, cut where they do not fit. `zone`: an IANA name for the
    axis of time. `step_ms`: width of candles, bursts and cells. Lines of open interest are changes in per cent since
    `from_ms`, those of CVD in USD. `measure`: what an incident is judged by where that is nothing else in the picture, its name
    the caption; `measure_unit`: USD, or nothing for a count. Empty parts are said to be missing.
    """

    kind: ChartKind
    title: str
    subtitle: str
    from_ms: int
    until_ms: int
    step_ms: int
    theme: Theme = Theme.DARK
    zone: str = "UTC"
    notes: tuple[str, ...] = ()
    candles: tuple[Candle, ...] = ()
    bursts: tuple[Burst, ...] = ()
    cells: tuple[Cell, ...] = ()
    band: float = 0.0  # height of a cell as a share of its price
    lines: tuple[Line, ...] = ()
    profile: Profile | None = None
    threshold: Threshold | None = None
    measure: Line | None = None
    measure_unit: str = ""
    zones: tuple[ZoneBand, ...] = ()
    rates: tuple[Rate, ...] = ()
