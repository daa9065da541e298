"""An ordinary market and a burst, minute by minute."""

from math import sin

from tests.intelligence.builders import a_minute

DAY = 1_440
WARM = DAY + 60  # minutes of an unremarkable market


def calm(index, **overrides):
    """A minute of an ordinary market: a little up and down."""
    price = 100.0 * (1 + 0.0005 * sin(index))
    return a_minute(index, price=price, volume_usd=1e6, open=100.0 * (1 + 0.0005 * sin(index - 1)), **overrides)


def burst(index, step, *, times=8.0, **overrides):
    """Minute number `step` of a burst: eight times the volume, takers buy, a third of a per cent a minute."""
    price = 100.0 * (1.003 ** (step + 1))
    usual = {"buy_usd": 0.7e6 * times, "sell_usd": 0.3e6 * times, "open": price / 1.003, "low": price / 1.003}
    return a_minute(index, price=price, **(usual | {"high": price} | overrides))
