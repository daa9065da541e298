"""How the families of alerts do now, and what follows of it for what is pushed."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from intelligence.alerts import AlertKind
from intelligence.outcomes.judging import Outcome, Told
from intelligence.outcomes.rules import OutcomeRules
from intelligence.outcomes.scores import DAY_MS, Judged, Scores, judged_of, scores
from intelligence.outcomes.selection import VALID_MS, Demotion, Selected, Selection, demotions, fit, selected
from intelligence.outcomes.usefulness import Votes

FIT_MS = 3_600_000
Low = tuple[AlertKind, int, float]  # a family, a day (number since 1970), the lower bound of its A2 on it


class Standing:
    """Outcomes of the last days. `selection` is fitted once an hour."""

    def __init__(self, rules: OutcomeRules, now_ms: int) -> None:
        self._rules = rules
        self._judged: dict[str, Judged] = {}
        self._votes: dict[str, Votes] = {}
        self._fitted_ms = 0
        self.selection: Selection = fit((), now_ms, rules.selection)

    def __len__(self) -> int:
        return len(self._judged)

    def begin_with(self, judged: Iterable[Judged], votes: Mapping[str, Votes]) -> None:
        self._judged = {one.told.alert_id: one for one in judged}
        self._votes = dict(votes)

    def take(self, told: Told, outcomes: Mapping[int, Outcome]) -> None:
        """`outcomes`: all of that alert so far, by their minutes."""
        one = judged_of(told, outcomes)
        if one is not None:
            self._judged[told.alert_id] = one

    def vote(self, alert_id: str, votes: Votes) -> None:
        """All votes on an alert."""
        self._votes[alert_id] = votes

    def forget(self, before_ms: int) -> None:
        self._judged = {alert_id: one for alert_id, one in self._judged.items() if one.at_ms >= before_ms}

    def scores(self, now_ms: int) -> Scores:
        return scores(self._judged.values(), now_ms, self._rules, self._votes)

    def selected(self, now_ms: int) -> Selected | None:
        """What the selection made of alerts."""
        return selected(self._judged.values(), now_ms, self._rules.score_days)

    def refit(self, told: Scores) -> bool:
        """Fit the selection anew when that is due, and say whether it was."""
        if told.at_ms - self._fitted_ms < FIT_MS:
            return False
        self._fitted_ms = told.at_ms
        self.selection = msgspec.structs.replace(
            fit(self._judged.values(), told.at_ms, self._rules.selection), demoted=self.selection.demoted
        )
        return True

    @staticmethod
    def lows(told: Scores) -> list[Low]:
        """The lower bounds of the day that are to be remembered."""
        day = told.at_ms // DAY_MS
        return [(one.kind, day, one.share.lower) for one in told.families if one.measurable and not one.shadow]

    def demote(self, lows: Sequence[Low], now_ms: int) -> tuple[Demotion, ...]:
        """Look for families that do badly by what was remembered, renew the selection, and tell who was demoted before."""
        before = self.selection.demoted
        self.selection = msgspec.structs.replace(
            self.selection,
            demoted=demotions(lows, now_ms // DAY_MS, self._rules.selection),
            valid_until_ms=now_ms + VALID_MS,
        )
        return before
