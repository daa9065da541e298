"""One frozen `Settings`: config/default.toml says what each key means and where its number is from.

The dataclasses below are the whole schema: the reading (loading.py), the errors, the environment names and `run.py check`
follow from their fields. Keys end in their unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from config.schema import walk
from config.values import (
    NO_SECRET,
    Age,
    Assets,
    BotApiUrl,
    Bytes,
    ChatId,
    Count,
    Days,
    DiskBytes,
    Factor,
    PerSecond,
    Port,
    RestUrl,
    Seconds,
    SecondsOrZero,
    Secret,
    Share,
    TimeOfDay,
    UserId,
    WebSocketUrl,
)
from intelligence.detectors.asset import DetectionRules
from intelligence.detectors.market_wide import MarketWideRule
from intelligence.detectors.open_interest import OpenInterestRule
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.feed_health import HealthRules
from intelligence.outcomes.rules import OutcomeRules
from intelligence.thresholds.rules import ThresholdRules
from intelligence.zones.rules import ZoneRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    dynamic_thresholds: bool
    auto_start: bool
    volume_monitoring: bool
    predictive_zones: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    token: Secret = NO_SECRET
    authorized_users: tuple[ChatId, ...]
    owner_users: tuple[UserId, ...]
    api_url: BotApiUrl
    connect_timeout_s: Seconds
    read_timeout_s: Seconds
    private_gap_s: SecondsOrZero
    group_gap_s: SecondsOrZero
    overall_per_s: PerSecond
    retry_base_s: Seconds
    retry_factor: Factor
    retry_cap_s: Seconds
    poll_timeout_s: Seconds
    poll_stale_s: Seconds
    commands_per_minute: Count
    back_online_gap_s: SecondsOrZero
    digest_at: TimeOfDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    theme: Literal["dark", "light"]
    wait_s: Seconds
    start_s: Seconds
    hang_s: Seconds
    memory_bytes: Bytes
    cache_s: SecondsOrZero
    cache_pictures: Count
    incidents: bool
    incident_age_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    host: str
    port: Port


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    enabled: bool
    ws_url: WebSocketUrl
    rest_url: RestUrl
    ping_every_s: SecondsOrZero
    silence_s: Seconds
    max_age_s: Age


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    binance: Venue
    bybit: Venue
    okx: Venue
    gate: Venue
    bitget: Venue
    hyperliquid: Venue
    deribit: Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    connect_timeout_s: Seconds
    read_timeout_s: Seconds
    total_timeout_s: Seconds
    max_bytes: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    connect_timeout_s: Seconds
    subscribe_ack_s: Seconds
    max_frame_bytes: Bytes
    reconnect_base_s: Seconds
    reconnect_factor: Factor
    reconnect_cap_s: Seconds
    instruments_refresh_s: Seconds
    dedup_s: SecondsOrZero
    venue_lost_s: Seconds
    trades: bool
    gather_s: SecondsOrZero


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    rerank_s: Seconds
    check_s: Seconds
    settle_s: SecondsOrZero
    idle_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterest:
    poll_s: Seconds
    explosion: OpenInterestRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    enabled: bool
    flush_s: Seconds
    rotate_bytes: Bytes
    rotate_s: Seconds
    max_total_bytes: DiskBytes
    keep_days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTests:
    look_s: Seconds
    units_s: Seconds
    evidence_s: Seconds
    verify_s: Seconds
    lapse_s: Age


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    refresh_s: Seconds
    settle_s: SecondsOrZero
    stand_in_s: SecondsOrZero


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    reread_s: Seconds
    busy_s: Seconds
    keep_days: Days
    p1_valid_s: Seconds
    p2_valid_s: Seconds
    p3_valid_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    every_s: Seconds
    history_every_s: Seconds
    trial_s: Seconds
    busy_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCaps:
    """`sources`: asked in that order until one answers."""

    sources: tuple[Literal["coingecko", "coinpaprika"], ...]
    coingecko_url: RestUrl
    coingecko_pages: Annotated[int, Meta(ge=1, le=20)]
    coinpaprika_url: RestUrl
    refresh_s: Seconds
    gap_s: SecondsOrZero
    keep_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTiersRules:
    refresh_s: Age
    keep_days: Days
    binance: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    health_tick_s: Seconds
    pulse_s: Seconds
    pulse_log_s: Seconds
    stop_budget_s: Seconds
    feature_cpu_share: Share
    feature_cpu_s: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    level: Literal["debug", "info", "warning", "error"]
    format: Literal["auto", "json", "console"]
    queue_lines: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`misconfigured`: what is wrong with a feature's section, which then holds its defaults."""

    assets: Assets
    data_dir: Path
    instance: str
    trials: tuple[
        Literal["liquidation", "cascade", "open_interest", "volume_spike", "zone_approach", "market_wide"], ...
    ]
    switches: Switches
    telegram: Telegram
    charts: Charts
    http: Http
    venues: Venues
    rest: Rest
    feeds: Feeds
    health: HealthRules
    universe: Universe
    oi: OpenInterest
    backfill: Backfill
    self_tests: SelfTests
    detection: DetectionRules
    market_wide: MarketWideRule
    thresholds: ThresholdRules
    market_caps: MarketCaps
    zones: ZoneRules
    margin_tiers: MarginTiersRules
    volume: VolumeRule
    outcomes: OutcomeRules
    outbox: Outbox
    checkpoints: Checkpoints
    recording: Recording
    supervision: Supervision
    logs: Logs
    misconfigured: Mapping[str, tuple[str, ...]] = field(default_factory=dict, metadata={"key": False})


def secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret text in the settings, for the logs to hide."""
    values = (value for _, value in walk(settings))
    return tuple(value.reveal() for value in values if isinstance(value, Secret) and value)
