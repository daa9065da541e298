"""The given baseline model (requirements.md 8): price levels at fixed leverages, sized by open interest and funding.

`predict` is the formula, exactly. Taken literally a new check every five minutes replaces the levels, so that none is ever
nearer than 4 %, and nothing is warned of unless price moves by 2 % within five minutes. To give it a chance a level stands
until price has gone through or a day is over (ours).
"""

from dataclasses import dataclass

import msgspec

from intelligence.alerts import stable_id
from intelligence.market import PositionSide
from intelligence.minute import Minute
from intelligence.zones.approach import Approach, Warnings
from intelligence.zones.rules import GivenRule
from intelligence.zones.zone import Zone

HOUR_MS = 3_600_000
FUNDING_BASE, FUNDING_SLOPE, FUNDING_CAP = 10.0, 150.0, 50.0  # leverage = 10 + 150 * |8-hour funding in %|, at most 50
GIVEN_WARNINGS_A_DAY = 288  # one each check: the given rule names no other limit


@dataclass(frozen=True, slots=True)
class Level:
    side: PositionSide
    leverage: int
    price: float
    usd: float


class GivenTally(msgspec.Struct, frozen=True, kw_only=True):
    """Levels that price reached with liquidations of their side beside them, and without."""

    confirmed: int = 0
    refuted: int = 0


def estimated_leverage(funding_8h: float) -> float:
    """From funding, a fraction in eight hours."""
    return min(FUNDING_CAP, FUNDING_BASE + FUNDING_SLOPE * abs(100 * funding_8h))


def predict(rule: GivenRule, *, price: float, open_usd: float, funding_8h: float) -> tuple[Level, ...]:
    """`open_usd`: over all venues, one side. Without funding shorts count as the payers."""
    payer = PositionSide.LONG if funding_8h > 0 else PositionSide.SHORT
    most = rule.leverage_factor * estimated_leverage(funding_8h)
    found = []
    for leverage in rule.leverages:
        if leverage > most:
            continue
        away = 1 / leverage + rule.fee
        for side, level in ((PositionSide.LONG, price * (1 - away)), (PositionSide.SHORT, price * (1 + away))):
            share = rule.payer_share if side is payer else 1 - rule.payer_share
            usd = open_usd * share * rule.size_share
            if usd > rule.counts_usd:
                found.append(Level(side, leverage, level, usd))
    return tuple(found)


class GivenZones:
    """The levels of one asset, minute by minute."""

    def __init__(self, asset: str, rule: GivenRule) -> None:
        self._asset, self._rule = asset, rule
        self._standing: dict[str, tuple[Level, Zone]] = {}
        self._warnings = Warnings(GIVEN_WARNINGS_A_DAY)
        self._checked_ms = 0
        self._liquidations = 0
        self.tally = GivenTally()

    @property
    def zones(self) -> tuple[Zone, ...]:
        return tuple(zone for _, zone in self._standing.values())

    def take(self, minute: Minute, price: float, low: float, high: float) -> tuple[Approach, ...]:
        """A minute and its mark prices: the last, the lowest, the highest."""
        self._judge(minute, low, high)
        self._warnings.pass_minute(minute.to_ms, low, high)
        self._liquidations += len(minute.liquidations)
        due = minute.to_ms - self._checked_ms >= self._rule.check_s * 1000
        if due or self._liquidations >= self._rule.check_liquidations:
            self._check(minute, price)
        return tuple(self._approached(minute.to_ms, price))

    def _check(self, minute: Minute, price: float) -> None:
        self._checked_ms, self._liquidations = minute.to_ms, 0
        open_coins = sum(
            record.quantity * (0.5 if record.uncertain == "sides" else 1.0) for record in minute.open_interest
        )
        levels = predict(self._rule, price=price, open_usd=open_coins * price, funding_8h=minute.funding_8h or 0.0)
        for level in levels:
            self._stand(level, minute.to_ms)

    def _stand(self, level: Level, at_ms: int) -> None:
        """Add a level, or give the one that it repeats its size."""
        same = next((zone for old, zone in self._standing.values() if self._is_same(old, level)), None)
        zone = Zone(
            zone_id=same.zone_id if same else stable_id("given", self._asset, level.side, level.leverage, at_ms),
            asset=self._asset,
            side=level.side,
            low=same.low if same else level.price,
            high=same.high if same else level.price,
            expected_usd=level.usd,
            least_usd=0.0,
            most_usd=level.usd,
            born_ms=same.born_ms if same else at_ms,
            expires_ms=at_ms + int(self._rule.keep_h * HOUR_MS),
            at_ms=at_ms,
            reacts=self._rule.confidence,
        )
        self._standing[zone.zone_id] = (Level(level.side, level.leverage, zone.low, level.usd), zone)

    def _is_same(self, old: Level, new: Level) -> bool:
        alike = (old.side, old.leverage) == (new.side, new.leverage)
        return alike and abs(old.price / new.price - 1) <= self._rule.same

    def _judge(self, minute: Minute, low: float, high: float) -> None:
        """Liquidations confirm the levels they are at; a price that has gone on beyond one without refutes it."""
        prices = [(one.position_side, one.price) for one in minute.liquidations]
        confirmed = refuted = 0
        for zone_id, (level, zone) in list(self._standing.items()):
            within = self._rule.matched
            if any(side is zone.side and abs(price / level.price - 1) <= within for side, price in prices):
                confirmed += 1
            elif zone.is_passed(low * (1 + within), high * (1 - within)):
                refuted += 1
            elif zone.expires_ms > minute.to_ms:
                continue
            del self._standing[zone_id]
        self.tally = GivenTally(confirmed=self.tally.confirmed + confirmed, refuted=self.tally.refuted + refuted)

    def _approached(self, at_ms: int, price: float) -> list[Approach]:
        found = []
        for _, zone in self._standing.values():
            near = abs(zone.near / price - 1) <= self._rule.warns_within
            if near and zone.expected_usd > self._rule.warns_usd and self._warnings.allow(zone, at_ms):
                found.append(
                    Approach(
                        model="given",
                        zone=msgspec.structs.replace(zone, at_ms=at_ms),
                        price=price,
                        at_ms=at_ms,
                        large_usd=self._rule.warns_usd,
                    )
                )
        return found
