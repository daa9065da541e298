"""What chats hear of the selection: that a family goes to the digest."""

from collections.abc import Iterable, Iterator

from actors.notices import a_notice
from actors.outbox import Outbox
from actors.outbox_rows import Planned
from intelligence.alerts import Alert, AlertKind, Stage
from intelligence.digest import FAMILIES
from intelligence.outcomes.selection import Selection


def notices(
    selection: Selection, targets: Iterable[str], outbox: Outbox, now_ms: int
) -> Iterator[tuple[Alert, Planned]]:
    """One for each chat and family; none that was made before. Raises OutboxError."""
    if not selection.enabled:
        return
    spared = "" if selection.holds_p1 else "; P1 of cascades and of the market are told all the same"
    told = [(f"demoted-{one.kind}-{one.since_day}", _words(one.kind, spared)) for one in selection.demoted]
    for target in targets:
        for key, words in told:
            notice = a_notice("selection", target, now_ms, words, key=key)
            if outbox.known(notice.alert_id) is None:
                yield notice, Planned(target=target, stage=Stage.RAISED, silent=True)


def _words(kind: AlertKind, spared: str) -> str:
    return (
        f"{FAMILIES.get(kind, kind)} go to the digest\n"
        f"For a week they were too seldom followed by more than usual{spared}\n"
        "/stats shows how often they were, /digest 08:00 brings them once a day"
    )
