"""A detector that knows the future is caught: what it tells of a recording must not change when the rest of it is cut off."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from intelligence.minute import Minute

Told = TypeVar("Told")


def first_look_ahead(
    tell: Callable[[Sequence[Minute]], Sequence[tuple[int, Told]]], minutes: Sequence[Minute], cuts: Sequence[int]
) -> int | None:
    """The first of the `cuts` (numbers of minutes) at which the truncated run told something else; None if honest.

    `tell` plays minutes to a fresh detector and returns what it told, each with the number of minutes it had seen.
    """
    whole = list(tell(minutes))
    for cut in sorted(cuts):
        if list(tell(minutes[:cut])) != [one for one in whole if one[0] <= cut]:
            return cut
    return None
