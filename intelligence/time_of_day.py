"""Times of day in a zone of the tz database, as people give them, in ms UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def last_time_ms(minute: int, zone: str, now_ms: int) -> int:
    """When it was that minute of the day last, in the zone."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    at = now.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    if at > now:
        at -= timedelta(days=1)
    return int(at.timestamp() * 1000)


def clock_time(at_ms: int, zone: str) -> str:
    """Such as 23:13."""
    return f"{_in(zone, at_ms):%H:%M}"


def clock_stamp(at_ms: int, zone: str) -> str:
    """Such as 23:13:20 CET."""
    at = _in(zone, at_ms)
    return f"{at:%H:%M:%S} {_short_name(at)}"


def date_stamp(at_ms: int, zone: str) -> str:
    """Such as 2023-11-14 23:13:20 CET."""
    at = _in(zone, at_ms)
    return f"{at:%Y-%m-%d %H:%M:%S} {_short_name(at)}"


def _in(zone: str, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))


def _short_name(at: datetime) -> str:
    """Where the tz database has figures for a name they are set apart from the time: UTC+03."""
    name = at.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
