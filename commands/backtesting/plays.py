"""Detectors over recordings, one play in a process at a time: what takes the time of an evaluation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from commands.backtesting.recorded import BYBIT_ASSETS, HYPERLIQUID_ASSETS, OI_ASSETS, Recordings, marks_of
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.evaluation.bars import DAY_MIN
from intelligence.evaluation.played import Told, liquidations, open_interest_changes, volume_spikes
from intelligence.market import Liquidation
from intelligence.minute import Minute

FORCED_JUNE = ("2025-06-23a_all_symbols.csv", "2025-06-23b_all_symbols.csv")
FORCED_DECEMBER = ("2025-12-27_28_all_symbols.csv",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`warm_up_days`: nothing is counted in them. `forced`: liquidations of an asset, where they were recorded."""

    name: str
    assets: tuple[str, ...]
    step_min: int
    warm_up_days: float
    minutes: Callable[[Recordings, str], list[Minute]]
    forced: Callable[[Recordings, str], list[Liquidation]] | None = None


SOURCES: Mapping[str, Source] = {
    "bybit": Source(
        name="Bybit minutes, 2025-05-29 to 06-28",
        assets=BYBIT_ASSETS,
        step_min=1,
        warm_up_days=7,
        minutes=lambda recordings, asset: recordings.bybit_minutes(asset),
        forced=lambda recordings, asset: recordings.binance_liquidations(asset, *FORCED_JUNE),
    ),
    "binance-btc": Source(
        name="Binance minutes of BTC, 2025-06-06 to 06-16",
        assets=("BTC",),
        step_min=1,
        warm_up_days=3,
        minutes=lambda recordings, _: recordings.binance_btc_minutes(),
    ),
    "binance-eth": Source(
        name="Binance bars of ETH, 2025-12-18 to 2026-01-05, held out",
        assets=("ETH",),
        step_min=1,
        warm_up_days=7,
        minutes=lambda recordings, _: recordings.binance_eth_minutes(),
        forced=lambda recordings, asset: recordings.binance_liquidations(asset, *FORCED_DECEMBER),
    ),
    "hyperliquid": Source(
        name="Hyperliquid ticks, 2026-06-14 to 06-18, held out",
        assets=HYPERLIQUID_ASSETS,
        step_min=1,
        warm_up_days=2,
        minutes=lambda recordings, asset: recordings.hyperliquid_minutes(asset),
    ),
    "binance-oi": Source(
        name="Binance open interest and price every 5 minutes, 2025-12-01 to 2026-04-14",
        assets=OI_ASSETS,
        step_min=5,
        warm_up_days=14,
        minutes=lambda recordings, asset: recordings.binance_open_interest(asset),
        forced=lambda recordings, asset: recordings.okx_liquidations(asset),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One detector with one setting over one asset. `lift`, `quantile`, `floor_pct`: of the setting, where it has them."""

    family: str
    source: str
    asset: str
    setting: str
    lift: float = 0.0
    quantile: float | None = None
    floor_pct: float = 0.0


def volume_plays(source: str) -> list[Play]:
    learned = 1 - 1 / 96  # one window of 15 minutes a day
    default = VolumeRule().minimum_lift
    settings: list[tuple[str, float, float | None]] = [(f"lift {lift}", lift, None) for lift in (2.0, 2.5, 3.0, 3.5)]
    settings.append((f"lift {default}, threshold learned", default, learned))
    return [
        Play(family="volume_spike", source=source, asset=asset, setting=name, lift=lift, quantile=quantile)
        for asset in SOURCES[source].assets
        for name, lift, quantile in settings
    ]


def open_interest_plays(source: str) -> list[Play]:
    settings = [("static", None, 0.0), ("p99.8, at least 2 %", 0.998, 2.0)]
    settings += [(f"p{100 * quantile:g}", quantile, 0.0) for quantile in (0.995, 0.998, 0.999, 0.9995)]
    return [
        Play(family="open_interest", source=source, asset=asset, setting=name, quantile=quantile, floor_pct=floor_pct)
        for asset in SOURCES[source].assets
        for name, quantile, floor_pct in settings
    ]


def liquidation_plays(source: str, assets: Sequence[str]) -> list[Play]:
    return [Play(family="liquidation", source=source, asset=asset, setting="static") for asset in assets]


@cache
def minutes_of(data: Path, source: str, asset: str) -> list[Minute]:
    return SOURCES[source].minutes(Recordings(data), asset)


def played(data: Path, play: Play) -> list[Told]:
    source = SOURCES[play.source]
    minutes = minutes_of(data, play.source, play.asset)
    if play.family == "volume_spike":
        rule = VolumeRule(minimum_lift=play.lift)
        return volume_spikes(minutes, rule, play.quantile)
    if play.family == "open_interest":
        warm_up = int(source.warm_up_days * DAY_MIN / source.step_min)
        return open_interest_changes(
            minutes, play.quantile, floor_pct=play.floor_pct, step_min=source.step_min, warm_up=warm_up
        )
    assert source.forced is not None
    orders = source.forced(Recordings(data), play.asset)
    return liquidations(play.asset, orders, marks_of(minutes, "binance")) if orders else []


def play_all(data: Path, plays: Iterable[Play], processes: int) -> Iterator[tuple[Play, list[Told]]]:
    """In the order in which they end."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(played, data, play): play for play in plays}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
