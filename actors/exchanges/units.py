"""Whether a contract's size is what the list says: coins * price against what the venue calls its dollars.

OKX tells `oi` and `oiUsd`, Gate `open_interest` and `open_interest_usd`: a contract size that is wrong or has changed
shows here first (exchanges.md 11.3, tests 5 and 6).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from actors.exchanges.verdicts import units_problem

LEAST_USD = 10_000.0  # of open interest; below, whole contracts are too coarse to compare to within 1 %


class UnitFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Part of what is compared for one contract: units of the venue's base, price as the venue writes it, its dollars."""

    instrument: str
    coins: float | None = None
    price: float | None = None
    usd: float | None = None


@dataclass(slots=True)
class UnitsBook:
    """Gathers figures over a round of questions. `excluded`: contracts that two rounds in a row found wrong; one that is
    found right counts again.
    """

    excluded: frozenset[str] = frozenset()
    suspects: frozenset[str] = frozenset()
    _figures: dict[str, UnitFigures] = field(default_factory=dict)

    def learn(self, rows: Iterable[UnitFigures]) -> None:
        for row in rows:
            known = self._figures.get(row.instrument)
            self._figures[row.instrument] = row if known is None else _merged(known, row)

    def conclude(self) -> dict[str, str]:
        """End the round. Contracts that are excluded from now on, with what is wrong about each."""
        problems, compared = {}, set()
        for name, one in self._figures.items():
            if one.coins and one.price and one.usd and one.usd >= LEAST_USD:
                compared.add(name)
                if problem := units_problem(name, one.coins, one.price, one.usd):
                    problems[name] = problem
        wrong = problems.keys() & (self.suspects | self.excluded)
        fresh = {name: problems[name] for name in sorted(wrong - self.excluded)}
        self.suspects = frozenset(problems.keys() - wrong)
        self.excluded = frozenset(wrong | (self.excluded - compared))
        self._figures.clear()
        return fresh


def _merged(known: UnitFigures, row: UnitFigures) -> UnitFigures:
    told = {name: value for name in ("coins", "price", "usd") if (value := getattr(row, name)) is not None}
    return msgspec.structs.replace(known, **told)
