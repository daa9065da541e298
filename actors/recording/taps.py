"""Where recording taps the feeds: functions that tell the recorder what came, or nothing where there is no recorder."""

from collections.abc import Callable

from actors import paths
from actors.exchanges.exchange import RestCall
from actors.mailbox import Lane
from actors.recording.entries import HistoryKept, ReplyRead
from actors.supervised import Supervised
from intelligence.history import BarSpan, OpenInterestSpan


def records(actor: Supervised) -> bool:
    """Whether this tree has a recorder."""
    return actor.system.find(paths.RECORDER) is not None


def reply_tap(actor: Supervised, venue: str, purpose: str, *, lane: Lane) -> Callable[[RestCall, bytes], None] | None:
    """Tell the recorder of good answers to this actor's calls."""
    if not records(actor):
        return None

    def tell(call: RestCall, body: bytes) -> None:
        entry = ReplyRead(at_ms=actor.now_ms, venue=venue, purpose=purpose, call=call, body=body)
        actor.send(paths.RECORDER, entry, lane=lane)

    return tell


def keep_history(actor: Supervised, asset: str, span: BarSpan | OpenInterestSpan) -> None:
    """Tell the recorder, if there is one, what a venue answered for a span of an asset's past."""
    if records(actor):
        entry = HistoryKept(
            at_ms=actor.now_ms,
            venue=span.venue,
            asset=asset,
            bars=span if isinstance(span, BarSpan) else None,
            points=span if isinstance(span, OpenInterestSpan) else None,
        )
        actor.send(paths.RECORDER, entry, lane=Lane.DATA)
