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
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
