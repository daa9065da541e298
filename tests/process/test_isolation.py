"""A venue that stalls, floods, lies or vanishes costs the other venues nothing: the same events as in an undisturbed run.

Market time stands still until every socket is subscribed, then passes for a fixed length, so each run shows each venue the
same market to the last trade, however slow the machine is.
"""

import json
import re
import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from actors import connection, paths
from commands.simulated import Simulated
from tests.process.trees import Tree, running_tree

pytestmark = pytest.mark.slow

VENUES = ("binance", "bybit", "okx", "gate", "bitget", "hyperliquid", "deribit")
BROUGHT = re.compile(r"(\d+) (liquidations|trades)\b")
PLANNED = re.compile(r"(\d+) sockets")
MARKET_S = 240.0
MARKET = ("--seed", "19", "--start", "1790000000000", "--trades-per-s", "400", "--hold")
FAULTS = (("stall", "okx"), ("flood", "bybit"), ("lie", "binance"), ("vanish", "gate"))


@dataclass(frozen=True, kw_only=True)
class Run:
    """By venue: what the simulator sent and what our connections counted, liquidations and trades; sockets in its life.

    `alerts`: venue, asset, side, event time and value of every alert about one liquidation. `struck`: how often a fault did.
    """

    sent: dict[str, Counter[str]]
    counted: dict[str, Counter[str]]
    sockets: Counter[str]
    alerts: frozenset[tuple[Any, ...]]
    struck: int

    def of(self, venues: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        alerts = {venue: {alert for alert in self.alerts if alert[0] == venue} for venue in venues}
        return {venue: (self.counted[venue], self.sockets[venue], alerts[venue]) for venue in venues}


def told(simulated: Simulated, path: str, **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(simulated.control_url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


def notes_of(tree: Tree, venue: str) -> list[str]:
    """What this venue's connections say of themselves."""
    feeds = [path for path in tuple(tree.system.ledger) if path.startswith(f"{paths.FEEDS}/{venue}-")]
    return [tree.system.place(path).vitals.note for path in feeds]


def is_subscribed(tree: Tree, venue: str) -> bool:
    planned = PLANNED.search(tree.system.place(f"{paths.CATALOGUES}/{venue}").vitals.note)
    connected = [note for note in notes_of(tree, venue) if "frames" in note or "subscribed" in note]
    return planned is not None and len(connected) == int(planned[1])


def counted_by(tree: Tree, venue: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for note in notes_of(tree, venue):
        counts.update({kind: int(number) for number, kind in BROUGHT.findall(note)})
    return +counts


def sent_by(simulated: Simulated) -> tuple[dict[str, Counter[str]], Counter[str]]:
    sent: dict[str, Counter[str]] = {venue: Counter() for venue in VENUES}
    sockets: Counter[str] = Counter()
    for each in told(simulated, "/truth/trades")["connections"]:
        sent[each["venue"]]["trades"] += each["trades"]
        sockets[each["venue"]] += 1
    for row in told(simulated, "/truth/liquidations")["liquidations"]:
        if row["venue"] in sent:
            sent[row["venue"]]["liquidations"] += row["shown"]
    return {venue: +counts for venue, counts in sent.items()}, sockets


def run(data_dir, *, fault: str | None = None, victim: str | None = None) -> Run:
    healthy = [venue for venue in VENUES if venue != victim]
    with running_tree(data_dir, speed=60, options=MARKET) as (tree, simulated):
        tree.wait_until(lambda: all(is_subscribed(tree, venue) for venue in VENUES))
        if fault is not None:
            told(simulated, "/faults", venue=victim, kind=fault, seconds=600)
        end_ms = told(simulated, "/clock")["market_ms"] + 1000 * MARKET_S
        told(simulated, "/go", market_s=MARKET_S)
        tree.wait_until(lambda: told(simulated, "/truth/open_interest")["time_ms"] >= end_ms)
        sent, sockets = sent_by(simulated)
        tree.wait_until(lambda: all(counted_by(tree, venue) >= sent[venue] for venue in healthy))
        counted = {
            venue: counted_by(tree, venue) for venue in VENUES
        }  # now: a market that has ended looks dead in a while
        judging = [path for path in tuple(tree.system.ledger) if path.startswith((paths.SYMBOLS, paths.NOTIFY))]
        tree.wait_until(lambda: all(tree.system.place(path).mailbox.idle for path in judging))
        alerts = [json.loads(line) for line in tree.journal().splitlines()]
        return Run(
            sent=sent,
            counted=counted,
            sockets=sockets,
            alerts=frozenset(
                (one["venue"], one["asset"], one["position_side"], one["exchange_ms"], one["value"])
                for one in alerts
                if one["kind"] == "liquidation"
            ),
            struck=told(simulated, "/stats")["faults"]["struck"].get(fault, 0),
        )


@pytest.fixture(scope="module", autouse=True)
def _notes_at_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "NOTE_EVERY_S", 0.25)
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Run:
    return run(tmp_path_factory.mktemp("undisturbed"))


def test_undisturbed_every_event_that_was_sent_is_counted(undisturbed):
    assert undisturbed.counted == undisturbed.sent
    assert all(undisturbed.sent[venue]["trades"] > 20 for venue in VENUES)
    assert all(undisturbed.sent[venue]["liquidations"] > 5 for venue in ("binance", "bybit", "okx", "gate", "bitget"))
    assert {alert[0] for alert in undisturbed.alerts} == {"binance", "bybit", "okx"}


@pytest.mark.parametrize(("fault", "victim"), FAULTS, ids=[fault for fault, _ in FAULTS])
def test_the_other_venues_lose_nothing(fault, victim, undisturbed, tmp_path):
    disturbed = run(tmp_path, fault=fault, victim=victim)
    others = [venue for venue in VENUES if venue != victim]

    assert disturbed.struck > 0
    assert disturbed.of([victim]) != undisturbed.of([victim])
    assert disturbed.of(others) == undisturbed.of(others)
