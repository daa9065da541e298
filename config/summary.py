"""The settings that people ask for, in a few lines without a secret."""

from dataclasses import fields

from config.settings import Settings


def summary(settings: Settings) -> tuple[str, ...]:
    """What `run.py check` prints in full."""
    venues = [one.name for one in fields(settings.venues) if getattr(settings.venues, one.name).enabled]
    switches = [
        f"{one.name} {'on' if getattr(settings.switches, one.name) else 'off'}" for one in fields(settings.switches)
    ]
    static = settings.detection.thresholds
    single = ", ".join(f"{asset} {usd:,.0f}" for asset, usd in static.single_usd.items())
    assets = (
        f"the {settings.assets.auto} with the largest turnover"
        if settings.assets.auto
        else f"{len(settings.assets)} by name"
    )
    return (
        f"Assets: {assets}",
        f"Venues: {', '.join(venues)}",
        f"Switches: {', '.join(switches)}",
        f"Static thresholds of a liquidation, USD: {single}, others {static.default_usd:,.0f}",
        f"Static threshold of a cascade: {static.cascade_multiple:g} of these",
        f"Open interest is asked for every {settings.oi.poll_s:g} s",
        f"Alerts are kept for {settings.outbox.keep_days:g} days",
    )


def watched(settings: Settings) -> tuple[str, ...]:
    """What is active, for those who did not start it themselves."""
    venues = [one.name for one in fields(settings.venues) if getattr(settings.venues, one.name).enabled]
    n = settings.assets.auto or len(settings.assets)
    kinds = ["liquidations", "cascades", "open interest"]
    kinds += ["volume"] if settings.switches.volume_monitoring else []
    kinds += ["predicted zones"] if settings.switches.predictive_zones else []
    return (
        f"{n} assets on {len(venues)} venues: {', '.join(venues)}",
        f"Told: {', '.join(kinds)}, and a venue that is lost",
    )
