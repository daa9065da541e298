"""Explain an alert by its id, or why nobody was told of an asset at some time, from the records of the last days."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from actors.explaining import explain, explain_silence, outcomes_in
from actors.near_miss_book import NEAR_MISSES, NearMissBook
from actors.outbox import Outbox, OutboxError
from actors.outcome_book import OUTCOMES
from commands import UsageError
from config.loading import load_settings
from intelligence.explanations import why, why_silent
from intelligence.outcomes.judging import Outcome
from supervisors.trees.presentation import DATABASE

EX_OK, EX_NOTHING, EX_UNREADABLE = 0, 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="ID|ASSET", help="the id of an alert, or an asset together with a time")
    parser.add_argument("time", nargs="?", metavar="TIME", help="UTC, such as 14:32 (today) or 2026-11-23T14:32")


def run(args: argparse.Namespace) -> int:
    loaded = load_settings(config=Path(args.config) if args.config else None)
    folder, busy_s = loaded.settings.data_dir, loaded.settings.outbox.busy_s
    at_ms = None if args.time is None else _time_ms(args.time, datetime.now(UTC))
    if not (folder / DATABASE).exists():
        print(f"there is no record in {folder}: no daemon has run there yet")
        return EX_UNREADABLE
    try:
        with closing(Outbox(folder / DATABASE, busy_s)) as outbox:
            if at_ms is None:
                return _explain(outbox, args.subject, outcomes_in(folder / OUTCOMES, busy_s, args.subject.lower()))
            with closing(NearMissBook(folder / NEAR_MISSES, busy_s)) as near_misses:
                print("\n".join(why_silent(explain_silence(outbox, near_misses, args.subject.upper(), at_ms))))
                return EX_OK
    except OutboxError as error:
        print(f"the records cannot be read: {error}")
        return EX_UNREADABLE


def _explain(outbox: Outbox, alert_id: str, outcomes: Sequence[Outcome]) -> int:
    explained = explain(outbox, alert_id.lower(), outcomes)
    if explained is None:
        print(f"no alert {alert_id} in the records; for a silence give an asset and a time")
        return EX_NOTHING
    print("\n".join(why(explained)))
    return EX_OK


def _time_ms(text: str, now: datetime) -> int:
    """A time of today, or a date and time, in UTC. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text if len(text) > len("23:59:59") else f"{now:%Y-%m-%d}T{text}")
    except ValueError:
        raise UsageError(f"TIME: expected such as 14:32 or 2026-11-23T14:32, was {text!r}") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
