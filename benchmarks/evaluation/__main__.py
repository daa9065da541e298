"""`python -m benchmarks.evaluation`: detectors on recorded days, as tables. About four minutes; docs/evaluation.md has them."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.evaluation import open_interest, volume
from benchmarks.evaluation.outcome import Outcomes, Share
from benchmarks.evaluation.recorded import (
    KLINE_ASSETS,
    OI_ASSETS,
    available,
    binance_eth_minutes,
    bybit_minutes,
)
from benchmarks.evaluation.volume import Recording
from intelligence.detectors.volume_rule import VolumeRule
from intelligence.minute import Minute

BUSIEST = ("2025-06-13T00", "2025-06-22T13", "2025-06-22T14", "2025-06-23T22", "2025-06-05T20")  # the data's README
LEARNED = 1 - 1 / 96  # one window of 15 minutes a day
LIFTS = (2.0, 2.5, 3.0, 3.5)
POLICIES = ((None, 0.0), (0.995, 0.0), (0.998, 0.0), (0.999, 0.0), (0.9995, 0.0), (0.998, 2.0))  # quantile, floor in %


def main() -> int:
    if not available():
        print("no recorded data: ../shared/data is not there", file=sys.stderr)
        return 1
    recordings = [_recording(asset, bybit_minutes(asset)) for asset in KLINE_ASSETS]
    _defaults(recordings)
    _curve("Bybit, June 2025", recordings)
    _curve("held out: Binance ETH, 2025-12-25 to 2026-01-05", [_recording("ETH", binance_eth_minutes())])
    _open_interest()
    return 0


def _defaults(recordings: Sequence[Recording]) -> None:
    """Volume spikes by the default rule: the busiest hours, the quietest days, and what followed."""
    told = [volume.ours(recording, VolumeRule()) for recording in recordings]
    places = [volume.raised(one) for one in told]
    print("\n## Volume, default rule\n\nasset | pushes | a day | on its five quietest days | updates")
    for recording, one, at in zip(recordings, told, places, strict=True):
        quiet = volume.on_days(recording, at, volume.quiet_days(recording.minutes))
        print(f"{recording.asset} | {len(at)} | {len(at) / recording.days:.2f} | {quiet} | {len(one) - 2 * len(at)}")
    _print_score("all", volume.score(recordings, places))
    hours_ms = [int(datetime.fromisoformat(f"{hour}:00+00:00").timestamp() * 1000) for hour in BUSIEST]
    for hour_ms, how in volume.found_hours(recordings[0], told[0], hours_ms):
        print(f"BTC {datetime.fromtimestamp(hour_ms / 1000, UTC):%Y-%m-%d %H:00}: {how}")


def _curve(name: str, recordings: Sequence[Recording]) -> None:
    """Ours for some lifts, and two others with as many pushes on each asset."""
    print(f"\n## Volume at equal push rates, {name}\n")
    learned = [volume.raised(volume.ours(recording, VolumeRule(), LEARNED)) for recording in recordings]
    _print_score(f"ours, default, threshold learned at {LEARNED:.3f}", volume.score(recordings, learned))
    _print_score("naive volume", volume.at_the_same_number(recordings, volume.naive_scores, learned))
    for lift in LIFTS:
        rule = replace(VolumeRule(), minimum_lift=lift)
        places = [volume.raised(volume.ours(recording, rule)) for recording in recordings]
        _print_score(f"ours, lift {lift}", volume.score(recordings, places))
        for other, scores in (("naive volume", volume.naive_scores), ("price only", volume.price_scores)):
            _print_score(other, volume.at_the_same_number(recordings, scores, places))


def _open_interest() -> None:
    print("\n## Open interest: quantiles of the change by window, in those of 15 minutes (5 m, 1 h, 4 h)\n")
    for asset in OI_ASSETS:
        print(asset, *(f"{factor:.2f}" for factor in open_interest.window_factors(asset, 0.999)))
    print("\n## Open interest, raised a day\n\npolicy | " + " | ".join(OI_ASSETS) + " | 2026-03-04 09:40")
    for quantile, floor_pct in POLICIES:
        results = [open_interest.run(asset, quantile, floor_pct) for asset in OI_ASSETS]
        known = "; ".join(open_interest.known(results[0])) or "missed"
        rates = " | ".join(f"{result.raised / result.days:.2f}" for result in results)
        print(f"{quantile or 'static'}, floor {floor_pct} % | {rates} | {known}")


def _recording(asset: str, minutes: Sequence[Minute]) -> Recording:
    return Recording(asset, minutes, Outcomes(minutes))


def _print_score(name: str, score: volume.Score) -> None:
    by_asset = ", ".join(f"{asset} {share.hits}/{share.of}" for asset, share in score.by_asset)
    print(
        f"{name}: {score.pushes:.2f} a day, A2 {score.mean:.2f} (pooled {_told(score.plain)}), "
        f"strict {_told(score.strict)}; {by_asset}"
    )


def _told(share: Share) -> str:
    return f"{share.value:.2f}, above {share.lower:.2f}, n {share.of}"


if __name__ == "__main__":
    raise SystemExit(main())
