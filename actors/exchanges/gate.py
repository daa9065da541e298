"""Gate USDT futures: one payload brings the liquidations of all of them, the rest is subscribed contract by contract.

Source: exchanges.md 1.3, 1.4 and 6.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from actors.exchanges.exchange import (
    CORE_FEEDS,
    NOTHING_SETTLED,
    Feed,
    FrameError,
    Instrument,
    InstrumentPage,
    Keepalive,
    Refusal,
    RestCall,
    SocketPlan,
)
from actors.exchanges.gate_frames import IN_MILLIONS, KLINES, LIQUIDATIONS, NAME, TICKERS, TRADES, GateDecoder
from actors.exchanges.gate_trades import GateTrades
from actors.exchanges.wire import Positive, RowReader, chunks, counted, geo_blocked, listing_time, problem_in, wait
from intelligence.assets import unit_of

DECIMAL_SIZES = (("X-Gate-Size-Decimal", "1"),)  # without it contracts that count in decimals lose them
CONTRACTS = "/api/v4/futures/usdt/contracts"

_PATH = "/v4/ws/usdt"
_PAGE = 100  # the default of the venue's SDK; where `limit` is not heeded the whole list comes at once
_CONTRACTS_A_FRAME = 100
_CONTRACTS_A_SOCKET = 500  # no limit is published, and slow readers are cut off
_TICKER_S = 15.0
_TRADE_S = 60.0
_WINDOW_S = 10.0  # of the rate limit; the header tells an instant, and there is no clock here


class _Row(msgspec.Struct, gc=False):
    """The last three were added after 2023."""

    name: str
    quanto_multiplier: Positive
    in_delisting: bool = False
    type: str = "direct"
    contract_type: str = ""
    is_pre_market: bool = False
    status: str = "trading"
    launch_time: Any = None


_ROWS = RowReader(_Row)


class Gate:
    name = NAME
    # The venue's own demo pings every 10 s. Neither a time-out nor an age is documented: two pings, and a week.
    keepalive = Keepalive(ping=b'{"channel":"futures.ping"}', every_s=10.0, silent_s=25.0, max_age_s=7 * 86_400.0)

    def instruments_call(self) -> RestCall:
        return _page(0)

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:
        if body.lstrip()[:1] != b"[":
            raise problem_in(body, ValueError("expected a list of contracts"))
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        rows = _ROWS.read(body, problems)
        for row in rows:
            if reason := _why_not(row):
                left_out[reason] += 1
            else:
                asset, multiplier = unit_of(row.name.removesuffix("_USDT"), in_millions=IN_MILLIONS)
                one = Instrument(
                    venue=NAME,
                    instrument=row.name,
                    asset=asset,
                    contract_size=row.quanto_multiplier,
                    multiplier=multiplier,
                    listed_ms=listing_time(row.launch_time),
                )
                usable.append(one)
        full = len(rows) + len(problems) == _PAGE
        offset = int(dict((call or _page(0)).params).get("offset", "0"))
        return InstrumentPage(
            instruments=tuple(usable),
            left_out=counted(left_out, problems),
            following=_page(offset + _PAGE) if full else None,
        )

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        wanted = [one.instrument for one in instruments if one.asset in assets]
        plans = []
        public: list[bytes] = []
        carried = feeds & {Feed.LIQUIDATIONS}
        if carried:
            public.append(_subscribe(LIQUIDATIONS, ["!all"]))
        if tickers := feeds & {Feed.MARK_PRICES, Feed.OPEN_INTEREST, Feed.FUNDING} if wanted else frozenset():
            carried |= tickers
            public += (_subscribe(TICKERS, names) for names in chunks(wanted, _CONTRACTS_A_FRAME))
        if public:
            plans.append(_plan("public", public, carried, _TICKER_S if tickers else None))
        for number, names in enumerate(chunks(wanted, _CONTRACTS_A_SOCKET), start=1):
            if Feed.TRADES in feeds:
                trades = [_subscribe(TRADES, share) for share in chunks(names, _CONTRACTS_A_FRAME)]
                plans.append(_plan(f"trades-{number}", trades, frozenset({Feed.TRADES}), _TRADE_S))
            if Feed.KLINES in feeds:
                bars = [_subscribe(KLINES, ["1m", name]) for name in names]
                plans.append(_plan(f"klines-{number}", bars, frozenset({Feed.KLINES}), _TRADE_S))
        return tuple(plans)

    def decoder(
        self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED
    ) -> GateDecoder:
        return GateDecoder(instruments, settled)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> GateTrades:
        return GateTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:  # noqa: ARG002
        if status == 451:
            return geo_blocked("Gate")
        if status == 429 or (status >= 400 and b"TOO_MANY_REQUESTS" in body[:4096]):
            return wait("rate_limited", _WINDOW_S, "too many calls from this address")
        if status == 403:
            return wait("forbidden", 300.0, "Gate refused us without saying why; see its answer in the log")
        return None


def _page(offset: int) -> RestCall:
    params = (("limit", str(_PAGE)), ("offset", str(offset)))
    return RestCall(path=CONTRACTS, params=params, headers=DECIMAL_SIZES)


def _subscribe(channel: str, payload: Sequence[str]) -> bytes:
    """Without `time`, which the venue needs for signed requests only; other recorders do the same."""
    return msgspec.json.encode({"channel": channel, "event": "subscribe", "payload": payload})


def _plan(name: str, frames: Sequence[bytes], feeds: frozenset[Feed], data_within_s: float | None) -> SocketPlan:
    return SocketPlan(
        name=name,
        path=_PATH,
        subscribe=tuple(frames),
        acks=len(frames),
        data_within_s=data_within_s,
        brings_liquidations=Feed.LIQUIDATIONS in feeds,
        feeds=feeds,
        headers=DECIMAL_SIZES,
    )


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: coin-margined, leaving, not trading, before its listing, or not a coin."""
    if row.type != "direct" or not row.name.endswith("_USDT"):
        return f"contract_{row.type}"
    if row.in_delisting:
        return "in_delisting"
    if row.status != "trading":
        return f"status_{row.status}"
    if row.is_pre_market:
        return "pre_market"
    return f"type_{row.contract_type}" if row.contract_type else None
