"""Kinds of setting: what a value may be, how it is read from text, and how an error names what was expected."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

import msgspec
import platformdirs
from msgspec import Meta, inspect

ALWAYS_WATCHED = ("BTC", "ETH", "SOL", "ADA", "DOT")  # requirements.md 7: always part of the universe
MAX_RANKED = 2_000  # as many streams as the tree allows
_AUTO = re.compile(r"auto:(?P<n>[0-9]{1,4})", re.IGNORECASE)

# Lower bounds are small because tests shorten every wait; a zero would make a loop spin.
Seconds = Annotated[float, Meta(ge=0.001, le=86_400)]
SecondsOrZero = Annotated[float, Meta(ge=0, le=86_400)]
Age = Annotated[float, Meta(ge=0.001, le=2_592_000)]
Factor = Annotated[float, Meta(ge=1, le=10)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1_024, le=1_073_741_824)]
DiskBytes = Annotated[int, Meta(ge=4_096, le=2**44)]
Days = Annotated[float, Meta(ge=0.01, le=3_650)]
PerSecond = Annotated[float, Meta(ge=0.01, le=1_000)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
ChatId = Annotated[int, Meta(ge=-(2**52), le=2**52)]  # groups are negative; Bot API: at most 52 significant bits
UserId = Annotated[int, Meta(ge=1, le=2**52)]

# The detectors' rules are plain dataclasses: whatever number they hold is positive, and a share is part of one.
_POSITIVE = {float: Annotated[float, Meta(ge=1e-9, le=1e12)], int: Annotated[int, Meta(ge=1, le=10**12)]}


class Secret:
    """A value that no log, repr or `check` shows; false when there is none."""

    expected: ClassVar[str] = "text without spaces or line breaks"

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def parse(cls, value: Any) -> Self:
        if not isinstance(value, str) or re.search(r"\s", value):
            raise ValueError
        return cls(value)

    def __bool__(self) -> bool:
        return bool(self._text)

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


NO_SECRET = Secret("")


class TimeOfDay:
    """A time by the clock; `minute` since midnight, None for none."""

    expected: ClassVar[str] = "a time such as 08:00, or nothing"

    def __init__(self, minute: int | None) -> None:
        self.minute = minute

    @classmethod
    def parse(cls, value: Any) -> Self:
        if value == "":
            return cls(None)
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
        if found is None:
            raise ValueError
        return cls(int(found[1]) * 60 + int(found[2]))

    def __str__(self) -> str:
        return "" if self.minute is None else f"{self.minute // 60:02}:{self.minute % 60:02}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeOfDay) and other.minute == self.minute

    def __hash__(self) -> int:
        return hash(self.minute)


class Assets(tuple[str, ...]):  # noqa: SLOT001 - a tuple takes no slots, and `auto` has to stand somewhere
    """The coins that are watched from the start: those named, and the five that always are.

    `auto`: how many there are to be, ranked by turnover while the daemon runs; 0 where the names say it all.
    """

    auto: int = 0
    expected: ClassVar[str] = "a list of assets such as BTC,ETH,SOL, or auto:N with N from 5 to 2000"

    @classmethod
    def parse(cls, value: Any) -> Self:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError
        if len(names) == 1 and (ranked := _AUTO.fullmatch(names[0].strip())):
            return cls._ranked(int(ranked["n"]))
        if not all(name.isalnum() and len(name) <= 20 for name in names):
            raise ValueError
        return cls(dict.fromkeys((*ALWAYS_WATCHED, *(name.upper() for name in names))))

    @classmethod
    def _ranked(cls, size: int) -> Self:
        if not len(ALWAYS_WATCHED) <= size <= MAX_RANKED:
            raise ValueError
        assets = cls(ALWAYS_WATCHED)
        assets.auto = size
        return assets

    def __str__(self) -> str:
        return f"auto:{self.auto}" if self.auto else ",".join(self)


def data_folder(value: Any) -> Path:
    """Read a folder's name; empty stands for the place this platform keeps a user's data."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return Path(value or platformdirs.user_data_dir("foreshock", appauthor=False)).expanduser().absolute()


