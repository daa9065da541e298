"""Binance USD-M futures: one socket brings every liquidation and every mark price.

Source: exchanges.md 1.3, 1.4 and 2.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from actors.exchanges.binance_frames import NAME, QUOTES, BinanceDecoder
from actors.exchanges.exchange import (
    FrameError,
    Instrument,
    InstrumentPage,
    Keepalive,
    Refusal,
    RestCall,
    SocketPlan,
)
from actors.exchanges.wire import UNDECODABLE, RowReader, counted, problem_in, retry_after_s
from intelligence.assets import unit_of

_STREAMS = ("!forceOrder@arr", "!markPrice@arr@1s")
_BAN_S = 120.0  # the shortest ban; a 418 without Retry-After
_MINUTE_S = 60.0  # windows of the weight limit end with the minute
_FIREWALL_S = 300.0


class _Row(msgspec.Struct, gc=False, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    underlying_type: str = "COIN"


class _Listing(msgspec.Struct, gc=False):
    symbols: msgspec.Raw = msgspec.Raw()
    msg: str = "a reply without symbols"


_LISTING = msgspec.json.Decoder(_Listing, strict=False)
_ROWS = RowReader(_Row)


class Binance:
    name = NAME
    # The server pings every 3 minutes, but mark prices come every second: half a minute of nothing is a dead socket.
    # A connection lives 24 hours; the official connector renews at 23.
    keepalive = Keepalive(ping=None, every_s=180.0, silent_s=30.0, max_age_s=23 * 3600.0)

    def instruments_call(self) -> RestCall:
        return RestCall(path="/fapi/v1/exchangeInfo")

    def read_instruments(self, body: bytes) -> InstrumentPage:
        try:
            listing = _LISTING.decode(body)
        except UNDECODABLE as error:
            raise problem_in(body, error) from error
        if not bytes(listing.symbols):
            raise FrameError(f"exchangeInfo: expected a list of symbols, was {listing.msg}")
        problems: list[FrameError] = []
        left_out: Counter[str] = Counter()
        usable = []
        for row in _ROWS.read(listing.symbols, problems):
            if reason := _why_not(row):
                left_out[reason] += 1
            else:
                asset, multiplier = unit_of(row.base_asset)
                usable.append(Instrument(venue=NAME, instrument=row.symbol, asset=asset, multiplier=multiplier))
        return InstrumentPage(instruments=tuple(usable), left_out=counted(left_out, problems))

    def sockets(self, instruments: Iterable[Instrument], assets: frozenset[str]) -> tuple[SocketPlan, ...]:  # noqa: ARG002
        """Plan one socket on `/market`: the unrouted path accepts the same subscription and sends nothing.

        SUBSCRIBE rather than stream names in the URL: the answer tells a refusal from silence, and streams can be
        added later on the same socket. It proves no data, so a mark price must follow within 5 s (exchanges.md 11.3).
        """
        subscribe = msgspec.json.encode({"method": "SUBSCRIBE", "params": _STREAMS, "id": 1})
        return (
            SocketPlan(
                name="market",
                path="/market/stream",
                subscribe=(subscribe,),
                acks=1,
                data_within_s=5.0,
                brings_liquidations=True,
            ),
        )

    def decoder(self, instruments: Mapping[str, Instrument]) -> BinanceDecoder:
        return BinanceDecoder(instruments)

    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Refusal | None:  # noqa: ARG002
        match status:
            case 451:
                return Refusal(
                    reason="geo_blocked",
                    permanent=True,
                    retry_after_s=0.0,
                    advice="Binance does not serve this country: run Foreshock where it does, or switch the venue off",
                )
            case 418:
                return _wait("banned", retry_after_s(headers, _BAN_S), "too many calls; this address is banned for now")
            case 429:
                return _wait("rate_limited", retry_after_s(headers, _MINUTE_S), "too many calls from this address")
            case 403:
                return _wait("firewall", retry_after_s(headers, _FIREWALL_S), "the web firewall of Binance refused us")
        return None


def _wait(reason: str, seconds: float, advice: str) -> Refusal:
    return Refusal(reason=reason, permanent=False, retry_after_s=seconds, advice=advice)


def _why_not(row: _Row) -> str | None:
    """Name what keeps a contract out: not perpetual (stocks are TRADIFI_PERPETUAL), not trading, quote, not a coin."""
    if row.contract_type != "PERPETUAL":
        return f"contract_{row.contract_type.lower() or 'unnamed'}"
    if row.status != "TRADING":
        return f"status_{row.status.lower()}"
    if row.quote_asset not in QUOTES:
        return f"quote_{row.quote_asset.lower()}"
    if row.underlying_type != "COIN":
        return f"underlying_{row.underlying_type.lower()}"
    return None
