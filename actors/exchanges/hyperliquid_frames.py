"""What Hyperliquid sends and what each frame comes to.

Sides and units (exchanges.md 1.1, 1.2, 5): sizes are base coins; `side` of a trade is the taker's, B bought and A sold.
There is no public feed of liquidations. Fills of an address that is followed carry a mark, a part of the whole, hence
coverage capped; one parser expects the same mark on public trades, which nobody has confirmed: such a record is marked
`feed`. Open interest is in coins, and whether of both sides is reported either way, so it is marked. Contexts (mark,
open interest, funding for an hour) carry no time: that of receipt stands for it.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from actors.exchanges import records
from actors.exchanges.exchange import NOTHING_SETTLED, Instrument, UnknownInstrument
from actors.exchanges.wire import (
    UNDECODABLE,
    EpochMs,
    Findings,
    FundingRate,
    Listed,
    NonNegative,
    Positive,
    RowReader,
    problem_in,
)
from intelligence.assets import unit_of
from intelligence.market import Control, Coverage, Decoded, PositionSide, PriceKind, TakerSide

NAME = "hyperliquid"

MARKS = "liquidation_feed"  # whether marks on public trades are liquidations, the conflict; its verdict:
CONFIRMED = "confirmed"

_NOT_USED = frozenset(
    [
        *("l2Book", "bbo", "allMids", "notification", "webData2", "webData3", "orderUpdates", "userEvents"),
        *("userFundings", "userNonFundingLedgerUpdates", "user"),
    ]
)
_MAIN = ""  # the name of the main exchange beside builder-deployed ones
_INTERVALS = frozenset(["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"])


class _Envelope(msgspec.Struct, gc=False):
    """A push (`channel`, `data`), or a block of a node's file of fills (`events`)."""

    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()


class _Mark(msgspec.Struct, gc=False, rename="camel"):
    liquidated_user: str = ""


class _Trade(msgspec.Struct, gc=False):
    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: NonNegative
    time: EpochMs
    tid: int
    users: tuple[str, ...] = ()  # buyer, seller
    liquidation: _Mark | None = None


class _Fill(msgspec.Struct, gc=False):
    """One side of a trade; `crossed` was the taker."""

    coin: str
    side: Literal["A", "B"]
    px: Positive
    sz: NonNegative
    time: EpochMs
    tid: int
    crossed: bool
    liquidation: _Mark | None = None


class _Fills(msgspec.Struct, gc=False):
    user: str
    fills: list[_Fill]
    snapshot: bool = msgspec.field(name="isSnapshot", default=False)


class _Context(msgspec.Struct, gc=False, rename="camel"):
    mark_px: Positive
    open_interest: NonNegative
    oracle_px: NonNegative | None = None
    funding: FundingRate | None = None


class _OfCoin(msgspec.Struct, gc=False):
    coin: str
    ctx: msgspec.Raw


class _Exchanges(msgspec.Struct, gc=False):
    ctxs: list[tuple[str, msgspec.Raw]]


class _Bar(msgspec.Struct, gc=False):
    """The bar that is running; the next one says that it is closed."""

    t: EpochMs
    s: str
    i: str
    o: Positive
    c: Positive
    h: Positive
    l: Positive  # noqa: E741  # the venue's name
    v: NonNegative


class _Subscription(msgspec.Struct, gc=False):
    type: str = ""
    coin: str = ""


class _Subscribed(msgspec.Struct, gc=False):
    method: str
    subscription: _Subscription


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_TRADES = RowReader(_Trade)
_FILLS = msgspec.json.Decoder(_Fills, strict=False)
_NODE_FILLS = RowReader(tuple[str, _Fill])
_CONTEXT = msgspec.json.Decoder(_Context, strict=False)
_CONTEXTS = RowReader(msgspec.Raw)
_OF_COIN = msgspec.json.Decoder(_OfCoin)
_EXCHANGES = msgspec.json.Decoder(_Exchanges)
_BAR = msgspec.json.Decoder(_Bar, strict=False)
_SUBSCRIBED = msgspec.json.Decoder(_Subscribed)


