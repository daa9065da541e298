"""The sections of the report about alerts: every family that the recordings can say something of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.progress import Progress

from commands.backtesting.families.recomputed import of_minutes, of_tapes
from commands.backtesting.families.recordings import during, recordings_of
from commands.backtesting.families.reference_events import cascades_of, events_of
from commands.backtesting.families.section import Evidence, family_section
from commands.backtesting.plays import (
    SOURCES,
    Play,
    liquidation_plays,
    open_interest_plays,
    play_all,
    volume_plays,
)
from commands.backtesting.recorded import OKX_CONTRACTS, Recordings
from intelligence.alerts import AlertKind
from intelligence.evaluation.played import Told
from intelligence.evaluation.report import Section

VOLUME_SOURCES = ("bybit", "binance-btc", "binance-eth", "hyperliquid")
OPEN_INTEREST_SOURCES = ("binance-oi", "hyperliquid")
LIQUIDATION_SOURCES: Mapping[str, Sequence[str]] = {
    "binance-oi": tuple(OKX_CONTRACTS),
    "bybit": ("BTC", "ETH", "DOGE"),
    "binance-eth": ("ETH",),
}
FAMILIES = ("volume", "open-interest", "liquidations")

ToldBy = dict[str, dict[str, Sequence[Told]]]


def plays_of(families: Sequence[str]) -> list[Play]:
    plays: list[Play] = []
    if "volume" in families:
        plays += [play for source in VOLUME_SOURCES for play in volume_plays(source)]
    if "open-interest" in families:
        plays += [play for source in OPEN_INTEREST_SOURCES for play in open_interest_plays(source)]
    if "liquidations" in families:
        plays += [play for source, assets in LIQUIDATION_SOURCES.items() for play in liquidation_plays(source, assets)]
    return plays


def detector_sections(data: Path, families: Sequence[str], processes: int, progress: Progress) -> list[Section]:
    plays = plays_of(families)
    if not plays:
        return []
    bar = progress.add_task("detectors over recorded days", total=len(plays))
    told: dict[tuple[str, str], ToldBy] = {}
    for play, alerts in play_all(data, plays, processes):
        told.setdefault((play.family, play.source), {}).setdefault(play.setting, {})[play.asset] = alerts
        progress.advance(bar)
    scoring = progress.add_task("outcomes, baselines and intervals", total=len(told))
    sections: list[Section] = []
    for family, source in dict.fromkeys((play.family, play.source) for play in plays):
        settings = {play.setting: None for play in plays if (play.family, play.source) == (family, source)}
        by_setting = {setting: told[family, source][setting] for setting in settings}
        if family == "liquidation":
            sections += _of_liquidations(data, source, by_setting)
        else:
            sections.append(_of_minutes(data, source, AlertKind(family), by_setting))
        progress.advance(scoring)
    return sections


def _of_minutes(data: Path, source: str, kind: AlertKind, told: ToldBy) -> Section:
    recordings = recordings_of(data, source, kind)
    evidence = Evidence(
        recordings=recordings,
        events=events_of(recordings, data, source, kind),
        recompute=of_minutes(recordings, data, source, kind),
    )
    return family_section(f"{_name(kind)}: {SOURCES[source].name}", kind, told, evidence)


def _of_liquidations(data: Path, source: str, told: ToldBy) -> list[Section]:
    forced = SOURCES[source].forced
    assert forced is not None
    reader = Recordings(data)
    tapes = {asset: forced(reader, asset) for asset in LIQUIDATION_SOURCES[source]}
    sections = []
    for kind in (AlertKind.LIQUIDATION, AlertKind.CASCADE):
        recordings = during(recordings_of(data, source, kind), {asset: tape for asset, tape in tapes.items() if tape})
        evidence = Evidence(
            recordings=recordings, events=cascades_of(recordings, tapes), recompute=of_tapes(tapes, kind)
        )
        title = f"{_name(kind)}: forced orders beside {SOURCES[source].name}"
        sections.append(family_section(title, kind, told, evidence))
    return sections


def _name(kind: AlertKind) -> str:
    return {
        AlertKind.VOLUME_SPIKE: "Volume spikes",
        AlertKind.OPEN_INTEREST: "Open interest",
        AlertKind.LIQUIDATION: "Single liquidations",
        AlertKind.CASCADE: "Cascades",
    }[kind]
