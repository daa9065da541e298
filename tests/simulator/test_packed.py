import struct
from typing import NamedTuple

from simulator.packed import Packed


class Row(NamedTuple):
    number: int
    share: float
    is_last: bool


def test_rows_come_back_as_they_were_and_only_the_latest_are_kept():
    packed = Packed(struct.Struct("=qd?"), Row, most=2)
    for number in range(3):
        packed.append(number, number / 3, number == 2)

    assert [*packed] == [Row(1, 1 / 3, False), Row(2, 2 / 3, True)]
    assert [*reversed(packed)] == [*packed][::-1]
    assert (len(packed), packed[-1]) == (2, Row(2, 2 / 3, True))
