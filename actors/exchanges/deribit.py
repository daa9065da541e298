"""Deribit perpetuals: liquidations are marks on trades, so the trades of whole currencies are asked for.

Source: exchanges.md 1.3, 1.4 and 8.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from actors.exchanges.deribit_frames import NAME, DeribitDecoder, from_name
from actors.exchanges.deribit_trades import DeribitTrades
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
from actors.exchanges.wire import UNDECODABLE, RowReader, chunks, counted, geo_blocked, problem_in, retry_after_s, wait

API = "/api/v2/public"

_PATH = "/ws/api/v2"
_CHANNELS_A_FRAME = 100  # subscribing costs about a third of a second each
_CHANNELS_A_SOCKET = 400
_TICKER_S = 15.0
_TOO_MANY = 10028


class _Row(msgspec.Struct, gc=False):
    instrument_name: str
    kind: str = "future"
    settlement_period: str = ""
    instrument_type: str = ""
    is_active: bool = True


class _Refused(msgspec.Struct, gc=False):
    code: int
    message: str = ""


class Reply(msgspec.Struct, gc=False):
    result: msgspec.Raw = msgspec.Raw()
    error: _Refused | None = None


REPLY = msgspec.json.Decoder(Reply)
_ROWS = RowReader(_Row)


class Deribit:
    name = NAME
    # We ping by `public/test` instead of asking for heartbeats, which would have to be answered. Nothing is documented
    # about silence or age: two pings, and a week.
    keepalive = Keepalive(
        ping=b'{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}',
        every_s=15.0,
        silent_s=35.0,
        max_age_s=7 * 86_400.0,
    )

    def instruments_call(self) -> RestCall:
        return RestCall(path=f"{API}/get_instruments", params=(("currency", "any"), ("kind", "future")))

    def read_instruments(self, body: bytes, call: RestCall | None = None) -> InstrumentPage:  # noqa: ARG002
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(result_of(body), problems):
            if reason := _why_not(row):
                left_out[reason] += 1
            elif (one := from_name(row.instrument_name)) is None:
                left_out["quote"] += 1
            else:
                usable.append(msgspec.structs.replace(one, inverse=row.instrument_type == "reversed"))
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(
        self, instruments: Iterable[Instrument], assets: frozenset[str], feeds: frozenset[Feed] = CORE_FEEDS
    ) -> tuple[SocketPlan, ...]:
        """Plan the trades of every currency where liquidations are wanted, else those of `assets`."""
        listed = tuple(instruments)
        wanted = [one.instrument for one in listed if one.asset in assets]
        plans = []
        if Feed.LIQUIDATIONS in feeds and listed:
            channels = [f"trades.future.{currency}.100ms" for currency in currencies(listed)]
            carried = frozenset({Feed.LIQUIDATIONS, Feed.TRADES})
            plans += _plans("trades", channels, carried, None)
        elif Feed.TRADES in feeds:
            channels = [f"trades.{name}.100ms" for name in wanted]
            plans += _plans("trades", channels, frozenset({Feed.TRADES}), None)
        if tickers := feeds & {Feed.MARK_PRICES, Feed.OPEN_INTEREST, Feed.FUNDING}:
            plans += _plans("tickers", [f"ticker.{name}.100ms" for name in wanted], tickers, _TICKER_S)
        if Feed.KLINES in feeds:
            bars = [f"chart.trades.{name}.1" for name in wanted]
            plans += _plans("klines", bars, frozenset({Feed.KLINES}), None)
        return tuple(plans)

    def decoder(
        self,
        instruments: Mapping[str, Instrument],
        settled: Mapping[str, str] = NOTHING_SETTLED,  # noqa: ARG002
    ) -> DeribitDecoder:
        return DeribitDecoder(instruments)

    def trades_decoder(self, instruments: Mapping[str, Instrument]) -> DeribitTrades:
        return DeribitTrades(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        if status == 451:
            return geo_blocked("Deribit")
        if status == 429 or _code_of(body) == _TOO_MANY:
            return wait("rate_limited", retry_after_s(headers, 5.0), "too many calls from this address")
        if status == 403:
            return wait("forbidden", 300.0, "Deribit refused us without saying why; see its answer in the log")
        return None


def result_of(body: bytes) -> msgspec.Raw:
    """The result of a reply. Raises FrameError where there is none."""
    try:
        reply = REPLY.decode(body)
    except UNDECODABLE as error:
        raise problem_in(body, error) from error
    if reply.error is not None:
        raise FrameError(f"expected a result, was error {reply.error.code} {reply.error.message}")
    return reply.result


def currencies(instruments: Iterable[Instrument]) -> list[str]:
    """The currencies the venue files its contracts under: the coin of an inverse one, the quote of a linear one."""
    pairs = (one.instrument.partition("-")[0].partition("_") for one in instruments)
    return sorted({quote or base for base, _, quote in pairs})


def _plans(name: str, channels: Sequence[str], feeds: frozenset[Feed], data_within_s: float | None) -> list[SocketPlan]:
    plans = []
    for number, share in enumerate(chunks(channels, _CHANNELS_A_SOCKET), start=1):
        frames = tuple(_subscribe(some) for some in chunks(share, _CHANNELS_A_FRAME))
        plan = SocketPlan(
            name=f"{name}-{number}",
            path=_PATH,
            subscribe=frames,
            acks=len(frames),
            data_within_s=data_within_s,
            brings_liquidations=Feed.LIQUIDATIONS in feeds,
            feeds=feeds,
        )
        plans.append(plan)
    return plans


def _subscribe(channels: Sequence[str]) -> bytes:
    """The id tells the decoder how many channels the answer has to name."""
    request = {
        "jsonrpc": "2.0",
        "id": len(channels),
        "method": "public/subscribe",
        "params": {"channels": channels},
    }
    return msgspec.json.encode(request)


def _code_of(body: bytes) -> int:
    try:
        error = REPLY.decode(body).error
    except UNDECODABLE:
        return 0
    return error.code if error is not None else 0


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: an option or a spread, dated, or not trading."""
    if row.kind != "future":
        return f"kind_{row.kind}"
    if row.settlement_period != "perpetual":
        return f"settled_{row.settlement_period}"
    return None if row.is_active else "inactive"
