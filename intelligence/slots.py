"""Rows at fixed steps of time, the newest so many of them, in plain arrays."""

from array import array
from collections.abc import Iterator, Sequence

import msgspec

_NEVER = -1


class SlotRows(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A `SlotRing` as bytes, to be kept. `slots`: numbers of the steps since 1970, -1 where there is none; `empty`: whether
    that step is known to have no row; `columns`: a float each.
    """

    slots: bytes
    empty: bytes
    columns: tuple[bytes, ...]


class SlotRing:
    """At most one row for each step of `step_ms`, for the newest `size` steps; rows are floats.

    A slot may also be known to be empty: nothing was there, so nobody needs to ask again.
    """

    __slots__ = ("_columns", "_empty", "_newest", "_slots", "size", "step_ms")

    def __init__(self, step_ms: int, size: int, columns: int) -> None:
        self.step_ms, self.size = step_ms, size
        self._newest = _NEVER
        self._slots = array("q", [_NEVER]) * size
        self._columns = [array("d", [0.0]) * size for _ in range(columns)]
        self._empty = bytearray(size)

    def __len__(self) -> int:
        """How many rows there are; known empty slots are none."""
        return sum(1 for _ in self._held(0, self._newest + 1))

    @property
    def newest_ms(self) -> int | None:
        """The beginning of the newest step that is known, as a row or as empty."""
        return None if self._newest == _NEVER else self._newest * self.step_ms

    def put(self, at_ms: int, row: Sequence[float], *, replace: bool = True) -> bool:
        """Take the row of the step that holds `at_ms`; False when it is too old, or there is one and `replace` is not set."""
        slot = at_ms // self.step_ms
        place = slot % self.size
        if not self._open(slot) or (not replace and self._slots[place] == slot and not self._empty[place]):
            return False
        self._slots[place], self._empty[place] = slot, 0
        for column, value in zip(self._columns, row, strict=True):
            column[place] = value
        return True

    def know_empty(self, from_ms: int, until_ms: int) -> None:
        """Where no row is known in the steps from `from_ms` to before `until_ms`, there is none."""
        last = -(-until_ms // self.step_ms)
        for slot in range(max(from_ms // self.step_ms, last - self.size), last):
            place = slot % self.size
            if self._slots[place] != slot and self._open(slot):
                self._slots[place], self._empty[place] = slot, 1

    def rows(self, from_ms: int, until_ms: int) -> list[tuple[int, tuple[float, ...]]]:
        """The rows of the steps that begin from `from_ms` on and before `until_ms`, oldest first, with that beginning."""
        first, last = -(-from_ms // self.step_ms), -(-until_ms // self.step_ms)
        return [
            (slot * self.step_ms, tuple(column[slot % self.size] for column in self._columns))
            for slot in self._held(first, last)
        ]

    def missing_from(self, from_ms: int, until_ms: int) -> int | None:
        """The beginning of the first step of that span of which nothing is known; None when there is none."""
        for slot in range(-(-from_ms // self.step_ms), until_ms // self.step_ms):
            if self._slots[slot % self.size] != slot:
                return slot * self.step_ms
        return None

    def kept(self) -> SlotRows:
        """All that is known as one immutable value. Copies memory and looks at nothing, for it is asked of many at once."""
        return SlotRows(
            slots=self._slots.tobytes(),
            empty=bytes(self._empty),
            columns=tuple(column.tobytes() for column in self._columns),
        )

    def restore(self, kept: SlotRows) -> None:
        """Take what was kept; rows that are here already win. Raises ValueError when the value does not fit this ring."""
        slots, columns = array("q", kept.slots), [array("d", column) for column in kept.columns]
        if {self.size} != {len(slots), len(kept.empty), *map(len, columns)} or len(columns) != len(self._columns):
            raise ValueError(f"expected {len(self._columns)} columns of {self.size}")
        if any(slot != _NEVER and slot % self.size != place for place, slot in enumerate(slots)):
            raise ValueError("expected every slot in its place")
        here = self.rows(0, (self._newest + 1) * self.step_ms)
        self._slots, self._empty, self._columns = slots, bytearray(kept.empty), columns
        self._newest = max(slots)
        for at_ms, row in here:
            self.put(at_ms, row)

    def _open(self, slot: int) -> bool:
        """Move on to a newer slot; False for one older than what is held."""
        if slot <= self._newest - self.size:
            return False
        self._newest = max(self._newest, slot)
        return True

    def _held(self, first: int, last: int) -> Iterator[int]:
        """The numbers of the slots with a row, oldest first."""
        for slot in range(max(first, self._newest - self.size + 1, 0), min(last, self._newest + 1)):
            place = slot % self.size
            if self._slots[place] == slot and not self._empty[place]:
                yield slot
