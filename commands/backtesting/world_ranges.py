"""The simulated worlds on which predicted zones are judged, drawn from ranges that were committed before any tuning on them.

Whoever tunes a model on these worlds takes other seeds, never these; whoever changes a range here says so in
docs/evaluation.md and runs everything again.
"""

import random
from dataclasses import dataclass

WORLDS = 24
SILENT_WORLDS = 6  # of them: liquidations fall anywhere along the path of price, so that no zone can know of them
FIRST_SEED = 20_261_123
DAYS = 2.5  # of market time, a world
WARM_UP_DAYS = 1.0  # of these: nothing is scored

TURNOVER_USD = (2e8, 5e10)  # a day; log-uniform, like all that spans more than a factor of five
DAILY_VOLATILITY = (0.015, 0.07)
POSITIONS = (200, 900)  # open at a time
MEAN_HOLDING_S = (1_800.0, 28_800.0)
DEPTH_SHARE = (0.03, 0.25)  # of a day's turnover for a move of 100 %: how little forced orders push the price
LEVERAGE_TILT = 0.8  # standard deviation of ln(weight) around the simulator's usual weights, each leverage on its own
SHOWN_SHARE = (0.25, 1.0)  # of liquidations that feeds bring: capped venues
NEWS_SHARE = 0.7  # of the worlds have news
FEEDBACK_SHARE = 0.8  # of the worlds: forced orders move the price
MAX_LEVERAGES = (50, 75, 100, 125)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`leverage_tilts`: one factor for each of the simulator's leverages, in their order."""

    number: int
    seed: int
    informative: bool
    turnover_usd: float
    daily_volatility: float
    max_leverage: int
    positions: int
    mean_holding_s: float
    depth_share: float
    leverage_tilts: tuple[float, ...]
    shown_share: float
    news: bool
    feedback: bool


def drawn_worlds(leverages: int, count: int = WORLDS, first_seed: int = FIRST_SEED) -> tuple[World, ...]:
    """The same worlds every time. Every fourth holds no information about its liquidations."""
    every = WORLDS // SILENT_WORLDS
    return tuple(
        _drawn(number, first_seed + number, leverages, informative=number % every != every - 1)
        for number in range(count)
    )


def _drawn(number: int, seed: int, leverages: int, *, informative: bool) -> World:
    draw = random.Random(seed)
    return World(
        number=number,
        seed=seed,
        informative=informative,
        turnover_usd=_log_uniform(draw, TURNOVER_USD),
        daily_volatility=draw.uniform(*DAILY_VOLATILITY),
        max_leverage=draw.choice(MAX_LEVERAGES),
        positions=draw.randint(*POSITIONS),
        mean_holding_s=_log_uniform(draw, MEAN_HOLDING_S),
        depth_share=_log_uniform(draw, DEPTH_SHARE),
        leverage_tilts=tuple(draw.lognormvariate(0.0, LEVERAGE_TILT) for _ in range(leverages)),
        shown_share=draw.uniform(*SHOWN_SHARE),
        news=draw.random() < NEWS_SHARE,
        feedback=draw.random() < FEEDBACK_SHARE,
    )


def _log_uniform(draw: random.Random, span: tuple[float, float]) -> float:
    low, high = span
    return float(low * (high / low) ** draw.random())
