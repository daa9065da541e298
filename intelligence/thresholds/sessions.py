"""Trading sessions of the given policy (requirements.md 6)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

Hour = Annotated[int, Meta(ge=0, le=23)]


class Session(StrEnum):
    ASIAN = "asian"
    EUROPEAN = "european"
    US = "us"
    WEEKEND = "weekend"


MULTIPLIERS = MappingProxyType(
    {Session.ASIAN: 0.7, Session.EUROPEAN: 0.9, Session.US: 1.0, Session.WEEKEND: 0.5}
)  # requirements.md 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """When a session begins, as an hour of `timezone`; each lasts until the next, Saturday and Sunday are weekend.

    `timezone` is a name of the tz database: any but UTC lets daylight saving move the sessions (detection.md 4.3).
    """

    timezone: str = "UTC"
    asian_from_h: Hour = 0
    european_from_h: Hour = 7
    us_from_h: Hour = 13

    def __post_init__(self) -> None:
        """Raise ValueError for hours out of order and a zone that nobody knows."""
        if not self.asian_from_h < self.european_from_h < self.us_from_h:
            raise ValueError("sessions: expected asian_from_h < european_from_h < us_from_h")
        try:
            self._zone()
        except (KeyError, ValueError, OSError):
            raise ValueError(f"sessions: no time zone is called {self.timezone}") from None

    def _zone(self) -> ZoneInfo | None:
        return None if self.timezone == "UTC" else ZoneInfo(self.timezone)

    def at(self, at_ms: int) -> Session:
        moment = datetime.fromtimestamp(at_ms // 1000, self._zone() or UTC)
        if moment.weekday() >= 5:
            return Session.WEEKEND
        if moment.hour >= self.us_from_h or moment.hour < self.asian_from_h:
            return Session.US
        return Session.EUROPEAN if moment.hour >= self.european_from_h else Session.ASIAN
