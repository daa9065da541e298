"""What a connection's readers hand on, on their threads: events to the symbol streams, frames to the recorder."""

from actors import paths
from actors.exchanges.exchange import TradeColumns
from actors.mailbox import Lane
from actors.messages.feeds import LiquidationsTold
from actors.publisher import Publisher, trades_of
from actors.recording.entries import FramesRead
from actors.socket_reader import SocketReader
from actors.supervised import Supervised
from intelligence.market import Coverage, Decoded, Liquidation


class ReaderOutlet:
    """Speaks for its `owner`, a connection; every method raises Fenced when that has been replaced."""

    def __init__(self, owner: Supervised, venue: str, connection: str, publisher: Publisher) -> None:
        self._owner, self._venue, self._connection, self._publisher = owner, venue, connection, publisher
        self._self_test = f"{paths.SELF_TESTS}/{venue}"

    def record(self, reader: SocketReader, frames: tuple[bytes, ...], received_ms: int) -> None:
        read = FramesRead(
            at_ms=received_ms,
            venue=self._venue,
            connection=self._connection,
            reader=reader.number,
            frames=frames,
            settled=tuple(reader.read_by.items()),
            excluded=tuple(self._publisher.excluded),
        )
        self._owner.send(paths.RECORDER, read, lane=Lane.DATA)

    def publish(self, reader: SocketReader, records: list[Decoded]) -> None:
        liquidations = self._publisher.publish(records)
        reader.counts["liquidations"] += liquidations
        if liquidations and self._owner.system.find(self._self_test) is not None:
            rows = (one for one in records if isinstance(one, Liquidation) and one.coverage is not Coverage.AGGREGATE)
            told = LiquidationsTold(rows=tuple(rows), read_by=tuple(reader.read_by.items()))
            self._owner.send(self._self_test, told, lane=Lane.DATA)
        if trades := trades_of(records):
            self.publish_trades(reader, trades, self._owner.now_ms)
        self._owner.progress()

    def publish_trades(self, reader: SocketReader, columns: dict[str, TradeColumns], received_ms: int) -> None:
        given, shed = self._publisher.publish_trades(columns, received_ms)
        reader.counts["trades"] += given
        reader.counts["trades_shed"] += shed
        self._owner.progress()
