"""Self-tests: what only observation can settle, because the venues' documents leave it open (exchanges.md 11.3).

Each `*_votes` looks at what was observed and lets every observation that says anything name a verdict, or "" where it fits
none. `verdict_of` is the verdict of enough votes that agree. It goes to `Exchange.decoder(..., settled={conflict: verdict})`;
until then the records concerned say in `uncertain` what is in doubt. Records are to be given as the unsettled decoder
reads them, which `as_order` and `as_quote` restore.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import isclose

import msgspec

from intelligence.market import Liquidation, PositionSide

PAIRS = 5  # so many observations have to agree; one alone may be chance

_OTHER = {PositionSide.LONG: PositionSide.SHORT, PositionSide.SHORT: PositionSide.LONG}
_MatchKey = tuple[str, int, str]


def verdict_of(votes: Sequence[str], enough: int = PAIRS) -> str:
    """Name the verdict of all votes; "" while there are too few, or they disagree."""
    return votes[0] if len(votes) >= enough and len(set(votes)) == 1 else ""


def gate_sign_votes(socket: Iterable[Liquidation], rest: Iterable[Liquidation]) -> list[str]:
    """Tell whether the size on Gate's socket is that of the `order` or of the `position`, conflict `liquidation_sign`.

    The list of REST is known to carry the position. Rows are matched by contract, second and size; where several match,
    with both sides among them, they say nothing.
    """
    listed: dict[_MatchKey, set[PositionSide]] = defaultdict(set)
    told: dict[_MatchKey, set[PositionSide]] = defaultdict(set)
    for rows, sides in ((rest, listed), (socket, told)):
        for row in rows:
            sides[row.instrument, row.exchange_ms // 1_000, f"{row.quantity:.9g}"].add(row.position_side)
    return [
        "order" if told[key] == listed[key] else "position"
        for key in sorted(told.keys() & listed.keys())
        if len(told[key]) == len(listed[key]) == 1
    ]


def as_order(row: Liquidation, verdict: str) -> Liquidation:
    """Give back a liquidation of Gate as the sign of its order tells it, whatever it was read by."""
    if verdict != "position":
        return row
    return msgspec.structs.replace(row, position_side=_OTHER[row.position_side])


def bitget_unit_votes(socket: Iterable[Liquidation], rest: Iterable[Liquidation]) -> list[str]:
    """Tell whether `amount` on Bitget's socket is in the `quote` or the `base` coin, conflict `liquidation_unit`.

    A row of the socket, read as quote, is compared with its twin of REST (same time, price, contract, side), read as base,
    which a live comparison has confirmed: equal values in dollars say quote, equal bare amounts say base. Prices near 1
    say nothing, and neither does a row with several twins.
    """
    twins: dict[tuple[str, int, str, str], list[Liquidation]] = defaultdict(list)
    for row in rest:
        twins[_bitget_key(row)].append(row)
    votes = []
    for key, row in {_bitget_key(row): row for row in socket}.items():
        found = twins.get(key, [])
        if len(found) != 1 or 0.5 < found[0].notional_usd / found[0].quantity < 2:
            continue
        if isclose(row.notional_usd, found[0].notional_usd, rel_tol=0.01):
            votes.append("quote")
        else:
            votes.append("base" if isclose(row.notional_usd, found[0].quantity, rel_tol=0.01) else "")
    return votes


def _bitget_key(row: Liquidation) -> tuple[str, int, str, str]:
    return row.instrument, row.exchange_ms, row.position_side, f"{row.price:.9g}"


def as_quote(row: Liquidation, verdict: str) -> Liquidation:
    """Give back a liquidation of Bitget, of a contract that counts single coins, as if its amount were dollars."""
    if verdict != "base":
        return row
    return msgspec.structs.replace(row, quantity=row.quantity / row.price, notional_usd=row.quantity)


def okx_cap_votes(rows: Iterable[Liquidation]) -> list[str]:
    """Tell whether OKX has `lifted` its cap of one order a contract and second, conflict `liquidation_cap`.

    Each second with two different rows of one contract says so; one is enough.
    """
    seen: dict[tuple[str, int], set[tuple[int, PositionSide, float, float]]] = defaultdict(set)
    for row in rows:
        seen[row.instrument, row.exchange_ms // 1_000].add(
            (row.exchange_ms, row.position_side, row.quantity, row.price)
        )
    return ["lifted" for orders in seen.values() if len(orders) > 1]


def bybit_sides_votes(plain_over_single: Iterable[float]) -> list[str]:
    """Tell whether Bybit's plain `openInterest` counts `both` sides or `one`, conflict `open_interest_sides`.

    The ratios are `openInterest / singleOpenInterest` of several symbols (`BybitData.single_ratios`).
    """
    return ["both" if 1.9 < ratio < 2.1 else "one" if 0.95 < ratio < 1.05 else "" for ratio in plain_over_single]


def units_problem(name: str, coins: float, price: float, usd: float, within: float = 0.01) -> str:
    """Say what is wrong when coins * price is not what the venue calls its dollars; "" when all is well.

    For OKX (`oi` in coins against `oiUsd`) and Gate (`total_size` in coins against `open_interest_usd`): a contract size
    that is wrong or has changed shows here first.
    """
    if isclose(coins * price, usd, rel_tol=within):
        return ""
    return f"{name}: {coins:g} coins at {price:g} are {coins * price:.6g} USD, the venue says {usd:.6g}"


def hyperliquid_feed_votes(rows: Iterable[Liquidation]) -> list[str]:
    """Tell whether marks on Hyperliquid's public trades are `confirmed`, conflict `liquidation_feed`.

    Fills of a followed address are certain. Every one of them that is marked on the public trades too (same contract and
    time) has to be marked with the same side.
    """
    known: dict[tuple[str, int], PositionSide] = {}
    marked: list[Liquidation] = []
    for row in rows:
        if row.uncertain:
            marked.append(row)
        else:
            known[row.instrument, row.exchange_ms] = row.position_side
    return [
        "confirmed" if known[key] == row.position_side else ""
        for row in marked
        if (key := (row.instrument, row.exchange_ms)) in known
    ]
