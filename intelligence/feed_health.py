"""What is said of a feed: how it is and why, and the numbers by which it is judged."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FeedKind(StrEnum):
    """What is counted by itself; spelled as the feeds of the venues' files."""

    TRADES = "trades"
    MARK_PRICES = "mark_prices"
    LIQUIDATIONS = "liquidations"

    @property
    def period_ms(self) -> int:
        """Events within one such period are a clump and count once: liquidations come in bursts."""
        return 10_000 if self is FeedKind.LIQUIDATIONS else 1_000

    @property
    def one(self) -> str:
        """A single event in words."""
        return {"trades": "trade", "mark_prices": "mark price", "liquidations": "liquidation"}[self]


class Health(StrEnum):
    """detection.md 3.8. Degraded: figures come, with parts missing or a clock in doubt. Stale: they do not come."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    STALE = "stale"
    DOWN = "down"


_BADNESS = {health: badness for badness, health in enumerate(Health)}


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """`why` is for people, empty while healthy."""

    state: Health
    why: str = ""


def worst(found: Iterable[FeedHealth]) -> FeedHealth:
    """The worst of some, the first of equals; healthy where there is none."""
    return max(found, key=lambda one: _BADNESS[one.state], default=FeedHealth(Health.HEALTHY))


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRules:
    """config/default.toml says what each number means. Market seconds, but for `settle_s`, machine seconds."""

    trades_silent_s: float = 10.0
    liquidations_silent_s: float = 120.0
    mark_prices_silent_s: float = 30.0
    alarm_probability: float = 1e-4
    reconnect_probability: float = 1e-6
    reconnect_assets: int = 3
    reconnect_brisk_per_s: float = 0.5
    rate_half_life_s: float = 300.0
    liquidation_half_life_s: float = 3600.0
    unheard_share: float = 0.7
    settle_s: float = 3.0
    clock_jump_ms: float = 2000.0
    open_interest_stale_s: float = 180.0

    def silent_ms(self, kind: FeedKind) -> float:
        """No silence shorter than that says anything."""
        return (
            1000
            * {
                FeedKind.TRADES: self.trades_silent_s,
                FeedKind.LIQUIDATIONS: self.liquidations_silent_s,
                FeedKind.MARK_PRICES: self.mark_prices_silent_s,
            }[kind]
        )

    def half_life_ms(self, kind: FeedKind) -> float:
        return 1000 * (self.liquidation_half_life_s if kind is FeedKind.LIQUIDATIONS else self.rate_half_life_s)