class HyperliquidDecoder:
    """Remembers whose trades were subscribed: the first message after that is history. One for each connection."""

    def __init__(self, instruments: Mapping[str, Instrument], settled: Mapping[str, str] = NOTHING_SETTLED) -> None:
        self._doubt = "" if settled.get(MARKS) == CONFIRMED else "feed"
        self._listed = Listed(instruments, from_coin)
        self._places = {one.place: one for one in instruments.values() if one.place is not None}
        self.awaited: set[str] = set()
        self._readers: Mapping[str, Callable[[msgspec.Raw, int, Findings], None]] = {
            "trades": self._read_trades,
            "activeAssetCtx": self._read_context,
            "allDexsAssetCtxs": self._read_all_contexts,
            "candle": self._read_bar,
            "userFills": self._read_fills,
        }

    def decode(self, frame: bytes | memoryview, received_ms: int) -> tuple[Decoded, ...]:
        try:
            envelope = _ENVELOPE.decode(frame)
            if envelope.channel in ("pong", "subscriptionResponse", "error"):
                return (self._take_answer(envelope, received_ms),)
        except UNDECODABLE as error:
            raise problem_in(frame, error) from error
        found = Findings()
        if envelope.channel in self._readers:
            try:
                self._readers[envelope.channel](envelope.data, received_ms, found)
            except UNDECODABLE as error:
                found.problems.append(problem_in(envelope.data, error))
        elif envelope.channel in _NOT_USED:
            found.set_aside("not_used", "")
        elif envelope.channel == "activeSpotAssetCtx":
            found.set_aside("other_market", "")
        elif bytes(envelope.events):
            self._read_block(envelope.events, received_ms, found)
        else:
            expected = f"channel: expected one of Hyperliquid, was {envelope.channel!r:.80}"
            found.problems.append(problem_in(frame, ValueError(expected)))
        return found.conclude(NAME, received_ms)

    def _take_answer(self, envelope: _Envelope, received_ms: int) -> Control:
        detail, instrument = "", None
        match envelope.channel:
            case "pong":
                reason = "pong"
            case "error":
                reason, detail = "subscribe_refused", bytes(envelope.data).decode(errors="replace")[:200]
            case _:
                answer = _SUBSCRIBED.decode(envelope.data)
                reason, detail = f"{answer.method}d"[:40], answer.subscription.type
                instrument = answer.subscription.coin or None
                if detail == "trades" and answer.method == "subscribe":
                    self.awaited.add(answer.subscription.coin)
        return Control(venue=NAME, reason=reason, received_ms=received_ms, instrument=instrument, detail=detail)

    def _read_trades(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        rows = _TRADES.read(raw, found.problems)
        for coin in self.awaited & {row.coin for row in rows}:
            self.awaited.discard(coin)
            rows = [row for row in rows if row.coin != coin]
            found.set_aside("snapshot_dropped", coin)
        for row in rows:
            if (instrument := self._listed.find(row.coin, found)) is None:
                continue
            self._take_trade(row, instrument, received_ms, found)
            if row.liquidation is not None:
                user = row.liquidation.liquidated_user
                was_long = user == row.users[1] if user in row.users[:2] and len(row.users) > 1 else row.side == "A"
                _take_liquidation(row, instrument, received_ms, found, was_long=was_long, uncertain=self._doubt)

    def _read_fills(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        """Take the liquidations only: the trades of a followed address come by their own feed as well."""
        told = _FILLS.decode(raw)
        if told.snapshot:
            found.set_aside("snapshot_dropped", "")
            return
        for fill in told.fills:
            if fill.liquidation is None:
                found.set_aside("not_used", fill.coin)
            elif (instrument := self._listed.find(fill.coin, found)) is not None:
                was_long = (fill.side == "A") == (fill.liquidation.liquidated_user == told.user)
                _take_liquidation(fill, instrument, received_ms, found, was_long=was_long)

    def _read_block(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        """Take each trade of a node's block from the taker's side, and each liquidation from the liquidated one's."""
        for user, fill in _NODE_FILLS.read(raw, found.problems):
            if (instrument := self._listed.find(fill.coin, found)) is None:
                continue
            if fill.crossed:
                self._take_trade(fill, instrument, received_ms, found)
            if fill.liquidation is not None and fill.liquidation.liquidated_user == user:
                _take_liquidation(fill, instrument, received_ms, found, was_long=fill.side == "A")

    def _take_trade(self, row: _Trade | _Fill, instrument: Instrument, received_ms: int, found: Findings) -> None:
        side = TakerSide.BUY if row.side == "B" else TakerSide.SELL
        times = (row.time, received_ms)
        found.events.append(records.trade(instrument, times, side, size=row.sz, price=row.px, trade_id=str(row.tid)))

    def _read_context(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        told = _OF_COIN.decode(raw)
        if (instrument := self._listed.find(told.coin, found)) is not None:
            _take_context(told.ctx, instrument, received_ms, found)

    def _read_all_contexts(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        """Contexts stand in the order of the venue's list; builder-deployed exchanges are other markets."""
        for exchange, contexts in _EXCHANGES.decode(raw).ctxs:
            rows = _CONTEXTS.read(contexts, found.problems)
            if exchange != _MAIN:
                found.set_aside("other_market", exchange)
            elif not self._places:
                problem = "the contracts are named by place alone, and the list of instruments is missing"
                found.problems.append(UnknownInstrument(problem))
            else:
                for place, row in enumerate(rows):
                    if (instrument := self._places.get(place)) is None:
                        found.set_aside("not_listed", "")
                    else:
                        _take_context(row, instrument, received_ms, found)

    def _read_bar(self, raw: msgspec.Raw, received_ms: int, found: Findings) -> None:
        bar = _BAR.decode(raw)
        if (instrument := self._listed.find(bar.s, found)) is None:
            return
        if bar.i not in _INTERVALS:
            raise msgspec.ValidationError(f"expected an interval of Hyperliquid, was {bar.i!r:.40} - at `$.i`")
        event = records.kline(
            instrument,
            (bar.t, received_ms),
            bar.i,
            ohlc=(bar.o, bar.h, bar.l, bar.c),
            size=bar.v,
            notional_usd=None,
            closed=False,
        )
        found.events.append(event)


def _take_context(raw: msgspec.Raw, instrument: Instrument, received_ms: int, found: Findings) -> None:
    try:
        row = _CONTEXT.decode(raw)
    except UNDECODABLE as error:
        found.problems.append(problem_in(raw, error))
        return
    times = (received_ms, received_ms)
    mark = records.mark_price(instrument, times, price=row.mark_px, index_price=row.oracle_px, funding_rate=row.funding)
    interest = records.open_interest(instrument, times, size=row.open_interest, price=row.mark_px, uncertain="sides")
    found.events += (mark, interest)


def _take_liquidation(
    row: _Trade | _Fill,
    instrument: Instrument,
    received_ms: int,
    found: Findings,
    *,
    was_long: bool,
    uncertain: str = "",
) -> None:
    event = records.liquidation(
        instrument,
        (row.time, received_ms),
        PositionSide.LONG if was_long else PositionSide.SHORT,
        size=row.sz,
        price=row.px,
        price_kind=PriceKind.FILL,
        coverage=Coverage.CAPPED,
        uncertain=uncertain,
    )
    found.events.append(event)


def from_coin(coin: str) -> Instrument | None:
    """Read BTC and kPEPE; None for spot (@2, PURR/USDC) and builder-deployed contracts (xyz:TSLA)."""
    if not coin or coin.startswith(("@", "#")) or "/" in coin or ":" in coin:
        return None
    asset, multiplier = unit_of(coin)
    return Instrument(venue=NAME, instrument=coin, asset=asset, multiplier=multiplier)
