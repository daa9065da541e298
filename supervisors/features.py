"""The optional features as data, each behind a bulkhead of its own: what they are made of is imported when they start."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

from actors import paths
from actors.backoff import Backoff
from actors.exchanges.registry import EXCHANGES
from actors.failures import NeedsOperator
from actors.mailbox import MailboxSpec
from actors.rest import RestLimits
from config.settings import Settings
from intelligence.minute_series import KEPT_MINUTES
from supervisors.feature import Feature
from supervisors.processor import Allowance
from supervisors.spec import BULKHEAD, IO, ChildSpec, Restart, SupervisorSpec
from supervisors.trees.presentation import DATABASE

MAX_ASSETS = 2_000
FINAL_S = 0.4  # together, beside one another

Build = Callable[[], SupervisorSpec]


def followers(settings: Settings) -> tuple[str, ...]:
    """The paths below which each asset has somebody who wants its closed minutes."""
    wanted = {
        paths.THRESHOLDS: settings.switches.dynamic_thresholds and "thresholds" not in settings.misconfigured,
        paths.VOLUME: _watches_volume(settings) and "volume" not in settings.misconfigured,
        paths.ZONES: settings.switches.predictive_zones and "zones" not in settings.misconfigured,
    }
    return tuple(path for path, is_wanted in wanted.items() if is_wanted)


def listeners(settings: Settings) -> tuple[str, ...]:
    """The paths of those who want the closed minutes of every asset."""
    wanted = settings.outcomes.enabled and "outcomes" not in settings.misconfigured
    return (paths.OUTCOMES,) if wanted else ()


def features(settings: Settings, *, limits: RestLimits, backoff: Backoff, fresh: bool) -> tuple[ChildSpec, ...]:
    """Those that are switched on; one whose section is wrong is there, parked, and says why. `fresh`: what earlier processes
    have measured was another market.
    """
    found = []
    if settings.switches.dynamic_thresholds:
        found.append(_feature("thresholds", "thresholds", partial(_thresholds, settings), settings))
        if settings.market_caps.sources:
            build = partial(_market_caps, settings, limits, backoff)
            found.append(_feature("market-caps", "market_caps", build, settings))
    if _watches_volume(settings):
        found.append(_feature("volume", "volume", partial(_volume, settings), settings))
    if settings.outcomes.enabled:
        found.append(_feature("outcomes", "outcomes", partial(_outcomes, settings, fresh=fresh), settings))
    if settings.switches.predictive_zones:
        build = partial(_margin_tiers, settings, limits, backoff)
        found.append(_feature("margin-tiers", "margin_tiers", build, settings))
        found.append(_feature("zones", "zones", partial(_zones, settings), settings))
    return tuple(found)


def _watches_volume(settings: Settings) -> bool:
    """There is no volume without trades."""
    return settings.switches.volume_monitoring and settings.feeds.trades


def _feature(child_id: str, section: str, build: Build, settings: Settings) -> ChildSpec:
    allowance = Allowance(settings.supervision.feature_cpu_share, settings.supervision.feature_cpu_s)
    if problems := settings.misconfigured.get(section):
        build = partial(_misconfigured, problems)
    return ChildSpec(
        id=child_id,
        actor=Feature,
        args=MappingProxyType({"spec": build, "allowance": allowance}),
        profile=BULKHEAD,
        required=False,
        final_s=FINAL_S,
    )


def _misconfigured(problems: tuple[str, ...]) -> SupervisorSpec:
    raise NeedsOperator(f"misconfigured: {'; '.join(problems)}")


def _thresholds(settings: Settings) -> SupervisorSpec:
    from actors.threshold_calculator import ThresholdCalculator  # noqa: PLC0415 - only where it is switched on

    args: dict[str, Any] = {
        "rules": settings.thresholds,
        "static": settings.detection.thresholds,
        "consumers": (paths.SYMBOLS, paths.EXPLOSIONS, *([paths.VOLUME] if _watches_volume(settings) else [])),
    }
    calculator = ChildSpec(
        id="asset",
        actor=ThresholdCalculator,
        args=MappingProxyType(args),
        profile=IO,
        required=False,
        restart=Restart.TRANSIENT,
        worker="thresholds",
        mailbox=MailboxSpec(data_max=1_000, max_age_s=600.0),
        drain=True,
        final_s=FINAL_S - 0.1,
    )
    return SupervisorSpec(template=calculator, on_demand=True, max_children=MAX_ASSETS)


def _volume(settings: Settings) -> SupervisorSpec:
    from actors.volume_watch import VolumeWatch  # noqa: PLC0415

    venues = tuple(name for name in EXCHANGES if getattr(settings.venues, name).enabled)
    watch = ChildSpec(
        id="asset",
        actor=VolumeWatch,
        args=MappingProxyType({"rule": settings.volume, "venues": venues}),
        profile=IO,
        required=False,
        restart=Restart.TRANSIENT,
        worker="volume",
        mailbox=MailboxSpec(data_max=1_000, max_age_s=600.0, retain_max=KEPT_MINUTES),
        final_s=FINAL_S - 0.1,
    )
    return SupervisorSpec(template=watch, on_demand=True, max_children=MAX_ASSETS)


def _tells_tiers(settings: Settings) -> tuple[str, ...]:
    """Deribit has no list of them; Binance an undocumented one, asked for where the operator wants it."""
    left_out = {"deribit"} if settings.margin_tiers.binance else {"deribit", "binance"}
    return tuple(name for name in EXCHANGES if name not in left_out and getattr(settings.venues, name).enabled)


def _margin_tiers(settings: Settings, limits: RestLimits, backoff: Backoff) -> SupervisorSpec:
    from actors.margin_reader import MarginReader  # noqa: PLC0415

    chosen = settings.margin_tiers
    common: dict[str, Any] = {
        "limits": limits,
        "backoff": backoff,
        "assets": frozenset(settings.assets),
        "refresh_s": chosen.refresh_s,
        "keep_s": 86_400.0 * chosen.keep_days,
    }
    readers = tuple(
        ChildSpec(
            id=venue,
            actor=MarginReader,
            args=MappingProxyType({**common, "venue": venue, "rest_url": getattr(settings.venues, venue).rest_url}),
            profile=IO,
            required=False,
            stop_s=30.0,
            final_s=FINAL_S - 0.1,
        )
        for venue in _tells_tiers(settings)
    )
    return SupervisorSpec(children=readers)


def _zones(settings: Settings) -> SupervisorSpec:
    from actors.zone_watch import ZoneWatch  # noqa: PLC0415

    watch = ChildSpec(
        id="asset",
        actor=ZoneWatch,
        args=MappingProxyType({"rules": settings.zones, "venues": _tells_tiers(settings)}),
        profile=IO,
        required=False,
        restart=Restart.TRANSIENT,
        worker="zones",
        mailbox=MailboxSpec(data_max=1_000, max_age_s=600.0),
        drain=True,
        final_s=FINAL_S - 0.1,
    )
    return SupervisorSpec(template=watch, on_demand=True, max_children=MAX_ASSETS)


def _market_caps(settings: Settings, limits: RestLimits, backoff: Backoff) -> SupervisorSpec:
    from actors.market_cap_sources import coingecko, coinpaprika  # noqa: PLC0415
    from actors.market_caps import MarketCaps  # noqa: PLC0415

    chosen = settings.market_caps
    known = {
        "coingecko": coingecko(chosen.coingecko_url, chosen.coingecko_pages),
        "coinpaprika": coinpaprika(chosen.coinpaprika_url),
    }
    args: dict[str, Any] = {
        "sources": tuple(known[name] for name in chosen.sources),
        "limits": limits,
        "backoff": backoff,
        "refresh_s": chosen.refresh_s,
        "gap_s": chosen.gap_s,
        "keep_s": chosen.keep_s,
    }
    reader = ChildSpec(
        id="reader",
        actor=MarketCaps,
        args=MappingProxyType(args),
        profile=IO,
        required=False,
        stop_s=30.0,
        final_s=FINAL_S - 0.1,
    )
    return SupervisorSpec(children=(reader,))


def _outcomes(settings: Settings, *, fresh: bool) -> SupervisorSpec:
    from actors.outcome_book import OUTCOMES  # noqa: PLC0415
    from actors.outcome_ledger import OutcomeLedger  # noqa: PLC0415

    args: dict[str, Any] = {
        "file": settings.data_dir / OUTCOMES,
        "busy_s": settings.outbox.busy_s,
        "rules": settings.outcomes,
        "fresh": fresh,
        "outbox": settings.data_dir / DATABASE,
    }
    ledger = ChildSpec(
        id="ledger",
        actor=OutcomeLedger,
        args=MappingProxyType(args),
        profile=IO,
        required=False,
        mailbox=MailboxSpec(data_max=20_000, max_age_s=600.0),
        final_s=FINAL_S - 0.1,
    )
    return SupervisorSpec(children=(ledger,))
