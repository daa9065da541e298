"""OKX swaps: one topic brings the liquidations of all of them, mark prices are subscribed contract by contract.

Source: exchanges.md 1.3, 1.4 and 4.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from actors.exchanges.exchange import (
    FrameError,
    Instrument,
    InstrumentPage,
    Keepalive,
    Refusal,
    RestCall,
    SocketPlan,
)
from actors.exchanges.okx_frames import LIQUIDATIONS, MARK_PRICE, NAME, OkxDecoder
from actors.exchanges.wire import UNDECODABLE, Positive, RowReader, counted, problem_in, retry_after_s
from intelligence.assets import unit_of

_PATH = "/ws/v5/public"
_INSTRUMENTS = "/api/v5/public/instruments"

ARGS_BYTES = 64_000  # 64 KB of one connection, over all its subscribe frames
_ARGS_A_FRAME = 100  # 480 subscribe operations an hour and connection: four frames leave room to reconnect
_QUIET_MARK_S = 15.0  # an unchanged mark price is repeated every 10 s

_QUOTES = ("USDT", "USDC")

_TOO_MANY_REQUESTS = "50011"
_BUSY = ("50001", "50013", "50026")


class _Row(msgspec.Struct, gc=False, rename="camel"):
    """`inst_family`, `rule_type` and `inst_category` were added after 2022; `uly` is the older name of the first."""

    inst_id: str
    inst_type: str
    ct_type: str
    ct_val: str
    ct_mult: str
    settle_ccy: str
    state: str
    uly: str
    inst_family: str = ""
    rule_type: str = "normal"
    inst_category: str = "1"


class _Reply(msgspec.Struct, gc=False):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw()


_REPLY = msgspec.json.Decoder(_Reply, strict=False)
_ROWS = RowReader(_Row)


class Okx:
    name = NAME
    # The venue closes after 30 s without data; pongs come every 15 s. No age is documented: renewed once a week, and
    # a planned close is announced.
    keepalive = Keepalive(ping=b"ping", every_s=15.0, silent_s=30.0, max_age_s=7 * 86_400.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path=_INSTRUMENTS, params=(("instType", "SWAP"),))

    def read_instruments(self, body: bytes) -> InstrumentPage:
        try:
            reply = _REPLY.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        if reply.code != "0":
            raise FrameError(f"instruments: expected code 0, was {reply.code} {reply.msg}")
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(reply.data, problems):
            if reason := _why_not(row):
                left_out[reason] += 1
                continue
            try:
                usable.append(_instrument(row))
            except UNDECODABLE as error:
                problems.append(FrameError(f"{row.inst_id}: {error}"))
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(self, instruments: Iterable[Instrument], assets: frozenset[str]) -> tuple[SocketPlan, ...]:
        args = [{"channel": LIQUIDATIONS, "instType": "SWAP"}]
        args += [{"channel": MARK_PRICE, "instId": one.instrument} for one in instruments if one.asset in assets]
        return tuple(_plan(number, share) for number, share in enumerate(_shares(args), start=1))

    def decoder(self, instruments: Mapping[str, Instrument]) -> OkxDecoder:
        return OkxDecoder(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        """Judge by `code` too: OKX answers "too many requests" with HTTP 200 as well."""
        code = _code_of(body)
        if status == 451:
            return Refusal(
                reason="geo_blocked",
                permanent=True,
                retry_after_s=0.0,
                advice="OKX does not serve this country: run Foreshock where it does, or switch the venue off",
            )
        if code in _BUSY:
            return _wait("busy", retry_after_s(headers, 10.0), f"OKX is overloaded or under maintenance (code {code})")
        if status == 429 or code == _TOO_MANY_REQUESTS:
            return _wait("rate_limited", retry_after_s(headers, 2.0), "too many calls from this address")
        if status == 403:
            return _wait("forbidden", 300.0, "OKX refused us without saying why; see its answer in the log")
        return None


def _plan(number: int, args: Sequence[dict[str, str]]) -> SocketPlan:
    frames = tuple(
        msgspec.json.encode({"op": "subscribe", "args": args[first : first + _ARGS_A_FRAME]})
        for first in range(0, len(args), _ARGS_A_FRAME)
    )
    return SocketPlan(
        name=f"public-{number}",
        path=_PATH,
        subscribe=frames,
        acks=len(args),  # every argument is answered by itself
        data_within_s=_QUIET_MARK_S if any(arg["channel"] == MARK_PRICE for arg in args) else None,
        brings_liquidations=any(arg["channel"] == LIQUIDATIONS for arg in args),
    )


def _shares(args: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Split the arguments so that each socket keeps to `ARGS_BYTES`, in order."""
    shares: list[list[dict[str, str]]] = []
    room = 0
    for arg in args:
        size = len(msgspec.json.encode(arg)) + len(",")
        if size > room:
            shares.append([])
            room = ARGS_BYTES
        shares[-1].append(arg)
        room -= size
    return shares


def _instrument(row: _Row) -> Instrument:
    asset, multiplier = unit_of(_base(row))
    value, factor = (msgspec.convert(text, Positive, strict=False) for text in (row.ct_val, row.ct_mult))
    return Instrument(
        venue=NAME, instrument=row.inst_id, asset=asset, contract_size=value * factor, multiplier=multiplier
    )


def _base(row: _Row) -> str:
    return (row.inst_family or row.uly).partition("-")[0]


def _code_of(body: bytes) -> str:
    try:
        return _REPLY.decode(body).code
    except UNDECODABLE:
        return ""


def _wait(reason: str, seconds: float, advice: str) -> Refusal:
    return Refusal(reason=reason, permanent=False, retry_after_s=seconds, advice=advice)


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: inverse, settled in a coin, not live, before its listing, or not a coin."""
    if row.inst_type != "SWAP" or row.ct_type != "linear":
        return f"contract_{row.ct_type or row.inst_type.lower()}"
    if row.settle_ccy not in _QUOTES:
        return f"settled_in_{row.settle_ccy.lower()}"
    if row.state != "live":
        return f"state_{row.state}"
    if row.rule_type != "normal":
        return f"rule_{row.rule_type}"
    return f"category_{row.inst_category}" if row.inst_category != "1" else None
