"""Entries and files of recordings, valid by default."""

from actors.exchanges.exchange import Feed, RestCall
from actors.recording.entries import FramesRead, Header, ReplyRead, SocketMarked, VenuePlanned
from actors.recording.files import RecordingReader

T0 = 1_739_502_302_000


def a_header(**values):
    return Header(**{"market": "live", "created_ms": T0, "venues": ("binance",), **values})


def frames(*texts, at=0, connection="binance-market"):
    return FramesRead(
        at_ms=T0 + at, venue="binance", connection=connection, reader=1, frames=tuple(t.encode() for t in texts)
    )


def mark(state="up", at=0, connection="binance-market", **values):
    defaults = {
        "venue": "binance",
        "feeds": frozenset({Feed.LIQUIDATIONS}),
        "brings_liquidations": True,
        "assets": ("BTC",),
    }
    return SocketMarked(at_ms=T0 + at, connection=connection, state=state, **{**defaults, **values})


def planned(*connections, venue="binance"):
    return VenuePlanned(at_ms=T0, venue=venue, connections=connections)


def listed(body=b"{}", venue="binance", path="/fapi/v1/exchangeInfo", **call):
    return ReplyRead(at_ms=T0, venue=venue, purpose="instruments", call=RestCall(path=path, **call), body=body)


def read(path):
    """The entries of a file, and how it is torn."""
    with RecordingReader(path) as reader:
        return list(reader.entries()), reader.torn
