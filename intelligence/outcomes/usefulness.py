"""A3 of detection.md 11: what people thought of alerts, and whether A2 says the same."""

from collections.abc import Sequence

import msgspec

from intelligence.outcomes.shares import Share

LEAST_KAPPA = 0.4  # below it the A2 rule is wrong for these users (detection.md 11)


class Votes(msgspec.Struct, frozen=True, kw_only=True):
    """Of one alert."""

    useful: int
    useless: int

    @property
    def verdict(self) -> bool | None:
        """Of the majority; None where there is none."""
        return None if self.useful == self.useless else self.useful > self.useless


class Usefulness(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: useful ones of those with a verdict. `kappa`: how far that agrees with A2, over `both`, the alerts that have
    both: 1 always, 0 no more than by chance; None where it cannot be told.
    """

    share: Share
    both: int
    kappa: float | None


def cohens_kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Agreement beyond chance; None where one of the two always says the same, or nothing was said."""
    if not pairs:
        return None
    first = sum(one for one, _ in pairs) / len(pairs)
    second = sum(other for _, other in pairs) / len(pairs)
    by_chance = first * second + (1 - first) * (1 - second)
    if first in {0.0, 1.0} or second in {0.0, 1.0}:
        return None
    agreed = sum(one == other for one, other in pairs) / len(pairs)
    return (agreed - by_chance) / (1 - by_chance)
