"""Self-tests: what only observation can settle, because the venues' documents leave it open (exchanges.md 11.3).

Each function looks at what was observed and names its verdict, or "" while the evidence does not suffice or disagrees
with itself. A verdict goes to `Exchange.decoder(..., settled={conflict: verdict})`; until then the records concerned say
in `uncertain` what is in doubt. Records are to be given as the unsettled decoder reads them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import isclose

from intelligence.market import Liquidation, PositionSide

PAIRS = 5  # so many observations have to agree; one alone may be chance

_MatchKey = tuple[str, int, str]


def gate_sign_verdict(socket: Iterable[Liquidation], rest: Iterable[Liquidation]) -> str:
    """Tell whether the size on Gate's socket is that of the `order` or of the `position`, conflict `liquidation_sign`.

    The list of REST is known to carry the position. Rows are matched by contract, second and size; where several match,
    with both sides among them, they say nothing.
    """
    listed: dict[_MatchKey, set[PositionSide]] = defaultdict(set)
    told: dict[_MatchKey, set[PositionSide]] = defaultdict(set)
    for rows, sides in ((rest, listed), (socket, told)):
        for row in rows:
            sides[row.instrument, row.exchange_ms // 1_000, f"{row.quantity:.9g}"].add(row.position_side)
    pairs = [told[key] == listed[key] for key in told.keys() & listed.keys() if len(told[key]) == len(listed[key]) == 1]
    if len(pairs) < PAIRS or len(set(pairs)) > 1:
        return ""
    return "order" if pairs[0] else "position"


def bitget_unit_verdict(socket: Iterable[Liquidation], rest: Iterable[Liquidation]) -> str:
    """Tell whether `amount` on Bitget's socket is in the `quote` or the `base` coin, conflict `liquidation_unit`.

    A row of the socket, read as quote, is compared with its twin of REST (same time, contract, side), read as base, which
    a live comparison has confirmed: equal values in dollars say quote, equal bare amounts say base. Prices near 1 say
    nothing.
    """
    twins = {(row.instrument, row.exchange_ms, row.position_side): row for row in rest}
    votes = []
    for row in socket:
        twin = twins.get((row.instrument, row.exchange_ms, row.position_side))
        if twin is None or 0.5 < twin.notional_usd / twin.quantity < 2:
            continue
        if isclose(row.notional_usd, twin.notional_usd, rel_tol=0.01):
            votes.append("quote")
        else:
            votes.append("base" if isclose(row.notional_usd, twin.quantity, rel_tol=0.01) else "")
    return _unanimous(votes)


def bitget_unit_of_steps(socket: Iterable[Liquidation]) -> str:
    """Tell the same from the socket alone: orders are round numbers of coins.

    Read as quote, a row's quantity is amount / price. If that has fewer digits than the amount, the amount was dollars;
    if it has more, the amount was the round number itself. Both liquidations recorded in 2026 say quote.
    """
    votes = []
    for row in socket:
        quotient, amount = _digits(row.quantity), _digits(row.notional_usd)
        if quotient != amount:
            votes.append("quote" if quotient < amount else "base")
    return _unanimous(votes)


def okx_cap_verdict(rows: Iterable[Liquidation]) -> str:
    """Tell whether OKX has `lifted` its cap of one order a contract and second, conflict `liquidation_cap`.

    Two different rows of one contract in one second are enough.
    """
    seen: dict[tuple[str, int], set[tuple[int, PositionSide, float, float]]] = defaultdict(set)
    for row in rows:
        orders = seen[row.instrument, row.exchange_ms // 1_000]
        orders.add((row.exchange_ms, row.position_side, row.quantity, row.price))
        if len(orders) > 1:
            return "lifted"
    return ""


def bybit_sides_verdict(plain_over_single: Iterable[float]) -> str:
    """Tell whether Bybit's plain `openInterest` counts `both` sides or `one`, conflict `open_interest_sides`.

    The ratios are `openInterest / singleOpenInterest` of several symbols (`single_ratios`).
    """
    return _unanimous(
        ["both" if 1.9 < ratio < 2.1 else "one" if 0.95 < ratio < 1.05 else "" for ratio in plain_over_single]
    )


def units_problem(name: str, coins: float, price: float, usd: float, within: float = 0.01) -> str:
    """Say what is wrong when coins * price is not what the venue calls its dollars; "" when all is well.

    For OKX (`oi` in coins against `oiUsd`) and Gate (`total_size` in coins against `open_interest_usd`): a contract size
    that is wrong or has changed shows here first.
    """
    if isclose(coins * price, usd, rel_tol=within):
        return ""
    return f"{name}: {coins:g} coins at {price:g} are {coins * price:.6g} USD, the venue says {usd:.6g}"


def hyperliquid_feed_verdict(rows: Iterable[Liquidation], followed: Mapping[tuple[str, int], PositionSide]) -> str:
    """Tell whether marks on Hyperliquid's public trades are `confirmed`, conflict `liquidation_feed`.

    `followed`: contract and time of liquidations known from fills of a followed address, with their side. Every known
    one that is marked has to be marked with the same side.
    """
    pairs = [
        followed[key] == row.position_side for row in rows if (key := (row.instrument, row.exchange_ms)) in followed
    ]
    return "confirmed" if len(pairs) >= PAIRS and all(pairs) else ""


def _unanimous(votes: list[str]) -> str:
    return votes[0] if len(votes) >= PAIRS and len(set(votes)) == 1 else ""


def _digits(value: float) -> int:
    """How many significant digits a number has, up to 12; quotients of floats are exact to some 15."""
    return next((digits for digits in range(1, 12) if isclose(float(f"{value:.{digits}g}"), value, rel_tol=1e-12)), 12)
