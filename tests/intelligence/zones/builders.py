"""Minutes of SOL with marks and open interest, for zone models."""

import random
from itertools import pairwise
from math import exp

from intelligence.market import PositionSide, PriceKind
from intelligence.zones.model import ZoneModel
from intelligence.zones.rules import ZoneRules
from tests.intelligence.builders import a_liquidation, a_minute, an_open_interest

MINUTE_MS = 60_000


def a_zone_minute(index, price, coins, *, before=None, scale=1.0, liquidations=(), **overrides):
    """Price went from `before` to `price`; `coins` are open on two venues. `scale` multiplies every quantity."""
    low, high = min(price, before or price), max(price, before or price)
    return a_minute(
        index,
        price,
        mark_low=low,
        mark_high=high,
        low=low,
        high=high,
        open_interest=tuple(
            an_open_interest((index + 1) * MINUTE_MS, scale * coins, venue=venue) for venue in ("binance", "bybit")
        ),
        liquidations=tuple(
            a_liquidation(
                index * MINUTE_MS,
                usd=scale * usd,
                quantity=scale * usd / at,
                price=at,
                position_side=side,
                price_kind=PriceKind.FILL,
            )
            for side, at, usd in liquidations
        ),
        **overrides,
    )


def wandering(count, seed=1, sigma=0.001, price=100.0):
    """Prices without drift, one more than minutes."""
    draw = random.Random(seed)
    prices = [price]
    for _ in range(count):
        prices.append(prices[-1] * exp(draw.gauss(0.0, sigma)))
    return prices


def history(count=400, seed=1, *, scale=1.0, flip=False):
    """Minutes whose open interest rises and falls with a price that wanders, and liquidations where it falls or rises fast.

    `flip`: everything of longs happens to shorts: prices are mirrored at the first one.
    """
    draw = random.Random(seed)
    coins, found = 1e6, []
    prices = wandering(count, seed)
    for index, (before, price) in enumerate(pairwise(prices)):
        coins *= 1 + draw.uniform(-0.002, 0.003)
        liquidations = []
        if abs(price / before - 1) > 0.002:
            fell = price < before
            liquidations = [
                (PositionSide.LONG if fell != flip else PositionSide.SHORT, mirrored(price, flip=flip), 40_000.0)
            ]
        found.append(
            a_zone_minute(
                index,
                mirrored(price, flip=flip),
                coins,
                before=mirrored(before, flip=flip),
                scale=scale,
                liquidations=liquidations,
            )
        )
    return found


def mirrored(price, *, flip, around=100.0):
    return around * around / price if flip else price


def a_model(minutes=(), rules=None):
    model = ZoneModel("SOL", rules or ZoneRules())
    for minute in minutes:
        model.take(minute)
    return model


def a_falling_market():
    """Open interest at 100, then a slow fall towards the longs of high leverage."""
    price, coins, found = 100.0, 1e6, []
    for index in range(480):
        before = price
        price = 100.0 + 0.05 * (-1) ** index if index < 200 else price * (0.9998 + 0.0005 * (-1) ** index)
        coins *= 1.002 if index < 200 else 1.0
        found.append(a_zone_minute(index, price, coins, before=before))
    return found
