"""The sockets of one connection: the one in use, the one that shall replace it, and the one that was replaced."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Protocol

from actors.clock import AnyClock
from actors.exchanges.exchange import NOTHING_SETTLED, Instrument
from actors.socket_reader import SocketReader

# Of all readers of this process: what a reader of an earlier incarnation says must not pass for the word of our own.
_numbers = itertools.count(1)


class MakeReader(Protocol):
    def __call__(
        self, *, number: int, instruments: Mapping[str, Instrument], settled: Mapping[str, str]
    ) -> SocketReader: ...


class Readers:
    """For the thread of their connection. All of them decode with the newest list and the newest verdicts."""

    def __init__(self, make: MakeReader, instruments: tuple[Instrument, ...]) -> None:
        self._make = make
        self.listed, self._instruments = instruments, _by_name(instruments)
        self._settled: Mapping[str, str] = NOTHING_SETTLED
        self.current: SocketReader | None = None
        self.successor: SocketReader | None = None
        self._retiring: SocketReader | None = None

    def make(self, *, renewal: bool) -> SocketReader:
        """A new reader, yet to be started: the successor of the current one, or the current one itself."""
        reader = self._make(number=next(_numbers), instruments=self._instruments, settled=self._settled)
        if renewal:
            self.successor = reader
        else:
            self.current = reader
        return reader

    def is_current(self, number: int) -> bool:
        return self.current is not None and self.current.number == number

    def is_successor(self, number: int) -> bool:
        return self.successor is not None and self.successor.number == number

    def all(self) -> tuple[SocketReader, ...]:
        readers = (self.current, self.successor, self._retiring)
        return tuple(reader for reader in readers if reader is not None)

    def succeed(self) -> None:
        """Use the successor from now on; the one before it goes on until `retire`."""
        self.retire()
        self._retiring, self.current, self.successor = self.current, self.successor, None

    def replace_lost(self) -> bool:
        """After the current one has ended, go on with the successor alone, which was on its way; False without any."""
        self.current, self.successor = self.successor, None
        return self.current is not None

    def retire(self) -> None:
        """Close the one that was replaced."""
        if self._retiring is not None:
            self._retiring.stop()
            self._retiring = None

    def stop(self, join_s: float, clock: AnyClock) -> int:
        """Stop all of them; return how many had not ended within `join_s`."""
        readers = self.all()
        for reader in readers:
            reader.stop()
        until_s = clock.monotonic() + join_s
        return sum(not reader.join(max(0.0, until_s - clock.monotonic())) for reader in readers)

    def take_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """Go on with a new list."""
        self.listed, self._instruments = instruments, _by_name(instruments)
        for reader in self.all():
            reader.take_instruments(self._instruments)

    def take_settled(self, settled: Mapping[str, str]) -> None:
        """Go on with new verdicts."""
        if settled != self._settled:
            self._settled = settled
            for reader in self.all():
                reader.take_settled(settled)


def _by_name(instruments: Iterable[Instrument]) -> dict[str, Instrument]:
    return {one.instrument: one for one in instruments}
