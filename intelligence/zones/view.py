"""What is told of an asset's zones to those who ask."""

from typing import Literal

import msgspec

from intelligence.zones.given import GivenTally
from intelligence.zones.record import Tally
from intelligence.zones.zone import Zone


class ZonesView(msgspec.Struct, frozen=True, kw_only=True):
    """What is predicted of an asset at `at_ms`, and what became of earlier predictions. `model`: who warns now.

    `seen_minutes`: how long the model has watched; `unexplained`: liquidations where it expected none at all.
    """

    asset: str
    at_ms: int
    price: float
    open_usd: float
    model: Literal["ours", "given"]
    zones: tuple[Zone, ...]
    given: tuple[Zone, ...]
    record: Tally
    warned: Tally
    reaction: float | None
    given_tally: GivenTally
    seen_minutes: int
    unexplained: int
