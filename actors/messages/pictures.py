"""What a picture is drawn of, and the picture."""

from dataclasses import dataclass

from charts.requests import ChartRequest
from intelligence.tape import PackedTape


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeWanted:
    """Ask a symbol stream for `PackedTape`, for pictures: the answer, or told to `path` as `TapeTold`. Only at a path that
    exists, like `AskMarket`.
    """

    period_s: int
    path: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTold:
    """`key` is the asker's own."""

    tape: PackedTape
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartWanted:
    """Ask for a picture: `ChartDrawn` or `ChartNotDrawn` is the answer, and told to `path` if there is one. Nobody wants it
    any more after `until_s` (machine seconds).
    """

    request: ChartRequest
    until_s: float
    path: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDrawn:
    """`key` is the asker's own."""

    png: bytes
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartNotDrawn:
    """`reason` is for people."""

    reason: str
    key: str = ""
