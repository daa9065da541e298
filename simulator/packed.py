"""The latest rows of numbers, kept as bytes: a quarter of the memory that as many objects would take."""

import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


class Packed(Generic[Row]):
    """`layout` is that of `struct` for the fields of a row, `make` puts a row together of them."""

    __slots__ = ("_make", "_rows", "_struct")

    def __init__(self, layout: struct.Struct, make: Callable[..., Row], most: int) -> None:
        self._struct = layout
        self._make = make
        self._rows: deque[bytes] = deque(maxlen=most)

    def append(self, *fields: Any) -> None:
        self._rows.append(self._struct.pack(*fields))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._make(*self._struct.unpack(self._rows[index]))

    def __iter__(self) -> Iterator[Row]:
        return (self._make(*self._struct.unpack(row)) for row in self._rows)

    def __reversed__(self) -> Iterator[Row]:
        return (self._make(*self._struct.unpack(row)) for row in reversed(self._rows))