class _Url(str):
    """A base address without a slash at its end."""

    __slots__ = ()
    expected: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]

    @classmethod
    def parse(cls, value: Any) -> Self:
        if not isinstance(value, str) or re.search(r"\s", value):
            raise ValueError
        parts = urlsplit(value)  # raises ValueError for a broken IPv6 address
        if parts.scheme not in cls.schemes or not parts.hostname or parts.query or parts.fragment:
            raise ValueError
        _ = parts.port  # raises ValueError outside 0-65535
        cls.check_host(parts.scheme, parts.hostname)
        return cls(value.rstrip("/"))

    @classmethod
    def check_host(cls, scheme: str, host: str) -> None:
        """Raise ValueError for an address that this kind does not allow."""


class WebSocketUrl(_Url):
    __slots__ = ()
    expected = "an address such as wss://host[:port]"
    schemes = ("wss", "ws")


class RestUrl(_Url):
    __slots__ = ()
    expected = "an address such as https://host[:port]"
    schemes = ("https", "http")


class BotApiUrl(_Url):
    """The bot's token travels in the path of this address, so plain http may not leave the machine."""

    __slots__ = ()
    expected = "an https address, or plain http to a loopback address"
    schemes = ("https", "http")

    @classmethod
    def check_host(cls, scheme: str, host: str) -> None:
        if scheme == "http" and not _is_loopback(host):
            raise ValueError


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def convert(value: Any, kind: Any) -> Any:
    """Read a TOML value or a text as `kind`. Raises ValueError with a reason, or with nothing to add.

    Text stands for a list with commas: FORESHOCK_ASSETS=BTC,ETH.
    """
    if isinstance(value, str):
        value = value.strip()
        if is_list(kind):
            value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_parse)
    except msgspec.ValidationError as error:
        cause = error.__cause__
        raise ValueError(str(cause) if isinstance(cause, ValueError) else "") from error


def _parse(kind: Any, value: Any) -> Any:
    return data_folder(value) if kind is Path else kind.parse(value)


def is_list(kind: Any) -> bool:
    return kind is Assets or isinstance(inspect.type_info(kind), inspect.VarTupleType)


def is_secret(kind: Any) -> bool:
    return kind is Secret


def expected(kind: Any, key: str) -> str:
    """Say in words what a key takes, with the unit that the key's ending names."""
    return _described(inspect.type_info(kind), _unit(key))


_UNITS = {
    "_per_s": "messages a second",
    "_s": "seconds",
    "_ms": "milliseconds",
    "_usd": "USD",
    "_bytes": "bytes",
    "_days": "days",
}


def _unit(key: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if key.endswith(ending)), "")


def _described(info: inspect.Type, unit: str) -> str:
    match info:
        case inspect.CustomType(cls=cls):
            return "a folder" if cls is Path else str(cls.expected)  # type: ignore[attr-defined]
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(map(str, values))
        case inspect.IntType(ge=low, le=high):
            return _bounded(unit or "a whole number", low, high)
        case inspect.FloatType(ge=low, le=high):
            return _bounded(unit or "a number", low, high)
        case inspect.UnionType(types=kinds):
            return " or ".join(_described(kind, unit) for kind in kinds)
        case inspect.VarTupleType(item_type=item):
            return f"a list, each item {_described(item, unit)}"
        case inspect.DictType(value_type=value):
            return f"a table, each entry {_described(value, unit)}"
        case _:
            return "text"


def _bounded(what: str, low: float | None, high: float | None) -> str:
    def number(bound: float) -> str:
        return str(bound) if isinstance(bound, int) else f"{bound:g}"

    above = "" if low is None else f" from {number(low)}"
    return f"{what}{above}{'' if high is None else f' to {number(high)}'}"


def is_table(kind: Any) -> bool:
    """Whether a key is a table of the operator's own names, such as USD by asset."""
    return isinstance(inspect.type_info(kind), inspect.DictType)


def entry_kind(kind: Any) -> Any:
    """Tell the kind of one entry of such a table."""
    return bounded("", kind.__args__[1])


def bounded(name: str, kind: Any) -> Any:
    """Give a number that states no bounds those that every such number has."""
    return Share if kind is float and name.endswith("share") else _POSITIVE.get(kind, kind)


def takes_nothing(kind: Any) -> bool:
    """Whether an empty text is a value. For numbers and switches, `NAME=` means that it is not set."""
    return not isinstance(inspect.type_info(kind), inspect.BoolType | inspect.IntType | inspect.FloatType)
