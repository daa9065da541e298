"""How much of what was opened is liquidated when its price is reached, by leverage and lifetime: learned as it happens.

Passing over cells that hold `exposed` coins of a kind brings a Poisson stream of liquidated coins with the mean rate * exposed.
Which kind a liquidation was of is not seen, so it is shared among the kinds by their chances at that price (an EM step), and
rates have Gamma priors around what is believed, times one factor for all kinds: feeds differ in how much they bring. Only what
was passed over counts: liquidations select high leverage, and this takes it out.
"""

from collections.abc import Sequence

import msgspec

from intelligence.zones.rules import BookRule

# Leverages, and what share of positions is believed to have them before anything was seen: the weights of the one public
# project that names some (detection.md S39), spread over more steps, the tail halved because S44 saw the liquidated alone.
PRIOR = {3: 0.05, 5: 0.15, 10: 0.25, 15: 0.10, 20: 0.10, 25: 0.15, 50: 0.12, 75: 0.04, 100: 0.04}
LEVERAGES = tuple(PRIOR)


class KeptRates(msgspec.Struct, frozen=True, kw_only=True):
    seen: tuple[float, ...]
    exposed: tuple[float, ...]
    prior_exposed: float


class LiquidationRates:
    """One for both sides: a kind is a pair of lifetime and leverage, in the order of `kinds`."""

    def __init__(self, rule: BookRule) -> None:
        self._rule = rule
        self.kinds = tuple((life, leverage) for life in range(len(rule.lifetimes_h)) for leverage in LEVERAGES)
        share = rule.liquidated_share / len(rule.lifetimes_h)
        self._prior = tuple(share * PRIOR[leverage] for _, leverage in self.kinds)
        self._seen = [0.0] * len(self.kinds)
        self._exposed = [0.0] * len(self.kinds)
        self._prior_exposed = 0.0
        self.rates = self._prior

    def believe(self, open_coins: float) -> None:
        """Tell how much is open, once: the prior weighs as much as a part of it."""
        if self._prior_exposed == 0.0 and open_coins > 0:
            self._prior_exposed = self._rule.prior_share * open_coins

    def passed(self, exposed: Sequence[float]) -> None:
        """Price has passed over so many coins of each kind."""
        for place, coins in enumerate(exposed):
            self._exposed[place] += coins

    def liquidated(self, coins: float, there: Sequence[float]) -> bool:
        """A liquidation at a price where so many coins of each kind were; False when none were there."""
        chances = [rate * mass for rate, mass in zip(self.rates, there, strict=True)]
        total = sum(chances)
        if total <= 0:
            return False
        for place, chance in enumerate(chances):
            self._seen[place] += coins * chance / total
        return True

    def end_minute(self) -> None:
        """Take in what was seen, and forget a little."""
        if self._prior_exposed <= 0 or not any(self._seen):
            return  # while none was ever seen nobody may be telling of them
        keep = 0.5 ** (1 / (60 * self._rule.evidence_half_life_h))
        self._seen = [keep * seen for seen in self._seen]
        self._exposed = [keep * exposed for exposed in self._exposed]
        weight = self._prior_exposed
        believed = weight * sum(self._prior)
        expected = sum(prior * exposed for prior, exposed in zip(self._prior, self._exposed, strict=True))
        factor = (believed + sum(self._seen)) / (believed + expected)
        self.rates = tuple(
            (factor * prior * weight + seen) / (weight + exposed)
            for prior, seen, exposed in zip(self._prior, self._seen, self._exposed, strict=True)
        )

    def kept(self) -> KeptRates:
        return KeptRates(seen=tuple(self._seen), exposed=tuple(self._exposed), prior_exposed=self._prior_exposed)

    def restore(self, kept: KeptRates) -> None:
        """Raises ValueError when it is of other kinds."""
        if len(kept.seen) != len(self.kinds) or len(kept.exposed) != len(self.kinds):
            raise ValueError("rates of other kinds")
        self._seen, self._exposed = list(kept.seen), list(kept.exposed)
        self._prior_exposed = kept.prior_exposed
        self.end_minute()
