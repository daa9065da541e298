"""What people write behind a command, read forgivingly. Pure; None where a word is not what was expected."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from intelligence.alerts import AlertKind, Severity
from intelligence.assets import unit_of
from intelligence.gates import Loudness, QuietHours
from intelligence.time_of_day import last_time_ms

_QUOTES = ("USDT", "USDC", "USD", "PERP", "SWAP")
_PAIR = re.compile(r"[/:_\-]")
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(?:(?:\d{1,6})(?:s|min|m|h|d|w))+")
_SPAN_PART = re.compile(r"(\d{1,6})(s|min|m|h|d|w)")
_AMOUNT = re.compile(r"\$?(?P<figure>\d{1,15}(?:\.\d{1,6})?)(?P<unit>[kmb]?)(?P<percent>%?)")
_SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_CLOCK = re.compile(r"(?P<hours>\d{1,2})(?::(?P<minutes>\d{2}))?(?P<half>am|pm)?")
MAX_SPAN_S = 30 * 86_400
KINDS = {
    "liquidation": AlertKind.LIQUIDATION,
    "liq": AlertKind.LIQUIDATION,
    "cascade": AlertKind.CASCADE,
    "oi": AlertKind.OPEN_INTEREST,
    "openinterest": AlertKind.OPEN_INTEREST,
    "volume": AlertKind.VOLUME_SPIKE,
    "volumespike": AlertKind.VOLUME_SPIKE,
    "zone": AlertKind.ZONE_APPROACH,
    "zoneapproach": AlertKind.ZONE_APPROACH,
    "market": AlertKind.MARKET_WIDE,
    "marketwide": AlertKind.MARKET_WIDE,
    "health": AlertKind.FEED_HEALTH,
    "feed": AlertKind.FEED_HEALTH,
    "feedhealth": AlertKind.FEED_HEALTH,
}


class Amount(NamedTuple):
    figure: float
    percent: bool


def asset_of(word: str, known: Collection[str]) -> str | None:
    """The known asset that is meant by btc, $BTC, BTC/USDT, BTCUSDT, BTC-PERP, 1000pepe or kPEPE."""
    by_name = {asset.upper(): asset for asset in known}
    return next((by_name[name] for name in _readings(word) if name in by_name), None)


def suggestions(word: str, known: Collection[str], n: int = 3) -> list[str]:
    """Known assets that are written like it, the likeliest first."""
    by_name = {asset.upper(): asset for asset in known}
    first = next(iter(_readings(word)), "")
    return [by_name[name] for name in difflib.get_close_matches(first, by_name, n=n, cutoff=0.5)]


def _readings(word: str) -> Iterable[str]:
    """A word as it stands, then without quote, then without scale: the first that is an asset counts."""
    whole = word.strip().lstrip("$#").upper()
    base = _PAIR.split(whole, maxsplit=1)[0]
    bare = next((base.removesuffix(quote) for quote in _QUOTES if base.endswith(quote) and base != quote), base)
    plain = dict.fromkeys((whole, base, bare))
    scaled = (unit_of(name).asset for name in (base, bare))
    kilo = (name[1:] for name in (base, bare) if name.startswith("K"))
    return (name for name in dict.fromkeys((*plain, *scaled, *kilo)) if name)


def span_s(word: str) -> int | None:
    """Seconds of 90s, 15m, 4h, 1d or 1d12h; up to 30 days."""
    word = word.lower()
    if not _SPAN.fullmatch(word):
        return None
    seconds = sum(int(figure) * _UNITS_S[unit] for figure, unit in _SPAN_PART.findall(word))
    return seconds if 0 < seconds <= MAX_SPAN_S else None


def amount(word: str) -> Amount | None:
    """50000, 50k, $1.5m, 10%."""
    found = _AMOUNT.fullmatch(word.lower().replace(",", ""))
    if found is None:
        return None
    return Amount(float(found["figure"]) * _SCALES[found["unit"]], bool(found["percent"]))


def kind(word: str) -> AlertKind | None:
    """A family of alerts by any of its names, in the singular or plural."""
    name = re.sub(r"[_\-]", "", word.lower())
    return KINDS.get(name) or KINDS.get(name.removesuffix("s"))


def severity(word: str) -> Severity | None:
    return next((one for one in Severity if one == word.upper()), None)


def loudness(word: str) -> Loudness | None:
    word = {"on": "loud", "mute": "off", "quiet": "silent"}.get(word.lower(), word.lower())
    return next((one for one in Loudness if one == word), None)


def minute_of_day(word: str) -> int | None:
    """Minutes since midnight of 8:00, 23:30, 8, 8am or 11:30pm."""
    found = _CLOCK.fullmatch(word.lower())
    if found is None:
        return None
    hours, minutes, half = int(found["hours"]), int(found["minutes"] or 0), found["half"]
    if half:
        hours = hours % 12 + 12 * (half == "pm") if 1 <= hours <= 12 else 24
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None


def moment_ms(words: Sequence[str], usual_zone: str, now_ms: int) -> int | None:
    """The newest moment not after now that is meant by 14:32, 14:32 UTC, 2026-11-23 14:32, yesterday 14:32 or 20m (ago)."""
    rest = [word.lower() for word in words if word.lower() not in {"at", "ago"}]
    if len(rest) == 1 and (ago_s := span_s(rest[0])) is not None:
        return now_ms - 1_000 * ago_s
    clock = ZoneInfo(zone(rest.pop()) or usual_zone) if len(rest) > 1 and zone(rest[-1]) else ZoneInfo(usual_zone)
    day, minute = _day(rest[:-1], clock, now_ms), minute_of_day(rest[-1]) if rest else None
    if minute is None or (day is None and len(rest) > 1):
        return None
    if day is None:
        return last_time_ms(minute, clock.key, now_ms)
    at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=clock)
    at_ms = int(at.timestamp() * 1_000)
    return at_ms if at_ms <= now_ms else None


def _day(words: Sequence[str], clock: ZoneInfo, now_ms: int) -> date | None:
    """Today, yesterday, or an ISO date."""
    if len(words) != 1:
        return None
    today = datetime.fromtimestamp(now_ms / 1_000, clock).date()
    if words[0] in {"today", "yesterday"}:
        return today - timedelta(days=words[0] == "yesterday")
    try:
        return date.fromisoformat(words[0])
    except ValueError:
        return None


def zone(word: str) -> str | None:
    """A name of the tz database, however it is capitalised, its city alone, or hours before or after UTC."""
    wanted = word.lower().replace(" ", "_")
    if wanted in {"utc", "z", "gmt"}:
        return "UTC"
    if ahead := re.fullmatch(r"(?:utc|gmt)([+-])0?(\d{1,2})(?::00)?", wanted):  # the database counts to the west
        wanted = f"etc/gmt{'-' if ahead[1] == '+' else '+'}{ahead[2]}"
    names = available_timezones()
    found = next((name for name in names if name.lower() == wanted), None)
    cities = [name for name in sorted(names) if name.lower().rpartition("/")[2] == wanted]
    return found or (cities[0] if cities else None)


def quiet_hours(words: Iterable[str], usual_zone: str) -> QuietHours | None:
    """23:00-07:00, 23:00 to 07:00, with or without a zone behind it."""
    *times, last = " ".join(words).replace("-", " - ", 1).replace("\N{EN DASH}", " - ", 1).split() or [""]
    named = zone(last) if minute_of_day(last) is None else None
    if named is None:
        times.append(last)
    clocks = [minute_of_day(word) for word in times if word not in {"-", "to"}]
    if len(clocks) != 2 or None in clocks or clocks[0] == clocks[1]:
        return None
    from_minute, to_minute = clocks
    assert from_minute is not None
    assert to_minute is not None
    return QuietHours(from_minute=from_minute, to_minute=to_minute, zone=named or usual_zone)
