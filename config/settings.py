"""One frozen `Settings`, read once at start: config/default.toml says what each key means and where its number is from.

The dataclasses below are the whole schema: the reading, the errors, the environment names and `run.py check` follow from
their fields. Keys end in their unit.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta

from config.schema import build, leaves, walk
from config.sources import CONFIG_NAME, Given, Sources
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

_DEFAULTS = Path(__file__).with_name("default.toml")
_NAMED = {  # contract.md 4
    "TELEGRAM_BOT_TOKEN": "telegram.token",
    "AUTHORIZED_USERS": "telegram.authorized_users",
    "OWNER_USERS": "telegram.owner_users",
    "ENABLE_DYNAMIC_THRESHOLDS": "switches.dynamic_thresholds",
    "ENABLE_AUTO_START": "switches.auto_start",
    "ENABLE_VOLUME_MONITORING": "switches.volume_monitoring",
    "ENABLE_PREDICTIVE_ZONES": "switches.predictive_zones",
}

# Sections of features: what is wrong in one of them costs that feature and nothing else (supervision.md 18).
FEATURE_SECTIONS = ("thresholds", "market_caps", "volume", "outcomes", "zones", "margin_tiers")


class ConfigError(Exception):
    """The settings cannot be used; `problems` names every reason, one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    theme: Literal["dark", "light"]
    draw_s: Seconds
    idle_s: Seconds
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings in force, and for each key where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    env_file: Path = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
) -> Loaded:
    """Read every source, later ones winning: default.toml, the operator's TOML, `.env`, environment, `overrides`.

    `config` is what --config names; without it FORESHOCK_CONFIG counts. `overrides` are a command's own wishes by
    dotted key, such as the demo's addresses. Raises ConfigError with all problems, unless a
    feature's section is all that is wrong.
    """
    sources = Sources(leaves(Settings), named=_NAMED, to_come=())
    sources.add_toml(_DEFAULTS, origin="default")
    defaults = dict(sources.given)
    from_file = sources.read_dotenv(env_file)
    sources.suspect_slips(from_file, env_file)
    chosen = str(config or environ.get(CONFIG_NAME) or from_file.get(CONFIG_NAME) or "")
    if chosen:
        sources.add_toml(Path(chosen), origin=chosen)
    sources.add_names(from_file, place=f"{env_file} ")
    sources.add_names(environ)
    for key, value in (overrides or {}).items():
        sources.add(key, Given(value, "set by this command"))
    _, problems = build(Settings, sources.given)
    problems = (*sources.problems, *problems)
    misconfigured = {name: found for name in FEATURE_SECTIONS if (found := _of_section(name, problems))}
    if len(problems) > sum(map(len, misconfigured.values())):
        raise ConfigError(problems)
    given = dict(sources.given)
    for name in misconfigured:
        given = {key: one for key, one in given.items() if not key.startswith(f"{name}.")}
        given |= {key: one for key, one in defaults.items() if key.startswith(f"{name}.")}
    settings, _ = build(Settings, given)
    assert settings is not None
    settings = replace(settings, misconfigured=MappingProxyType(misconfigured))
    return _with_owner(settings, {key: one.origin for key, one in given.items()})


def _of_section(name: str, problems: tuple[str, ...]) -> tuple[str, ...]:
    heads = (f"{name}.", f"{name}:", f"FORESHOCK_{name.upper()}__")
    return tuple(problem for problem in problems if problem.startswith(heads))


def _with_owner(settings: Settings, origins: dict[str, str]) -> Loaded:
    """Without OWNER_USERS the first authorised user is the owner; a group (negative id) owns nothing."""
    telegram = settings.telegram
    if not telegram.owner_users:
        first = next((user for user in telegram.authorized_users if user > 0), None)
        if first is not None:
            telegram = replace(telegram, owner_users=(first,))
            origins["telegram.owner_users"] = "the first of telegram.authorized_users"
    return Loaded(settings=replace(settings, telegram=telegram), origins=origins)


def secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret text in the settings, for the logs to hide."""
    values = (value for _, value in walk(settings))
    return tuple(value.reveal() for value in values if isinstance(value, Secret) and value)
