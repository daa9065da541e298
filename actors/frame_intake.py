"""What the frames of one connection come to: records and trades, with controls, repeats and bad frames taken out."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from actors.exchanges.exchange import (
    NOTHING_SETTLED,
    Exchange,
    Feed,
    FrameError,
    Instrument,
    TradesRead,
    UnknownInstrument,
)
from intelligence.market import Control, Decoded, Liquidation, MarkPrice

TRADES_ALONE = frozenset({Feed.TRADES})
DUPLICATE_FRAMES = 64  # so many past frames with liquidations are remembered by their digest


class Signs(Protocol):
    """Who wants to know of signs of life: the liveness of a socket."""

    def note_ack(self) -> None: ...

    def note_data(self) -> None: ...

    def note_mark(self) -> None: ...

    def note_garbled(self) -> None: ...


class FrameIntake:
    """For one thread, except `take_instruments` and `take_settled`. `on_control` is called for each control and may raise to end a read;
    `on_problem(count, text)` at the 1st, 2nd, 4th, 8th ... frame that was not understood. `signs`: None until there is a
    socket whose life matters.
    """

    def __init__(
        self,
        *,
        exchange: Exchange,
        feeds: frozenset[Feed],
        instruments: Mapping[str, Instrument],
        settled: Mapping[str, str] = NOTHING_SETTLED,
        on_control: Callable[[Control], None],
        on_problem: Callable[[int, str], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.signs: Signs | None = None
        self.brings_trades_alone = feeds == TRADES_ALONE
        self._exchange = exchange
        self._on_control, self._on_problem = on_control, on_problem
        self._digests: deque[bytes] = deque(maxlen=DUPLICATE_FRAMES)
        self._wanted = (instruments, settled)
        self._make_decoder()

    def take_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Decode with this list after the next `renew`. From any one thread."""
        self._wanted = (instruments, self._wanted[1])

    def take_settled(self, settled: Mapping[str, str]) -> None:
        """Decode by these verdicts after the next `renew`. From the thread of `take_instruments`."""
        self._wanted = (self._wanted[0], settled)

    def renew(self) -> None:
        """Go on with what was taken. Between two reads, so that all of a read is decoded in one way."""
        if self._wanted is not self._decoded_with:
            self._make_decoder()

    @property
    def read_by(self) -> Mapping[str, str]:
        """The verdicts by which frames are decoded now."""
        return self._decoded_with[1]

    def records(self, payload: bytes, received_ms: int) -> list[Decoded]:
        """Decode one frame of a socket that brings more than trades. Raises what `on_control` does."""
        self.counts["frames"] += 1
        decoded: Sequence[Decoded]
        try:
            decoded = self._decoder.decode(payload, received_ms)
        except FrameError as error:
            self.problem(str(error), garbled=not isinstance(error, UnknownInstrument))
            decoded = error.decoded
        except Exception as error:
            # A decoder promises FrameError alone; if it breaks its word on one frame the next ones are still wanted.
            self.problem(f"{type(error).__name__}: {error}")
            return []
        wanted = self._without_controls(decoded)
        if any(isinstance(record, Liquidation) for record in wanted) and self._is_repeated(payload):
            self.counts["duplicate_frames"] += 1
            return []
        return wanted

    def trades(self, text: bytes | memoryview, frames: int, received_ms: int) -> TradesRead:
        """Decode the lines of a socket of nothing but trades; what `others` and `problems` mean, `rest` tells."""
        self.counts["frames"] += frames
        try:
            read = self._trades_decoder.decode_many(text, received_ms)
        except Exception as error:
            # A decoder promises to raise nothing; if it breaks its word on one read the next ones are still wanted.
            self.problem(f"{type(error).__name__}: {error}")
            return TradesRead(columns={})
        if read.columns and self.signs is not None:
            self.signs.note_data()
        return read

    def rest(self, read: TradesRead) -> list[Decoded]:
        """Give the records beside the trades of a read. Raises what `on_control` does."""
        for problem in read.problems:
            self.problem(str(problem))
        return self._without_controls(read.others) if read.others else []

    def problem(self, text: str, *, garbled: bool = True) -> None:
        """Count a frame that was not understood; not `garbled`: only its instrument is unknown."""
        self.counts["malformed"] += 1
        if garbled and self.signs is not None:
            self.signs.note_garbled()
        count = self.counts["malformed"]
        if count & (count - 1) == 0:
            self._on_problem(count, text)

    def _make_decoder(self) -> None:
        self._decoded_with = self._wanted
        instruments, settled = self._decoded_with
        if self.brings_trades_alone:
            self._trades_decoder = self._exchange.trades_decoder(instruments)
        else:
            self._decoder = self._exchange.decoder(instruments, settled)

    def _without_controls(self, decoded: Sequence[Decoded]) -> list[Decoded]:
        """Act on controls and note signs of life; return everything else."""
        wanted: list[Decoded] = []
        for record in decoded:
            if isinstance(record, Control):
                self._take_control(record)
                continue
            wanted.append(record)
            if isinstance(record, MarkPrice) and self.signs is not None:
                self.signs.note_mark()
        if wanted and self.signs is not None:
            self.signs.note_data()
        return wanted

    def _take_control(self, control: Control) -> None:
        self.counts[f"control_{control.reason}"] += 1
        if control.reason == "subscribed" and self.signs is not None:
            self.signs.note_ack()
        self._on_control(control)

    def _is_repeated(self, payload: bytes) -> bool:
        """Whether these very bytes came lately; the venue's push time in them makes that a duplicate, not a new event."""
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        if digest in self._digests:
            return True
        self._digests.append(digest)
        return False
