"""How much open interest an incident took with it: coins of a fixed set of contracts before it and after."""

from collections.abc import Mapping, Sequence

from intelligence.alerts import Alert

Contract = tuple[str, str]  # venue and instrument
STALE_MS = 300_000  # a figure older than that before the begin says nothing about it (five polls)


def open_interest_flushed(
    points: Mapping[Contract, Sequence[tuple[int, float]]], from_ms: int, to_ms: int
) -> tuple[tuple[str, float | str], ...]:
    """Pairs for an alert's context: coins before `from_ms` and by `to_ms`, and the venues that had a figure at both ends.

    `points`: (ms, coins) of contracts that count alike, oldest first. Nothing where no contract has both.
    """
    before = after = 0.0
    venues: set[str] = set()
    for (venue, _), figures in points.items():
        begin = [coins for at_ms, coins in figures if from_ms - STALE_MS <= at_ms <= from_ms]
        end = [coins for at_ms, coins in figures if from_ms < at_ms <= to_ms]
        if begin and end:
            before, after = before + begin[-1], after + end[-1]
            venues.add(venue)
    if not venues or before <= 0:
        return ()
    return (
        ("open_interest_before_coins", before),
        ("open_interest_after_coins", after),
        ("open_interest_venues", ", ".join(sorted(venues))),
    )


def flushed_share(alert: Alert) -> float | None:
    """The change of open interest over the incident as a fraction, negative when it fell; None where it is not known."""
    context = dict(alert.context)
    before, after = context.get("open_interest_before_coins"), context.get("open_interest_after_coins")
    if not (isinstance(before, float) and isinstance(after, float)):
        return None
    return after / before - 1
