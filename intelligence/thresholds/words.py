"""One line that says what a threshold is made of; its record holds every figure."""

from collections.abc import Mapping

from intelligence.amounts import compact_usd
from intelligence.thresholds.records import Factors, Policy

Figures = Mapping[str, float | str]


def made_of(source: str, factors: Factors) -> str:
    """Such as `tiered: 0.2 % of $1B a day x 0.7 (asian) x 0.9 (volatility)`; the source alone where nothing is to be added."""
    figures = dict(factors)
    told = [part for part in (_multiple(figures), _policy(source, figures), _expired(figures)) if part]
    return f"{source}: {', '.join(told)}" if told else source


def _multiple(figures: Figures) -> str:
    single, multiple = _number(figures, "single_usd"), _number(figures, "multiple")
    return f"{multiple:g} x {compact_usd(single)}" if single and multiple else ""


def _policy(source: str, figures: Figures) -> str:
    if source == Policy.TIERED and "base_share" in figures:
        return _tiered(figures)
    if source == Policy.LEARNED and "quantile_share" in figures:
        return _learned(figures)
    return ""


def _tiered(figures: Figures) -> str:
    volume, share = _number(figures, "daily_volume_usd"), _number(figures, "base_share")
    session, volatility = _number(figures, "session_multiplier"), _number(figures, "volatility_multiplier")
    formula = (
        f"{100 * share:g} % of {compact_usd(volume)} a day x {session:g} ({figures.get('session')}) "
        f"x {volatility:.3g} (volatility)"
    )
    cap, static, whole = (_number(figures, name) for name in ("cold_start_cap", "static_usd", "tiered_usd"))
    return f"{formula}, capped at {cap:g} x {compact_usd(static)}" if cap * static < whole else formula


def _learned(figures: Figures) -> str:
    share, days = _number(figures, "quantile_share"), _number(figures, "days")
    season, volatility = _number(figures, "season", 1.0), _number(figures, "volatility_multiplier", 1.0)
    learned = _number(figures, "quantile") * season * volatility * _number(figures, "user_multiplier", 1.0)
    floors = {name: _number(figures, name) for name in figures if name.startswith("floor_")}
    highest = max(floors, key=lambda name: floors[name], default="")
    if floors and floors[highest] >= learned:
        return f"its {highest.removeprefix('floor_').removesuffix('_usd').removesuffix('_pct')} floor"
    seasonal = f" x {season:.3g} (time of week)" if "season" in figures else ""
    return f"p{100 * share:.5g} of {days:.0f} days{seasonal} x {volatility:.3g} (volatility)"


def _expired(figures: Figures) -> str:
    return f"{figures['expired']} is out of date" if "expired" in figures else ""


def _number(figures: Figures, name: str, otherwise: float = 0.0) -> float:
    value = figures.get(name)
    return float(value) if isinstance(value, int | float) else otherwise
