"""Which contracts are what their name says, judged again and again by the prices of all venues (exchanges.md 9)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from intelligence.assets import Quote, Rejection, judge_mappings

OUT_OF_LINE_SHARE = 0.2  # ours: of one venue's contracts; then its prices are wrong, not all its names
OUT_OF_LINE_LEAST = 5


class Contract(NamedTuple):
    venue: str
    instrument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one look at the prices changed. `out_of_line`: venues that disagree with the others on too many contracts to
    be believed, with how many; none of the assets they list was judged.
    """

    rejected: tuple[Rejection, ...] = ()
    accepted: tuple[Contract, ...] = ()
    out_of_line: dict[str, int] = field(default_factory=dict)


class Mappings:
    """The contracts that are kept out, and why.

    A contract is taken at its word until the first look. One that was found right is kept out only when two looks in a
    row find it wrong, because prices part for minutes when the market moves fast; one that agrees again is back at once.
    A scaled name that no other venue shows is alone under its name and disturbs nobody: it stays.
    """

    def __init__(self, rejected: Iterable[Rejection] = ()) -> None:
        self.rejected = {_contract(one.quote): one for one in rejected}
        self._right: set[Contract] = set()
        self._doubted: set[Contract] = set()

    def judge(self, quotes: Iterable[Quote], listed: Collection[Contract], unheard: Collection[str]) -> Judgement:
        """Judge by quotes of one moment. Assets in `unheard` are listed by a venue that did not answer: their verdicts
        stay, so that an outage changes none. What is not `listed` any more is forgotten.
        """
        quotes = [quote for quote in quotes if quote.asset not in unheard]
        out_of_line: dict[str, int] = {}
        while True:
            rejections = [one for one in judge_mappings(quotes)[1] if one.reason == "price"]
            worst = _out_of_line(quotes, rejections)
            if worst is None:
                break
            venue, out_of_line[venue] = worst
            doubtful = {quote.asset for quote in quotes if quote.venue == venue}
            quotes = [quote for quote in quotes if quote.asset not in doubtful]
        self._forget(listed)
        right = {_contract(quote) for quote in quotes} - {_contract(one.quote) for one in rejections}
        back = tuple(contract for contract in sorted(right) if self.rejected.pop(contract, None) is not None)
        self._right |= right
        self._doubted -= right
        return Judgement(rejected=tuple(self._reject(rejections)), accepted=back, out_of_line=out_of_line)

    def _reject(self, rejections: Iterable[Rejection]) -> Iterable[Rejection]:
        for rejection in rejections:
            contract = _contract(rejection.quote)
            if contract in self.rejected:
                continue
            if contract in self._right and contract not in self._doubted:
                self._doubted.add(contract)
                continue
            self._right.discard(contract)
            self._doubted.discard(contract)
            self.rejected[contract] = rejection
            yield rejection

    def _forget(self, listed: Collection[Contract]) -> None:
        self.rejected = {contract: one for contract, one in self.rejected.items() if contract in listed}
        self._right.intersection_update(listed)
        self._doubted.intersection_update(listed)


def _contract(quote: Quote) -> Contract:
    return Contract(quote.venue, quote.instrument)


def _out_of_line(quotes: list[Quote], rejections: list[Rejection]) -> tuple[str, int] | None:
    """The venue with the largest share of contracts at odds with the others, and how many, if they are too many."""
    total: dict[str, int] = {}
    at_odds: dict[str, int] = {}
    for quote in quotes:
        total[quote.venue] = total.get(quote.venue, 0) + 1
    for quote, _ in rejections:
        at_odds[quote.venue] = at_odds.get(quote.venue, 0) + 1
    many = [venue for venue, n in at_odds.items() if n >= max(OUT_OF_LINE_LEAST, OUT_OF_LINE_SHARE * total[venue])]
    worst = max(many, key=lambda venue: (at_odds[venue] / total[venue], venue), default=None)
    return None if worst is None else (worst, at_odds[worst])
