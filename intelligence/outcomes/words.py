"""What followed an alert, in words: for whoever asks why it was raised."""

from collections.abc import Iterable

from intelligence.alerts import AlertKind
from intelligence.outcomes.consequence import OWN_HORIZON
from intelligence.outcomes.judging import Outcome


def outcome_lines(kind: AlertKind, outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each horizon that is over, after the delivery."""
    return [_line(one, own=one.minutes == OWN_HORIZON.get(kind)) for one in outcomes]


def _line(outcome: Outcome, *, own: bool) -> str:
    after = f"{outcome.minutes} min after its delivery"
    if outcome.span is None:
        return f"{after}: prices are missing"
    move = "" if outcome.move is None else f", {100 * outcome.move:+.2f} %"
    told = f"{after}: range {100 * outcome.span:.2f} %{move}"
    if outcome.rank is None:
        return f"{told}; control times of {outcome.control_days} days only: not measurable yet"
    told += f", above {outcome.rank:.0%} of {outcome.controls} control times".replace("%", " %")
    if not own:
        return told
    if not outcome.consequential:
        return f"{told}: not consequential (A2)"
    strictly = {True: ", strictly too", False: ", not strictly", None: ""}[outcome.strict]
    return f"{told}: consequential (A2){strictly}"
