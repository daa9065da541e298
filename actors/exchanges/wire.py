"""JSON frames of any venue: number types that refuse nonsense, and lists whose bad rows do not cost the good ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from actors.exchanges.exchange import FrameError, Instrument, Refusal, UnknownInstrument
from intelligence.market import Control, Decoded

# Wide enough for the smallest coin and the largest contract, narrow enough that no product or quotient of two such
# numbers overflows or vanishes. NaN and infinity fail both bounds.
_SMALLEST = 1e-18
_LARGEST = 1e18
_YEAR_2015_MS = 1_420_070_400_000  # older than any venue here; seconds sent as milliseconds fall below it
_YEAR_2050_MS = 2_524_608_000_000  # microseconds sent as milliseconds lie above it

Positive = Annotated[float, msgspec.Meta(ge=_SMALLEST, lt=_LARGEST)]
NonNegative = Annotated[float, msgspec.Meta(ge=0, lt=_LARGEST)]
FundingRate = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Signed = Annotated[float, msgspec.Meta(gt=-_LARGEST, lt=_LARGEST)]
AnyEpoch = Annotated[float, msgspec.Meta(ge=0, lt=_LARGEST)]  # seconds or milliseconds, see `milliseconds`
EpochMs = Annotated[int, msgspec.Meta(ge=_YEAR_2015_MS, lt=_YEAR_2050_MS)]

# All that msgspec raises for bytes from outside; RecursionError comes from thousands of open brackets.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_EXCERPT_CHARS = 120
_THREE_DAYS_S = 259_200.0

Row = TypeVar("Row")
Item = TypeVar("Item")


def problem_in(raw: bytes | memoryview | msgspec.Raw, error: BaseException) -> FrameError:
    """Say what msgspec found wrong (it names the field) and how the offending text begins, control characters escaped."""
    text = bytes(memoryview(raw)[: _EXCERPT_CHARS + 1]).decode(errors="replace")
    shown = text if len(text) <= _EXCERPT_CHARS else text[:_EXCERPT_CHARS] + "…"
    return FrameError(f"{error}, found in {shown!r}")


def epoch_or_none(field: str, value: int | None) -> int | None:
    """Read a time whose absence venues write as 0. Raises FrameError for a time outside 2015 to 2050."""
    if not value:
        return None
    if not _YEAR_2015_MS <= value < _YEAR_2050_MS:
        raise FrameError(f"{field}: expected a time in ms between 2015 and 2050, was {value}")
    return value


def milliseconds(field: str, value: float) -> int:
    """Read a time that a venue sends now in seconds, now in milliseconds (Gate), by its magnitude. Raises FrameError."""
    scaled = round(value if value >= _YEAR_2015_MS else value * 1_000)
    if not _YEAR_2015_MS <= scaled < _YEAR_2050_MS:
        raise FrameError(f"{field}: expected a time in s or ms between 2015 and 2050, was {value:g}")
    return scaled


def listing_time(value: object) -> int | None:
    """Read since when a contract is traded: seconds or milliseconds, as a number or as text. None for 0, and for nonsense,
    because a contract whose age is unknown is as good as any other.
    """
    try:
        return milliseconds("listing time", float(str(value)))
    except (FrameError, ValueError, OverflowError):
        return None


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[first : first + size] for first in range(0, len(items), size))


class Findings:
    """What the rows of one frame came to: events, rows set aside by reason, and rows that could not be read."""

    __slots__ = ("aside", "events", "problems")

    def __init__(self) -> None:
        self.events: list[Decoded] = []
        self.aside: dict[str, list[str]] = {}
        self.problems: list[FrameError] = []

    def set_aside(self, reason: str, instrument: str) -> None:
        self.aside.setdefault(reason, []).append(instrument)

    def conclude(self, venue: str, received_ms: int) -> tuple[Decoded, ...]:
        """Return the events and one `Control` for each reason. Raises FrameError holding them if any row was bad."""
        for reason, names in self.aside.items():
            several = f"{len(names)} rows" if len(names) > 1 else ""
            only = names[0] or None if len(set(names)) == 1 else None
            self.events.append(
                Control(venue=venue, reason=reason, received_ms=received_ms, instrument=only, detail=several)
            )
        decoded = tuple(self.events)
        if self.problems:
            raise self._error(decoded)
        return decoded or (Control(venue=venue, reason="empty", received_ms=received_ms),)

    def _error(self, decoded: tuple[Decoded, ...]) -> FrameError:
        others = len(self.problems) - 1
        text = str(self.problems[0])
        if others:
            text += f" (and {others} more {'row' if others == 1 else 'rows'})"
        unknown = all(isinstance(problem, UnknownInstrument) for problem in self.problems)
        return UnknownInstrument(text, decoded) if unknown else FrameError(text, decoded)


class RowReader(Generic[Row]):
    """Reads a JSON list of rows of one type: all at once, and one by one only when that fails."""

    def __init__(self, row_type: type[Row]) -> None:
        self._all = msgspec.json.Decoder(list[row_type], strict=False)  # type: ignore[valid-type]
        self._one = msgspec.json.Decoder(row_type, strict=False)

    def read(self, raw: bytes | msgspec.Raw, problems: list[FrameError]) -> list[Row]:
        """Return the good rows; each bad one adds to `problems`."""
        try:
            return self._all.decode(raw)
        except UNDECODABLE:
            return self._one_by_one(raw, problems)

    def _one_by_one(self, raw: bytes | msgspec.Raw, problems: list[FrameError]) -> list[Row]:
        rows: list[Row] = []
        for piece in pieces_of(raw, problems):
            try:
                rows.append(self._one.decode(piece))
            except UNDECODABLE as error:
                problems.append(problem_in(piece, error))
        return rows


_PIECES = msgspec.json.Decoder(list[msgspec.Raw])


def pieces_of(raw: bytes | memoryview | msgspec.Raw, problems: list[FrameError]) -> list[msgspec.Raw]:
    """Split a JSON list without reading its elements."""
    try:
        return _PIECES.decode(raw)
    except UNDECODABLE as error:
        problems.append(problem_in(raw, error))
        return []


def counted(left_out: Mapping[str, int], problems: list[FrameError]) -> tuple[tuple[str, int], ...]:
    """Order the reasons for which instruments were left out, unreadable rows among them, for `InstrumentPage`."""
    unreadable = {"malformed": len(problems)} if problems else {}
    return tuple(sorted({**left_out, **unreadable}.items()))


def retry_after_s(headers: Mapping[str, str], otherwise: float) -> float:
    """Read `Retry-After` in seconds, at most three days (Binance's longest ban); `otherwise` where it is no number."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(value), _THREE_DAYS_S) if value.isascii() and value.isdigit() else otherwise


def wait(reason: str, seconds: float, advice: str) -> Refusal:
    return Refusal(reason=reason, permanent=False, retry_after_s=seconds, advice=advice)


def geo_blocked(venue: str) -> Refusal:
    return Refusal(
        reason="geo_blocked",
        permanent=True,
        retry_after_s=0.0,
        advice=f"{venue} does not serve this country: run Foreshock where it does, or switch the venue off",
    )


class Listed:
    """The instruments of one venue by name, for a decoder.

    `derive` reads an instrument out of a name of ours (None: another market). It serves where no list was given, and
    tells a contract that the list leaves out (`not_listed`) from one of another market. With `needs_list` a name of
    ours that is not on the list is an error, because nothing can be said of its unit.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        derive: Callable[[str], Instrument | None],
        *,
        needs_list: bool = False,
    ) -> None:
        self.known = dict(instruments)
        self._derive = derive
        self._closed = bool(instruments)
        self._needs_list = needs_list

    def find(self, name: str, found: Findings) -> Instrument | None:
        """Look the name up; None when it has been set aside or reported as unknown."""
        if (known := self.known.get(name)) is not None:
            return known
        if (derived := self._derive(name)) is None:
            found.set_aside("other_market", name)
        elif self._needs_list:
            absent = "does not hold it (too old?)" if self._closed else "is missing"
            problem = f"the contract size of {name!r:.80} is unknown, because the list of instruments {absent}"
            found.problems.append(UnknownInstrument(problem))
        elif self._closed:
            found.set_aside("not_listed", name)
        else:
            self.known[name] = derived
            return derived
        return None
