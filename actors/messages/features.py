"""Between core detection and the features that may be switched off: thresholds, market caps, margin tiers, zones."""

from dataclasses import dataclass

from intelligence.margin_tiers import MarginTiers
from intelligence.market_cap import CoinCap
from intelligence.thresholds.records import AssetThresholds
from intelligence.zones.view import ZonesView


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdsSet:
    """What an asset is judged by from now on, to its symbol stream; sent with `retain`, for a successor."""

    thresholds: AssetThresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCapWanted:
    """Ask for `MarketCapKnown`, if anything is known of that asset."""

    asset: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCapKnown:
    """Coins that are called like an asset, the largest first; which of them it is the price tells."""

    asset: str
    coins: tuple[CoinCap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTiersWanted:
    """Ask a venue's reader for `MarginTiersTold`, if anything is known of that asset."""

    asset: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTiersTold:
    """What a venue asked of positions in an asset at `at_ms`."""

    tiers: MarginTiers
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesWanted:
    """Ask an asset's zone watch for `ZonesTold`. Only at a path that exists: a letter to another one starts a watch."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesTold:
    """`view` is None before the first minute."""

    view: ZonesView | None
